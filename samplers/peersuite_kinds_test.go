package samplers_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ldx/samplers"
)

// The checks of peer_suite.json that are not one whole loop.

func peerTimesteps(t *testing.T, e peerEntry) {
	checkTimesteps(t, newPlan(t, e.request(t)), e.ExpectedTimesteps)
}

func peerCount(t *testing.T, e peerEntry) {
	p := newPlan(t, e.request(t))
	if p.Calls() != e.ExpectedCount {
		t.Errorf("%d timesteps, want %d", p.Calls(), e.ExpectedCount)
	}
	e.Start.Sample = "det4d"
	noise := e.noise(t)
	if end := e.run(t, p, e.begin(p, noise), noise); !finite(end.X) {
		t.Error("the run is not finite")
	}
}

// combinations are the requests of a grid.
func (e peerEntry) combinations(t *testing.T) map[string]samplers.Request {
	t.Helper()
	all := map[string]samplers.Request{"": e.request(t)}
	for _, key := range slices.Sorted(maps.Keys(e.Grid)) {
		more := map[string]samplers.Request{}
		for name, r := range all {
			for _, value := range e.Grid[key] {
				one := r
				one.Config = with(t, r.Config, key, value)
				more[fmt.Sprintf("%s %s=%v", name, key, value)] = one
			}
		}
		all = more
	}
	if strings.Contains(e.NotRun, "sde-") {
		maps.DeleteFunc(all, func(name string, _ samplers.Request) bool {
			return strings.Contains(name, "sde-") && strings.Contains(name, "solver_order=3")
		})
	}
	return all
}

func peerNoNaN(t *testing.T, e peerEntry) {
	e.Start.Sample = e.Sample
	for name, r := range e.combinations(t) {
		p, noise := newPlan(t, r), e.noise(t)
		if end := e.run(t, p, e.begin(p, noise), noise); !finite(end.X) {
			t.Errorf("not finite with%s", name)
		}
	}
}

// peerSigmas is about sigmas of flow matching, sigma/(1+sigma) on the scale of a Plan,
// at which the timesteps are in proportion. Flow matching itself is refused.
func peerSigmas(t *testing.T, e peerEntry) {
	r := e.request(t)
	if _, err := samplers.NewPlan(r); err == nil || !strings.Contains(err.Error(), "use_flow_sigmas is true") {
		t.Errorf("flow matching: error is %v", err)
	}
	r.Config = with(t, r.Config, "use_flow_sigmas", false)
	p := newPlan(t, r)
	near := func(got, want float64) bool {
		return math.Abs(got-want) <= e.Tolerance.Absolute+e.Tolerance.Relative*math.Abs(want)
	}
	for i, want := range e.ExpectedSigmas {
		sigma := float64(p.Sigma(i))
		flow := sigma / (1 + sigma)
		if !near(flow, want) {
			t.Errorf("sigma %d is %g, want %g", i, flow, want)
		}
		if i < len(e.ExpectedTimesteps) && math.Trunc(1000*flow) != e.ExpectedTimesteps[i] {
			t.Errorf("timestep %d is %g, want %g", i, math.Trunc(1000*flow), e.ExpectedTimesteps[i])
		}
	}
	if p.Calls() != len(e.ExpectedTimesteps) {
		t.Errorf("%d calls, want %d", p.Calls(), len(e.ExpectedTimesteps))
	}
}

// equalLoops hands a plan's schedule to another: the noise levels to the plan, the
// timesteps to the model, as they do not go together if interpolation_type is log_linear.
func equalLoops(t *testing.T, e peerEntry) {
	e.Start.Sample, e.Loop = "det4d", "scale_in_place"
	if strings.HasPrefix(e.Scheduler, "DPM") {
		e.Loop = "plain"
	}
	for name, r := range e.combinations(t) {
		p, noise := newPlan(t, r), e.noise(t)
		r.Sigmas = levels(p)
		handed, end := newPlan(t, r), p.Calls()
		if handed.Sigma(end) != p.Sigma(end) {
			end-- // a list ends on 0, whatever final_sigmas_type is
		}
		want := e.runTo(t, p, end, e.begin(p, noise), p, noise)
		got := e.runTo(t, handed, end, e.begin(handed, noise), p, noise)
		sum := 0.0
		for i, v := range got.X {
			sum += math.Abs(float64(v) - float64(want.X[i]))
		}
		if !(sum <= e.Tolerance.SumDiff) {
			t.Errorf("%s: the loops differ by %g, want at most %g", name, sum, e.Tolerance.SumDiff)
		}
		if handed.Calls() != p.Calls() {
			t.Errorf("%s: %d calls, want %d", name, handed.Calls(), p.Calls())
		}
	}
}

// levels writes a plan's noise level at each step as a request takes them.
func levels(p *samplers.Plan) string {
	var list []string
	for i := range p.Calls() {
		if i == 0 || p.StepOf(i) != p.StepOf(i-1) {
			list = append(list, strconv.FormatFloat(float64(p.Sigma(i)), 'g', -1, 32))
		}
	}
	return strings.Join(list, ",")
}

// given is the request for the timesteps of the entry.
func (e peerEntry) given(t *testing.T) samplers.Request {
	t.Helper()
	r := e.request(t)
	r.Steps = 0
	if e.SetTimesteps != nil { // else the scheduler is used without set_timesteps
		r.Steps, r.Timesteps = e.SetTimesteps.Steps, e.SetTimesteps.Timesteps
	}
	return r
}

// peerPrevious wants a plan over the timesteps given, each step going to the next of
// them and the last, which diffusers says goes to -1, to the end.
func peerPrevious(t *testing.T, e peerEntry) {
	p := newPlan(t, e.given(t))
	var got []int
	for i := 1; i < p.Calls(); i++ {
		got = append(got, int(p.Timestep(i)))
	}
	if got = append(got, -1); !slices.Equal(got, e.ExpectedPrevious) {
		t.Errorf("previous timesteps %v, want %v", got, e.ExpectedPrevious)
	}
	e.Start.Sample, e.StepKw.Eta = "det4d", 0
	noise := e.noise(t)
	if end := e.run(t, p, e.begin(p, noise), noise); !finite(end.X) {
		t.Error("the run is not finite")
	}
}

func peerError(t *testing.T, e peerEntry) {
	want := map[string]string{
		"test_custom_timesteps_increasing_order":                               "want a falling list",
		"test_custom_timesteps_passing_both_num_inference_steps_and_timesteps": "want one of the two",
		"test_custom_timesteps_too_large":                                      "want 0 to 999",
		"test_inference_plms_no_past_residuals":                                "steps is 0",
	}[e.Test]
	if _, err := samplers.NewPlan(e.given(t)); want == "" || err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want one with %q", err, want)
	}
}
