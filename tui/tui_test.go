package tui

import (
	"context"
	"errors"
	"flag"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/internal/export"
	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/tui/termimg"
	"ldx/tui/theme"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// app is the root model driven by hand, without a terminal.
type app struct {
	*root
	t     *testing.T
	works *toy.Toy
}

func newApp(t *testing.T, w, h int, load func(name string) error) *app {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	images := termimg.New(null, termimg.Options{Protocol: termimg.Off, Notify: func() {}})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(images.Close(), null.Close()); err != nil {
			t.Error(err)
		}
	})
	a := &app{t: t, works: &toy.Toy{}}
	a.root = newRoot(ctx, Options{
		Model: "toy",
		Load: func(_ context.Context, name string, progress func(Progress)) (*pipeline.Model, pipeline.Settings, error) {
			progress(Progress{What: "loading " + name, Done: 1, Total: 2})
			if err := load(name); err != nil {
				return nil, pipeline.Settings{}, err
			}
			m := a.works.Model()
			s := m.Settings()
			s.Seed = 7
			return m, s, nil
		},
		Models: func() ([]Choice, error) { return []Choice{{"toy", "16x16"}, {"other", "16x16"}}, nil },
		Save:   func(*pipeline.Model, *pipeline.Step, *image.RGBA) (string, error) { return "ldx.png", nil },
		Command: func(_ *pipeline.Model, path []*pipeline.Step) (command, but string) {
			return export.PathCommand("", path)
		},
		Remember: func(*pipeline.Model, pipeline.Settings) error { return nil },
	}, images)
	a.send(tea.WindowSizeMsg{Width: w, Height: h})
	a.settle(a.load(a.options.Model))
	return a
}

func works(string) error { return nil }

// send passes a message to Update and carries out what follows.
func (a *app) send(msg tea.Msg) {
	_, cmd := a.Update(msg)
	a.settle(cmd)
}

func (a *app) settle(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			a.settle(c)
		}
	default:
		a.send(msg)
	}
}

func (a *app) press(keys ...tea.Key) {
	for _, k := range keys {
		a.send(tea.KeyPressMsg(k))
	}
}

func char(c rune) tea.Key { return tea.Key{Code: c, Text: string(c)} }

// times differ from run to run.
var times = regexp.MustCompile(`(unet|vae) \d+`)

func (a *app) screen() string {
	text := times.ReplaceAllString(ansi.Strip(a.content()), "$1 0")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func (a *app) golden(name string) {
	a.t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got := a.screen()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		a.t.Fatal(err)
	}
	if got != string(want) {
		a.t.Errorf("%s is\n%s\nwant (go test -update writes it anew)\n%s", name, got, want)
	}
}

func TestGoldenScreens(t *testing.T) {
	small := newApp(t, 80, 24, works)
	small.golden("explorer-80x24")
	small.press(char('?'))
	small.golden("help-80x24")
	wide := newApp(t, 120, 34, works)
	wide.press(tea.Key{Code: tea.KeyHome}, tea.Key{Code: tea.KeyRight}, char('p'), char('!'))
	wide.golden("editing-120x34")
	wide.press(tea.Key{Code: tea.KeyEscape}, char('m'))
	wide.golden("models-120x34")
	wide.press(tea.Key{Code: tea.KeyEscape}, char('?'))
	wide.golden("help-120x34")
	newApp(t, 20, 5, works).golden("tiny-20x5")
	newApp(t, 80, 24, func(string) error { return errors.New("model toy has no unet/model.onnx") }).golden("failed-80x24")
}

// TestHelpListsEveryKey reads the sheet as a person would, to its end.
func TestHelpListsEveryKey(t *testing.T) {
	for _, size := range [][2]int{{64, 23}, {80, 24}, {120, 34}, {200, 60}} {
		a := newApp(t, size[0], size[1], works)
		a.press(char('?'))
		text := ""
		for page := ""; page != a.screen(); a.press(tea.Key{Code: tea.KeyPgDown}) {
			page = a.screen()
			text += page
		}
		for _, g := range a.keys.Groups() {
			for _, b := range g.Bindings {
				if !regexp.MustCompile(regexp.QuoteMeta(b.Help().Key) + " +" + regexp.QuoteMeta(b.Help().Desc)).MatchString(text) {
					t.Errorf("%dx%d: %q (%s) is not on the sheet", size[0], size[1], b.Help().Key, b.Help().Desc)
				}
			}
		}
		if a.press(char('z')); a.popup != nil {
			t.Errorf("%dx%d: a key does not close the sheet", size[0], size[1])
		}
	}
}

