package compare

import (
	"testing"

	"ldx/internal/toy"
	"ldx/pipeline"
)

// kept counts the steps that a plan holds.
func kept(p *Plan) (n int) {
	for _, node := range p.nodes {
		if node.step != nil {
			n++
		}
	}
	for _, g := range p.groups {
		if g.held != nil {
			n++
		}
	}
	return n
}

// TestOnlyBranchingStepsAreKept runs two seeds whose runs part at the start and again
// after the fifth step. Between runs only the places where others part are held, and
// nothing in the end.
func TestOnlyBranchingStepsAreKept(t *testing.T) {
	m := (&toy.Toy{}).Model()
	base := m.Settings()
	base.Steps = 10
	var all []pipeline.Settings
	for _, stop := range []float64{0.5, 0.8} {
		for seed := range uint64(2) {
			s := base
			s.Seed, s.Guiding.Interval.Stop = seed, stop
			all = append(all, s)
		}
	}
	p := NewPlan(m.Info(), all)
	most := 0
	err := p.Run(t.Context(), m, []int{0, 1, 2, 3}, func() {}, func(r Result) error {
		if r.Err == nil {
			most = max(most, kept(p))
		}
		return r.Err
	})
	if err != nil {
		t.Fatal(err)
	}
	// A seed's branching point is one step, held for the call that serves both sides.
	if most > 2*2 {
		t.Errorf("%d steps are held between runs, want at most 4", most)
	}
	if n := kept(p); n != 0 {
		t.Errorf("%d steps are held after the last run", n)
	}
}
