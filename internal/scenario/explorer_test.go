package scenario

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"ldx/internal/screentest"
	"ldx/tui/explorer"
	"ldx/tui/keys"
)

var (
	wide   = screentest.Options{Cols: 120, Rows: 34}
	narrow = screentest.Options{Cols: 80, Rows: 24}
)

// open starts the explorer on the scenarios' settings and waits for the end of
// its first run.
func (p *place) open(o screentest.Options, more ...string) *screentest.Screen {
	p.t.Helper()
	s := p.screen(o, sampling(more...)...)
	atStep(s, steps)
	return s
}

// quit leaves the explorer and checks how it went.
func quit(t *testing.T, s *screentest.Screen) {
	t.Helper()
	s.Type("q")
	if code := s.Exit(); code != 0 || s.AltScreen() {
		t.Errorf("exit status %d, alternate screen %v; want 0 and off", code, s.AltScreen())
	}
}

// field is a number in the settings pane, as it is shown.
func field(s *screentest.Screen, label string) string {
	m := regexp.MustCompile(`│ [ ▸] ` + label + ` +(\S+)`).FindStringSubmatch(s.Text())
	if m == nil {
		return ""
	}
	return m[1]
}

// waitField waits until a number is shown, and chosen where keys act.
func waitField(s *screentest.Screen, label, want string) {
	s.Wait(label+" "+want, func(s *screentest.Screen) bool { return field(s, label) == want })
}

func tooSmall(cols, rows int) bool { return cols < explorer.MinWidth || rows < explorer.MinHeight }

// sane says what is wrong with a screen: a small one says so, any other has a
// header, a help line, and between them rows that reach from border to border.
func sane(s *screentest.Screen) error {
	cols, rows := s.Size()
	if tooSmall(cols, rows) {
		if !strings.Contains(s.Row(0), "too small") {
			return fmt.Errorf("the first row is %q", s.Row(0))
		}
		return nil
	}
	if !strings.HasPrefix(s.Row(0), " ldx") {
		return fmt.Errorf("the header is %q", s.Row(0))
	}
	if len(strings.Fields(s.Row(rows-1))) < 2 {
		return fmt.Errorf("the help line is %q", s.Row(rows-1))
	}
	for y := 1; y < rows-1; y++ {
		row := s.Row(y)
		if w := ansi.StringWidth(row); w != cols || !strings.ContainsAny(row[:3], "│╭╰") || !strings.ContainsAny(row[len(row)-3:], "│╮╯") {
			return fmt.Errorf("row %d of %dx%d has %d columns: %q", y, cols, rows, w, row)
		}
	}
	return nil
}

func waitSane(s *screentest.Screen) {
	s.Wait("a whole screen", func(s *screentest.Screen) bool { return sane(s) == nil })
}

// TestTinyTerminal starts too small, grows, and shrinks again.
func TestTinyTerminal(t *testing.T) {
	for _, terminal := range []screentest.Terminal{screentest.Kitty, screentest.Xterm, screentest.Plain} {
		t.Run(fmt.Sprint(terminal), func(t *testing.T) {
			t.Parallel()
			s := newPlace(t).screen(screentest.Options{Cols: 20, Rows: 5, Terminal: terminal}, sampling()...)
			s.WaitText("20x5 is too small")
			w, h := explorer.MinWidth, explorer.MinHeight
			for _, size := range [][2]int{{80, 24}, {200, 60}, {w, h}, {w - 1, h}, {w, h - 1}, {20, 5}, {1, 1}, {120, 34}} {
				if size[0] == 200 && terminal == screentest.Xterm {
					continue // TestLargeXterm
				}
				s.Resize(size[0], size[1])
				switch {
				case size[0] == 1:
				case tooSmall(size[0], size[1]):
					s.WaitText(fmt.Sprintf("%dx%d is too small", size[0], size[1]))
				default:
					s.WaitText("✓ done")
					waitSane(s)
				}
			}
			quit(t, s)
		})
	}
}

// TestLargeXterm has room for a picture of more pixels than xterm draws.
func TestLargeXterm(t *testing.T) {
	s := newPlace(t).open(screentest.Options{Cols: 200, Rows: 60, Terminal: screentest.Xterm})
	m := newModel(t)
	m.same(s, screentest.Xterm, m.to(m.begin(m.settings()), steps))
	quit(t, s)
}