func TestHelpLineKeepsTheWayOut(t *testing.T) {
	for w := 64; w < 200; w++ {
		a := newApp(t, w, 24, works)
		line := ansi.Strip(a.helpLine())
		if !strings.Contains(line, "? all keys · q quit") || ansi.StringWidth(line) != w {
			t.Fatalf("width %d: %q", w, line)
		}
	}
}

func TestPickerLoadsAnotherModel(t *testing.T) {
	var loaded []string
	a := newApp(t, 80, 24, func(name string) error { loaded = append(loaded, name); return nil })
	a.press(char('m'), tea.Key{Code: tea.KeyDown}, tea.Key{Code: tea.KeyEnter})
	if strings.Join(loaded, " ") != "toy other" {
		t.Errorf("loaded %v, want toy, then other", loaded)
	}
	if a.popup != nil {
		t.Error("the picker stayed open")
	}
}

func TestFailedLoadKeepsTheOldModel(t *testing.T) {
	a := newApp(t, 80, 24, func(name string) error {
		if name == "other" {
			return errors.New("other is broken")
		}
		return nil
	})
	a.press(char('m'), tea.Key{Code: tea.KeyDown}, tea.Key{Code: tea.KeyEnter})
	if !strings.Contains(a.screen(), "other is broken") || a.explorer.Loaded() == nil {
		t.Errorf("the failure is not shown, or the model is gone:\n%s", a.screen())
	}
	a.press(char(' '))
	if strings.Contains(a.screen(), "other is broken") {
		t.Error("the message stays after a key")
	}
}

func TestMouseScrubsAndSlides(t *testing.T) {
	a := newApp(t, 120, 34, works)
	find := func(text string) (x, y int) {
		for y, line := range strings.Split(a.screen(), "\n") {
			if i := strings.Index(line, text); i >= 0 {
				return ansi.StringWidth(line[:i]), y
			}
		}
		t.Fatalf("%q is not on the screen:\n%s", text, a.screen())
		return 0, 0
	}
	_, y := find("▣")
	a.send(tea.MouseClickMsg{X: 2, Y: y, Button: tea.MouseLeft})
	if !strings.Contains(a.screen(), "step 0 of 20") {
		t.Error("a click on the left end of the timeline does not go to step 0")
	}
	x, y := find("eta")
	slider := strings.IndexRune(strings.Split(a.screen(), "\n")[y][0:], '●')
	at := ansi.StringWidth(strings.Split(a.screen(), "\n")[y][:slider])
	a.send(tea.MouseClickMsg{X: at + 100, Y: y, Button: tea.MouseLeft}) // beyond the screen: nothing
	a.send(tea.MouseClickMsg{X: at + 9, Y: y, Button: tea.MouseLeft})
	if eta := a.explorer.Settings().Eta; eta <= 0 || eta > 1 || x == 0 {
		t.Errorf("eta is %g after a click on its slider, want more than 0", eta)
	}
}

func TestQuitKeyIsTextWhileEditing(t *testing.T) {
	a := newApp(t, 80, 24, works)
	a.press(char('p'), char('q'), tea.Key{Code: tea.KeyEnter})
	if got := a.explorer.Settings().Prompt; got != "a toyq" {
		t.Errorf("prompt is %q, want q as text", got)
	}
	if !key.Matches(tea.KeyPressMsg(char('q')), a.keys.Show.Quit) {
		t.Error("q does not quit elsewhere")
	}
}

// TestThemeIsAskedForOrGiven answers that the background is black, or white.
func TestThemeIsAskedForOrGiven(t *testing.T) {
	for choice, want := range map[theme.Choice][2]bool{theme.Auto: {true, false}, theme.Light: {false, false}, theme.Dark: {true, true}} {
		a := newApp(t, 80, 24, works)
		options := a.options
		options.Theme = choice
		r := newRoot(a.ctx, options, a.images)
		for i, background := range []color.Color{color.Black, color.White} {
			r.Update(tea.BackgroundColorMsg{Color: background})
			if r.theme.Dark != want[i] {
				t.Errorf("theme %q on %v: dark is %t, want %t", choice, background, r.theme.Dark, want[i])
			}
		}
	}
}
