package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/pipeline/session"
)

// leaveSession leaves a session of one step of the toy in the place's list.
func (p *place) leaveSession(name string, change func(*session.Header)) string {
	p.t.Helper()
	m := (&toy.Toy{}).Model()
	h := session.Header{Model: "toy", Where: filepath.Join(p.dir, "gone"), Latent: m.Info().Latent, Created: time.Now()}
	if change != nil {
		change(&h)
	}
	s, err := session.Create(filepath.Join(p.data, "ldx", "sessions", name), h)
	p.must(err)
	step, err := m.Begin(p.t.Context(), m.Settings())
	p.must(err)
	p.must(s.Append(pipeline.Op{Do: pipeline.Take, Step: step}))
	p.must(s.Close())
	return s.Dir()
}

// TestSessionsAreListed lists none, and then those there are, the newest first.
func TestSessionsAreListed(t *testing.T) {
	p := newPlace(t)
	p.run("open", "last").fails(t, 1, "no sessions in", filepath.Join(p.data, "ldx", "sessions"))
	older := p.leaveSession("older", nil)
	p.leaveSession("newer", nil)
	past := time.Now().Add(-time.Hour)
	p.must(os.Chtimes(filepath.Join(older, "session.jsonl"), past, past))
	o := p.run("open")
	newer, after, _ := strings.Cut(o.stdout, "newer")
	if o.status != 0 || !strings.Contains(newer, "NAME") || !strings.Contains(after, "older") || !strings.Contains(after, "toy") {
		t.Errorf("status %d, list %q, want newer before older", o.status, o.stdout)
	}
}

// TestSessionsThatDoNotOpen says in one line why.
func TestSessionsThatDoNotOpen(t *testing.T) {
	p := newPlace(t)
	dir := p.leaveSession("one", nil)
	broken := p.leaveSession("broken", nil)
	p.must(os.WriteFile(filepath.Join(broken, "session.jsonl"), []byte("{\"format\":\"ldx session\",\"version\":7}\n"), 0o644))
	embedded := p.leaveSession("embedded", func(h *session.Header) { h.Model, h.Where = "emoji-128", "" })
	p.must(os.WriteFile(filepath.Join(p.dir, "notes.txt"), nil, 0o644))
	for _, tt := range []struct {
		args   []string
		status int
		parts  []string
	}{
		{[]string{"one"}, 1, []string{`session one is of model "toy"`, filepath.Join(p.dir, "gone"), "--model"}},
		{[]string{dir}, 1, []string{`"toy"`, "--model"}},
		{[]string{dir, "--model", "emoji-128"}, 1, []string{"latents of 4 channels at 1/4"}},
		{[]string{filepath.Join(broken, "session.jsonl")}, 1, []string{"line 1", "of version 7, this ldx reads 1", "a newer ldx opens it"}},
		{[]string{embedded}, 1, []string{"latents of 4 channels at 1/4", "emoji-128 has 4 at 1/8"}},
		{[]string{"nothing"}, 1, []string{`session "nothing"`, "ldx open lists"}},
		{[]string{"./nothing"}, 1, []string{"./nothing does not exist"}},
		{[]string{"notes.txt"}, 1, []string{"notes.txt is no session", "session.jsonl"}},
		{[]string{"a", "b"}, 2, []string{"takes one session", "2 are given"}},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) { p.run(append([]string{"open"}, tt.args...)...).fails(t, tt.status, tt.parts...) })
	}
}
