package cli

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/adrg/xdg"

	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/tui"
)

// recording is the embedded model with a session of its own.
func recording(t *testing.T, x *explore) (*pipeline.Model, tui.Recorder, *pipeline.Run) {
	t.Helper()
	m := testlib.Model(t)
	x.version, x.runtime = "test", testlib.Runtime(t)
	x.keep(m, testlib.Embedded())
	r, run, err := x.record(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, r, run
}

// bits are a step's latent and predicted original.
func bits(t *testing.T, s *pipeline.Step) (out []uint32) {
	t.Helper()
	held, err := s.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range slices.Concat(held.State.X, held.X0) {
		out = append(out, math.Float32bits(v))
	}
	return out
}

// TestRecordedRunIsGoneOnWith records two steps of the embedded model, opens them with
// the model loaded anew, and goes on: the next step is the same bit for bit, and nothing
// is said to differ.
func TestRecordedRunIsGoneOnWith(t *testing.T) {
	before := xdg.DataHome
	t.Cleanup(func() { xdg.DataHome = before })
	xdg.DataHome = t.TempDir()

	m, r, none := recording(t, &explore{})
	if none != nil {
		t.Error("a new session has a run")
	}
	run := pipeline.NewRun()
	s := m.Settings()
	s.Steps, s.Seed = 4, 42
	step, err := m.Begin(t.Context(), s)
	for range 3 {
		if err != nil {
			t.Fatal(err)
		}
		run.Number(step)
		op := pipeline.Op{Do: pipeline.Take, Step: step, Aim: run.AimOn()}
		if err := r.Append(op); err != nil {
			t.Fatal(err)
		}
		if err := run.Apply(op); err != nil {
			t.Fatal(err)
		}
		r.Queue(op)
		step, err = m.Advance(t.Context(), step)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	found, err := findSession(lastSession)
	if err != nil {
		t.Fatal(err)
	}
	if found.Steps != 3 || filepath.Dir(found.Dir) != sessionsHome() {
		t.Errorf("found %+v, want the session of 3 steps", found)
	}
	if name, err := modelOf(found); err != nil || name != "emoji-128" {
		t.Errorf("its model is %q: %v", name, err)
	}
	m, again, opened := recording(t, &explore{opened: found.Dir})
	defer func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}()
	if opened == nil || opened.Len() != 3 || again.Notice() != "" {
		t.Fatalf("opened %v, notice %q", opened, again.Notice())
	}
	next, err := m.Advance(t.Context(), opened.Tip())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(bits(t, opened.Tip()), bits(t, run.Tip())) || !slices.Equal(bits(t, next), bits(t, step)) {
		t.Error("the opened run goes on with other numbers")
	}
}
