package scenario

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldx/internal/screentest"
)

// made leaves a session of a run to its end in the place, and returns its folder.
func (p *place) made() string {
	p.t.Helper()
	s := p.open(narrow)
	quit(p.t, s)
	return p.sessionDir()
}

// TestOpenTwice refuses a session that another ldx has open, and leaves that alone.
func TestOpenTwice(t *testing.T) {
	p := newPlace(t)
	s := p.open(wide)
	p.run("open", "last").fails(t, 1, p.sessionDir(), "is open in another ldx (process ", "close it there first")
	p.run("open", p.sessionDir()).fails(t, 1, "is open in another ldx")
	second := p.screen(wide, "open", "last") // on a terminal too, before the screen is taken
	if code := second.Exit(); code != 1 || bytes.Contains(second.Raw(), []byte("\x1b[?1049h")) {
		t.Errorf("exit status %d, want 1 and no alternate screen:\n%s", code, second.Text())
	}
	s.Type(screentest.Left)
	atStep(s, steps-1)
	quit(t, s)
	s = p.screen(wide, "open", "last")
	atStep(s, steps-1)
	quit(t, s)
}

// TestTornSession opens a session whose last lines are cut off, at any byte: what is
// whole is shown, and gone on with.
func TestTornSession(t *testing.T) {
	p := newPlace(t)
	dir := p.made()
	log := filepath.Join(dir, "session.jsonl")
	data, err := os.ReadFile(log)
	p.must(err)
	lines := bytes.SplitAfter(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	whole := bytes.Join(lines[:len(lines)-1], nil)
	last := lines[len(lines)-1]
	for _, n := range []int{0, 1, len(last) / 2, len(last) - 1} {
		p.must(os.WriteFile(log, append(bytes.Clone(whole), last[:n]...), 0o644))
		s := p.screen(wide, "open", dir)
		s.Wait("a kept step", func(s *screentest.Screen) bool { return position(s) >= steps-1 })
		s.Type(screentest.End)
		s.WaitText("decoded")
		quit(t, s)
	}
	half := bytes.Join(lines[:1+steps/2], nil) // the header and some steps
	p.must(os.WriteFile(log, half, 0o644))
	s := p.screen(wide, "open", dir)
	s.WaitText("decoded")
	s.Type("r")
	atStep(s, steps)
	m := newModel(t)
	m.same(s, screentest.Plain, m.to(m.begin(m.settings()), steps))
	quit(t, s)
}

// TestDamagedSession names what is wrong with a session, and where, before a screen
// opens.
func TestDamagedSession(t *testing.T) {
	p := newPlace(t)
	dir := p.made()
	good, err := os.ReadFile(filepath.Join(dir, "session.jsonl"))
	p.must(err)
	header, rest, _ := strings.Cut(string(good), "\n")
	for _, c := range []struct {
		name, log string
		want      []string
	}{
		{"empty", "", []string{"session.jsonl is empty", "never begun"}},
		{"cut in the header", header[:20], []string{"session.jsonl, line 1"}},
		{"no session", "hello\n", []string{"session.jsonl, line 1"}},
		{"another's", `{"format":"x","version":1}` + "\n", []string{"line 1", "not a session of ldx"}},
		{"newer", strings.Replace(lineOf(header), `"version":1`, `"version":2`, 1) + rest, []string{"line 1", "of version 2, this ldx reads 1", "a newer ldx opens it"}},
		{"damaged line", lineOf(header) + "{\"op\":\n" + rest, []string{"session.jsonl, line 2"}},
		{"unknown line", lineOf(header) + `{"op":"explode"}` + "\n" + rest, []string{"line 2", `op is "explode"`, "want one of"}},
		{"outside", lineOf(header) + strings.ReplaceAll(rest, `"0:x"`, `"0:../x"`), []string{"line 2", "is no tensor of a step"}},
		{"missing parent", lineOf(header) + strings.Replace(rest, `"parent":2`, `"parent":77`, 1), []string{"follows step 77", "not above"}},
		{"model that is gone", strings.Replace(lineOf(header), `"model":"emoji-128"`, `"model":"nowhere"`, 1) + rest, []string{`model "nowhere"`, "--model"}},
		{"other latents", strings.Replace(lineOf(header), `"Channels":4`, `"Channels":16`, 1) + rest, []string{"latents of 16 channels"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *p
			p.t = t
			damaged := filepath.Join(p.dir, "damaged")
			p.must(os.CopyFS(damaged, os.DirFS(dir)))
			defer func() { p.must(os.RemoveAll(damaged)) }()
			p.must(os.WriteFile(filepath.Join(damaged, "session.jsonl"), []byte(c.log), 0o644))
			p.run("open", "damaged").fails(t, 1, c.want...)
			p.run("open", "damaged/session.jsonl").fails(t, 1, c.want...)
		})
	}
	p.run("open", "nothing").fails(t, 1, `session "nothing"`, "ldx open lists those")
	p.run("open", p.home).fails(t, 1, "is no session", "session.jsonl")
	p.run("open", "a", "b").fails(t, 2, "one session", "2 are given")
}

// lineOf is the first line of a session with its end.
func lineOf(header string) string { return header + "\n" }

// TestMissingTensors opens a session one of whose files is gone or damaged: the screen
// says so, and all other steps are there.
func TestMissingTensors(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(string) error
		says  string
	}{
		{"gone", os.Remove, "is missing"},
		{"truncated", func(path string) error { return os.Truncate(path, 100) }, "is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			dir := p.made()
			p.must(c.spoil(filepath.Join(dir, "tensors", "000003.safetensors")))
			s := p.screen(wide, "open", dir)
			s.WaitText("✗ step 3: tensors/000003.safetensors " + c.says)
			for k := steps - 1; k >= 0; k-- {
				s.Type(screentest.Left)
				if k == 3 {
					s.WaitText("step 3 of 6")
					continue
				}
				atStep(s, k)
			}
			quit(t, s)
			noPanic(t, p, s)
		})
	}
}

// TestOpenLists lists sessions, the newest first, and none where there are none.
func TestOpenLists(t *testing.T) {
	p := newPlace(t)
	p.run("open", "last").fails(t, 1, "there are no sessions in", p.data)
	dir := p.made()
	o := p.run("open").succeeds(t)
	for _, want := range []string{filepath.Base(dir), "emoji-128", "  7  ", filepath.Join(p.data, "ldx", "sessions")} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("the list lacks %q:\n%s", want, o.stdout)
		}
	}
}