// TestInvalidValues types what does not do: it is said, and nothing changes.
func TestInvalidValues(t *testing.T) {
	p := newPlace(t)
	s := p.open(wide)
	up := screentest.ShiftTab
	for _, c := range []struct{ label, move, typed, why, was string }{
		{"seed", up, "-1", `seed is "-1"`, "42"},
		{"seed", "", "18446744073709551616", `seed is "18446744073709551616"`, "42"},
		{"steps", up, "0", "steps is 0", "6"},
		{"steps", "", "10000", "steps is 10000", "6"},
		{"steps", "", "abc", `steps is "abc"`, "6"},
		{"sigmas", up, "karras", `sigmas is "karras"`, "normal"},
		{"sampler", up, "eulers", `sampler "eulers"`, "ddim"},
		{"eta", up, "2", "eta is 2", "0.00"},
		{"eta", "", "NaN", "eta is NaN", "0.00"},
		{"guidance", up, "NaN", "guidance is NaN", "3.0"},
		{"guidance", "", "", `guidance is ""`, "3.0"},
	} {
		s.Type(c.move)
		s.WaitText("▸ " + c.label)
		s.Type(screentest.Enter)
		s.WaitText("esc leave it")
		s.Type(c.typed + screentest.Backspace + c.typed[max(0, len(c.typed)-1):] + screentest.Enter)
		s.WaitText("✗ " + c.why)
		s.Type(screentest.Escape)
		waitField(s, c.label, c.was)
		s.Wait("the help line again", func(s *screentest.Screen) bool { return !strings.Contains(s.Text(), "esc leave it") })
		if text := s.Text(); strings.Contains(text, "✗") || !strings.Contains(text, fmt.Sprintf("step %d, decoded", steps)) {
			t.Errorf("after esc the screen is\n%s", text)
		}
	}
	quit(t, s)
}

// TestEscapeLeavesField drops what was typed into a prompt.
func TestEscapeLeavesField(t *testing.T) {
	s := newPlace(t).open(narrow)
	s.Type("p and more q?")
	s.WaitText(prompt + " and more q?")
	s.Type(screentest.Escape)
	s.Wait("the old prompt", func(s *screentest.Screen) bool {
		return strings.Contains(s.Text(), prompt) && !strings.Contains(s.Text(), "and more")
	})
	quit(t, s)
}

// TestNewSeed draws another seed and makes its picture.
func TestNewSeed(t *testing.T) {
	m := newModel(t)
	s := newPlace(t).open(wide)
	s.Type("n")
	s.Wait("another seed", func(s *screentest.Screen) bool { return field(s, "seed") != "42" })
	settings := m.settings()
	if _, err := fmt.Sscan(field(s, "seed"), &settings.Seed); err != nil {
		t.Fatal(err)
	}
	atStep(s, steps)
	m.same(s, screentest.Plain, m.to(m.begin(settings), steps))
	quit(t, s)
}

// TestOtherSampler chooses a sampler and noise levels in the pane: the picture is
// theirs, and a step that takes two calls is one press of the key.
func TestOtherSampler(t *testing.T) {
	m := newModel(t)
	s := newPlace(t).open(wide)
	for range 4 {
		s.Type(screentest.Tab)
	}
	s.WaitText("▸ sampler")
	s.Type(screentest.Enter)
	s.WaitText("esc leave it")
	s.Type("heun" + screentest.Enter)
	waitField(s, "sampler", "heun")
	atStep(s, steps)
	s.Type(screentest.Tab + screentest.Up)
	waitField(s, "sigmas", "karras")
	atStep(s, steps)
	settings := m.settings()
	settings.Sampler, settings.Sigmas = "heun", "karras"
	begun := m.begin(settings)
	m.same(s, screentest.Plain, m.to(begun, begun.End()))
	s.Type("R")
	s.WaitText("step 0 of 6")
	s.Type(" ")
	s.WaitText("call 2 of 11")
	s.WaitText("step 1 of 6")
	quit(t, s)
}

// TestSave writes the picture at the cursor with the settings in it, and never
// over another file.
func TestSave(t *testing.T) {
	m := newModel(t)
	p := newPlace(t)
	s := p.open(narrow)
	path := m.to(m.begin(m.settings()), steps).Path()
	s.Type("s")
	s.WaitText("saved ldx-42-step06.png")
	s.Type("s")
	s.WaitText("saved ldx-42-step06-2.png")
	s.Type(screentest.Home)
	s.WaitText("step 0 of 6")
	s.Type("s")
	s.WaitText("saved ldx-42-step00.png")
	quit(t, s)
	p.holds("ldx-42-step00.png", "ldx-42-step06-2.png", "ldx-42-step06.png")
	for file, k := range map[string]int{"ldx-42-step00.png": 0, "ldx-42-step06.png": steps, "ldx-42-step06-2.png": steps} {
		want, err := m.Picture(context.Background(), path[k])
		if err != nil {
			t.Fatal(err)
		}
		samePixels(t, decodePNG(t, p.read(file)), want)
		says(t, parameters(t, p.read(file)), prompt+"\nSteps: 6,", "CFG scale: 3,", "Seed: 42,")
	}
}

// TestSaveFails says why a picture cannot be saved.
func TestSaveFails(t *testing.T) {
	p := newPlace(t)
	s := p.open(narrow)
	p.must(os.RemoveAll(p.dir))
	s.Type("s")
	s.WaitText("✗ cannot write ldx-42-step06.png")
	quit(t, s)
}

