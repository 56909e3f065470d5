//go:build unix

package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ldx/internal/screentest"
)

// slowModel installs a model that takes for ever to load: one of its files is a
// pipe that nobody writes to.
func (p *place) slowModel(name string) {
	p.t.Helper()
	dir := filepath.Join(p.data, "ldx", "models", name)
	p.model(dir)
	file := filepath.Join(dir, "tokenizer", "vocab.json")
	p.must(os.Remove(file))
	p.must(syscall.Mkfifo(file, 0o644))
}

// TestCancelLoading gives a model up that does not come.
func TestCancelLoading(t *testing.T) {
	p := newPlace(t)
	p.slowModel("slow")
	s := p.open(wide)
	pick(s, "slow")
	header(s, "loading slow")
	s.Type(screentest.Home) // the model that there is still works
	atStep(s, 0)
	s.Type(screentest.Escape)
	s.Wait("no loading", func(s *screentest.Screen) bool { return !strings.Contains(s.Row(0), "loading") })
	header(s, "ldx  emoji-128")
	pick(s, "slow")
	header(s, "loading slow")
	quit(t, s) // in the middle of loading
	noPanic(t, p, s)
}

// TestCancelFirstLoading gives up the first model there is and picks another.
func TestCancelFirstLoading(t *testing.T) {
	p := newPlace(t)
	p.slowModel("slow")
	s := p.screen(wide, sampling("--model", "slow")...)
	s.WaitText("loading slow")
	s.WaitText("esc cancels")
	s.Type(screentest.Escape)
	s.WaitText("no model: m picks one")
	s.Type("m")
	s.WaitText("▸ emoji-128")
	s.Type(screentest.Enter)
	atStep(s, steps)
	quit(t, s)
	noPanic(t, p, s)
}

// TestInterruptedLoading ends a run without a screen before its first step.
func TestInterruptedLoading(t *testing.T) {
	p := newPlace(t)
	p.slowModel("slow")
	s := p.screen(narrow, "run", "--model", "slow", "-o", "a.png")
	pipe, err := os.OpenFile(filepath.Join(p.data, "ldx", "models", "slow", "tokenizer", "vocab.json"), os.O_WRONLY, 0)
	p.must(err) // it opened once the program did
	s.Signal(syscall.SIGINT)
	if code := s.Exit(); code != interrupted || !strings.Contains(s.Text(), "ldx: interrupted") {
		t.Errorf("exit status %d, want %d: %s", code, interrupted, s.Text())
	}
	p.must(pipe.Close())
	p.holds()
}
