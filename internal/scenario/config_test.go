package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldx/internal/screentest"
)

// TestConfigIsReadBeforeTheScreenOpens starts the explorer without a terminal: with a
// bad file that is what is said, with a good one the missing terminal.
func TestConfigIsReadBeforeTheScreenOpens(t *testing.T) {
	p := newPlace(t)
	path := filepath.Join(p.home, "config", "ldx", "config.json")
	doctor := func(want string) {
		t.Helper()
		if o := p.run("doctor"); o.status != 0 || !strings.Contains(o.stdout, "config    "+want) {
			t.Errorf("status %d, want 0 and %q in\n%s%s", o.status, want, o.stdout, o.stderr)
		}
	}
	doctor("none at " + path)
	p.must(os.MkdirAll(filepath.Dir(path), 0o755))
	for text, want := range map[string]string{
		`{"keys": {"run.step": ["r"]}}`:  `config ` + path + `: keys: "r" is bound to run.step and run.run`,
		`{"keys": {"run.stop": ["f2"]}}`: `there is no action "run.stop"`,
		`{"look": 1}`:                    `there is no entry "look"`,
	} {
		p.must(os.WriteFile(path, []byte(text), 0o600))
		o := p.run()
		if o.status != 2 || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%s: status %d, want 2 and one line with %q:\n%s", text, o.status, want, o.stderr)
		}
		if o := p.run("models"); o.status != 0 {
			t.Errorf("%s: models needs the file: %s", text, o.stderr)
		}
	}
	p.must(os.WriteFile(path, []byte(`{"look": 1}`), 0o600))
	doctor(path + ": there is no entry")
	p.must(os.WriteFile(path, []byte(`{"keys": {"run.step": ["f2"]}}`), 0o600))
	if o := p.run(); o.status != 1 || !strings.Contains(o.stderr, "needs a terminal") {
		t.Errorf("status %d, want 1 for want of a terminal:\n%s", o.status, o.stderr)
	}
	doctor(path + ", read")
}

// TestPaletteAndOtherKeys opens the list of models with the key that the file gives it,
// and by its name.
func TestPaletteAndOtherKeys(t *testing.T) {
	p := newPlace(t)
	folder := filepath.Join(p.home, "config", "ldx")
	p.must(os.MkdirAll(folder, 0o755))
	p.must(os.WriteFile(filepath.Join(folder, "config.json"), []byte(`{"keys": {"show.models": ["f2"]}, "theme": "light"}`), 0o600))
	s := p.open(wide)
	s.Type("\x1bOQ")
	s.WaitText("╭─ models")
	s.Type(screentest.Escape)
	s.WaitText("✓ done")
	s.Type("\x0b")
	s.WaitText("╭─ all actions")
	s.Type("show.models")
	s.WaitText("▸ models  show.models")
	waitSane(s)
	s.Type(screentest.Enter)
	s.WaitText("╭─ models")
	s.Type(screentest.Escape)
	s.WaitText("✓ done")
	quit(t, s)
}