var clipboard = regexp.MustCompile(`\x1b\]52;c;([A-Za-z0-9+/=]*)(\a|\x1b\\)`)

// copied is the command on the clipboard, once the key for it is pressed.
func copied(t *testing.T, s *screentest.Screen) string {
	t.Helper()
	s.Type("y")
	var found [][]byte
	s.Wait("the clipboard", func(s *screentest.Screen) bool {
		found = clipboard.FindSubmatch(s.Raw())
		return found != nil
	})
	command, err := base64.StdEncoding.DecodeString(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return string(command)
}

// TestCopiedCommand runs what the copy key puts on the clipboard in a shell: it
// makes the picture that the save key saved.
func TestCopiedCommand(t *testing.T) {
	for name, flags := range map[string][]string{
		"embedded":  {"-p", `it's "red" \ $HOME`, "-n", "blue; echo 🍎", "--eta", "0.5", "--size", "96x128", "--spacing", "trailing"},
		"by name":   {"--model", "named"},
		"by folder": {"--model", "a model's folder"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.model(filepath.Join(p.data, "ldx", "models", "named"))
			p.model(p.path("a model's folder"))
			s := p.open(wide, flags...)
			s.Type("s")
			s.WaitText("saved ldx-42-step06.png")
			command := copied(t, s)
			quit(t, s)
			saved := decodePNG(t, p.read("ldx-42-step06.png"))

			p.dir = t.TempDir() // from anywhere
			p.must(os.Symlink(program, p.path("ldx")))
			shell, err := exec.LookPath("sh")
			p.must(err)
			cmd := p.command()
			cmd.Path, cmd.Args = shell, []string{"sh", "-c", command}
			cmd.Env = append(cmd.Env, "PATH="+p.dir)
			if o := p.wait(cmd); o.status != 0 {
				t.Fatalf("%s\nended with %d: %s", command, o.status, o.stderr)
			}
			samePixels(t, decodePNG(t, p.read("out.png")), saved)
		})
	}
}

// TestRemembered starts twice: the second time on the settings that the first was
// left with.
func TestRemembered(t *testing.T) {
	p := newPlace(t)
	s := p.open(wide)
	s.Type(screentest.Tab + screentest.Tab + screentest.Up + screentest.Up)
	waitField(s, "guidance", "4.0")
	s.Type("p and a pear" + screentest.Enter)
	s.WaitText("step 6, decoded")
	quit(t, s)

	s = p.screen(wide)
	atStep(s, steps)
	s.WaitText(prompt + " and a pear")
	for label, want := range map[string]string{"guidance": "4.0", "steps": "6", "seed": "42"} {
		if got := field(s, label); got != want {
			t.Errorf("%s is %s, want %s", label, got, want)
		}
	}
	quit(t, s)

	p.must(os.WriteFile(filepath.Join(p.state, "ldx", "explorer.json"), []byte(`{"emoji-128":{"st`), 0o644))
	s = p.screen(wide, "--steps", "2") // a damaged file is as good as none
	atStep(s, 2)
	waitField(s, "guidance", "3.0")
	quit(t, s)
}

// scrolled is the text of a sheet from its first line to its last.
func scrolled(s *screentest.Screen) (text string) {
	lines := regexp.MustCompile(`lines (\d+) to (\d+) of (\d+)`)
	for {
		text += s.Text() + "\n"
		at := lines.FindStringSubmatch(s.Text())
		if at == nil || at[2] == at[3] {
			return text
		}
		s.Type(screentest.PageDown)
		s.Wait("the next lines", func(s *screentest.Screen) bool {
			now := lines.FindStringSubmatch(s.Text())
			return now != nil && now[2] != at[2]
		})
	}
}

// TestHelp lists every key at every size.
func TestHelp(t *testing.T) {
	s := newPlace(t).open(wide)
	for _, size := range [][2]int{{120, 34}, {80, 24}, {explorer.MinWidth, explorer.MinHeight}} {
		s.Resize(size[0], size[1])
		waitSane(s)
		s.Type("?")
		s.WaitText("╭─ all keys")
		waitSane(s)
		text := scrolled(s)
		for _, g := range keys.New().Groups() {
			for _, b := range g.Bindings {
				// Where there is no room, a description ends in an ellipsis.
				start := []rune(b.Help().Desc)[:min(10, len([]rune(b.Help().Desc)))]
				if !regexp.MustCompile(` ` + regexp.QuoteMeta(b.Help().Key) + ` +` + regexp.QuoteMeta(string(start))).MatchString(text) {
					t.Errorf("at %v the sheet lacks %q: %s\n%s", size, b.Help().Key, b.Help().Desc, text)
				}
			}
		}
		s.Type(screentest.Escape)
		s.WaitText("✓ done")
	}
	quit(t, s)
}
