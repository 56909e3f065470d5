package compare_test

import (
	"slices"
	"testing"

	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/pipeline/compare"
)

// TestModelCellsAreSingleRuns runs the embedded model under settings that share calls
// across samplers and guidances. All cells have the bits of runs of their own, also those
// without guidance, which take the first of two outputs made together.
func TestModelCellsAreSingleRuns(t *testing.T) {
	m := testlib.Model(t)
	base := m.Settings()
	base.Prompt, base.Seed, base.Steps = "a red apple", 42, 4
	var all []pipeline.Settings
	for _, guidance := range []float64{1, 3, 7} {
		for _, sampler := range []string{"ddim", "euler", "heun"} {
			s := base
			s.Guidance, s.Sampler = guidance, sampler
			all = append(all, s)
		}
	}
	p := compare.NewPlan(m.Info(), all)
	calls := 0
	err := p.Run(t.Context(), m, inOrder(len(all)), func() { calls++ }, func(r compare.Result) error {
		if r.Err != nil {
			return r.Err
		}
		at, err := m.Begin(t.Context(), all[r.Run])
		for err == nil && !at.Done() {
			at, err = m.Advance(t.Context(), at)
		}
		if err != nil {
			return err
		}
		if !slices.Equal(bits(t, at), bits(t, r.End)) {
			t.Errorf("%s with guidance %g differs from a run of its own", all[r.Run].Sampler, all[r.Run].Guidance)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls != p.Calls() || calls >= p.Single() {
		t.Errorf("%d calls are made, %d planned, %d by single runs", calls, p.Calls(), p.Single())
	}
}
