package samplers_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ldx/samplers"
)

// stepStarts are the calls at which steps begin, and the end.
func stepStarts(p *samplers.Plan) []int {
	var starts []int
	for i := range p.Calls() {
		if i == 0 || p.StepOf(i) != p.StepOf(i-1) {
			starts = append(starts, i)
		}
	}
	return append(starts, p.Calls())
}

// TestFromGoesOnAsBefore lays out a run again from each of its own steps with as many
// steps as are left, and wants what was left.
func TestFromGoesOnAsBefore(t *testing.T) {
	t.Parallel()
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		t.Parallel()
		for _, spacing := range []samplers.Spacing{"", samplers.Leading, samplers.Trailing, samplers.Linspace} {
			for _, sigmas := range []string{"", "karras", "exponential", "lu", "ays", "14,9,5,3,2,1.2,0.8,0.4,0.2,0.1"} {
				r := samplers.Request{Sampler: s.Name, Config: parseConfig(t, stableDiffusion), Steps: 10, Spacing: spacing, Sigmas: sigmas}
				full, err := samplers.NewPlan(r)
				if spacing == samplers.Trailing && (sigmas == "karras" || sigmas == "exponential" || sigmas == "lu") {
					continue // their lowest level goes by the number of steps of a whole run
				}
				if err != nil {
					continue // a spacing or sigmas that the sampler does not have
				}
				goesOnAsBefore(t, r, full)
			}
		}
	})
}

func goesOnAsBefore(t *testing.T, r samplers.Request, full *samplers.Plan) {
	t.Helper()
	starts := stepStarts(full)
	for k, call := range starts[:len(starts)-1] {
		if full.Timestep(call) == 0 || strings.HasSuffix(full.Sampler().Name, "plms") && k > 0 || full.Sampler().Name == "pndm" {
			continue // starts from the noise, or with calls of its own
		}
		r.Steps, r.From = len(starts)-1-k, full.Timestep(call)
		what := fmt.Sprintf("spacing %q, sigmas %q, %d steps from %g", r.Spacing, r.Sigmas, r.Steps, r.From)
		p, err := samplers.NewPlan(r)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if p.Calls() != full.Calls()-call || p.Sigma(p.Calls()) != full.Sigma(full.Calls()) && r.Sampler != "ddim" {
			t.Errorf("%s: %d calls to sigma %g, want %d to %g", what, p.Calls(), p.Sigma(p.Calls()), full.Calls()-call, full.Sigma(full.Calls()))
			continue
		}
		// Whole timesteps are rounded from where the plan starts, and lose what their noise
		// level has beyond; others differ by a rounding.
		near, closeBy := 2.01, 0.1
		if fractional(full) {
			near, closeBy = 2e-3, 2e-4
		}
		for i := range p.Calls() {
			if off := math.Abs(float64(p.Timestep(i) - full.Timestep(call+i))); off > near || i == 0 && off > 0 {
				t.Errorf("%s: call %d at timestep %g, in the whole run %g", what, i, p.Timestep(i), full.Timestep(call+i))
			}
			got, want := float64(p.Sigma(i)), float64(full.Sigma(call+i))
			if math.Abs(got-want) > closeBy*(want+0.05) {
				t.Errorf("%s: call %d at sigma %g, in the whole run %g", what, i, got, want)
			}
		}
	}
}

// fractional says whether a step of a plan begins between two timesteps.
func fractional(p *samplers.Plan) bool {
	for _, i := range stepStarts(p) {
		if i == p.Calls() {
			break
		}
		if t := float64(p.Timestep(i)); t != math.Trunc(t) {
			return true
		}
	}
	return false
}

// gaussian is data of one dimension with a mean and a variance, whose probability flow
// has a solution: at noise level sigma, x is as far from the mean as the root of
// variance + sigma^2 goes.
var gaussian = struct{ mean, variance float64 }{0.7, 0.25}

func gaussianOutput(p *samplers.Plan, s samplers.State) []float32 {
	sigma := float64(p.Sigma(s.Index))
	scale := math.Sqrt(1 + sigma*sigma)
	out := make([]float32, len(s.X))
	for i, v := range p.Latent(s) {
		x := float64(v) * scale
		x0 := (gaussian.variance*x + sigma*sigma*gaussian.mean) / (gaussian.variance + sigma*sigma)
		out[i] = float32((x - x0) / sigma)
	}
	return out
}

// TestFromFollowsTheFlow goes from the middle to the end in fine steps, where the
// solution is known.
func TestFromFollowsTheFlow(t *testing.T) {
	t.Parallel()
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		if s.Stochastic && s.Name != "ldm-ddim" {
			t.Skip("follows no path")
		}
		steps, near := 200, 2e-2
		if s.Name == "tcd" {
			steps, near = 22, 0.1 // all that there are
		}
		for _, from := range []float32{700, 431.75} {
			p := newPlan(t, samplers.Request{Sampler: s.Name, Config: parseConfig(t, stableDiffusion), Steps: steps, From: from})
			start := []float32{-1.1, 0.3, 0.9, 2}
			state := p.Enter(0, start, 1)
			for !p.Done(state) {
				next, _, err := p.Step(state, gaussianOutput(p, state), samplers.Options{})
				if err != nil {
					t.Fatal(err)
				}
				state = next
			}
			first, last := float64(p.Sigma(0)), float64(p.Sigma(p.Calls()))
			shrinks := math.Sqrt((gaussian.variance + last*last) / (gaussian.variance + first*first))
			for i, v := range p.Latent(state) {
				x := float64(start[i]) * math.Sqrt(1+first*first)
				want := (gaussian.mean + (x-gaussian.mean)*shrinks) / math.Sqrt(1+last*last)
				if off := math.Abs(float64(v) - want); !(off < near) {
					t.Errorf("from %g, %g goes to %g, want %g", from, start[i], v, want)
				}
			}
		}
	})
}

// TestEnterIsWhereARunWas enters a plan at each of its steps with the latent of a run
// there, which solvers that remember nothing do not notice.
func TestEnterIsWhereARunWas(t *testing.T) {
	t.Parallel()
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		p := newPlan(t, samplers.Request{Sampler: s.Name, Config: parseConfig(t, stableDiffusion), Steps: 12})
		w := newWalk(t, p, torchNoise(t, 5, small), 0)
		for i, was := range w.states {
			latent := p.Latent(was)
			entered := p.Enter(i, latent, was.Draws)
			if entered.Index != i || entered.Draws != was.Draws || entered.Memory != nil || relative(entered.X, was.X) > 2e-7 {
				t.Errorf("entered at call %d is %+v, want the run's state, %+v", i, entered, was)
			}
			if p.Done(was) || len(was.Memory) > 0 {
				continue
			}
			again, _, err := p.Step(entered, w.outputs[i], w.options)
			if err != nil {
				t.Fatal(err)
			}
			if off := relative(again.X, w.states[i+1].X); off > 3e-7 {
				t.Errorf("from call %d on differs by %g from the run", i, off)
			}
		}
	})
}

func TestCallAt(t *testing.T) {
	t.Parallel()
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		p := newPlan(t, samplers.Request{Sampler: s.Name, Config: parseConfig(t, stableDiffusion), Steps: 9})
		starts := stepStarts(p)
		for _, call := range starts[:len(starts)-1] {
			at := p.Timestep(call)
			for _, off := range []float32{0, 9e-4, -9e-4} {
				if i, ok := p.CallAt(at + off); !ok || i != call {
					t.Errorf("timestep %g is at call %d (%v), want %d", at+off, i, ok, call)
				}
			}
			if i, ok := p.CallAt(at + 0.01); ok {
				t.Errorf("timestep %g is at call %d, want none", at+0.01, i)
			}
		}
	})
	heun := newPlan(t, samplers.Request{Sampler: "dpm2", Config: parseConfig(t, stableDiffusion), Steps: 5})
	if i, ok := heun.CallAt(heun.Timestep(1)); ok {
		t.Errorf("the second call of a step is taken for the start of one, call %d", i)
	}
}

// froms are timesteps to start from at all kinds of places.
var froms = []float32{999, 998.5, 700, 431.75, 81, 24, 7.3, 1, 0.5, 1e-3}

// TestFromAnywhere starts every sampler anywhere with any number of steps.
func TestFromAnywhere(t *testing.T) {
	t.Parallel()
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		t.Parallel()
		noise := torchNoise(t, 3, 16)
		for _, spacing := range []samplers.Spacing{"", samplers.Leading, samplers.Trailing} {
			for _, sigmas := range []string{"", "karras", "beta", "ays", "14,3,1,0.1"} {
				if spacing != "" && sigmas != "" && sigmas != "karras" {
					continue
				}
				for _, from := range froms {
					for n := 1; n <= 30; n++ {
						fromAnywhere(t, samplers.Request{
							Sampler: s.Name, Config: parseConfig(t, stableDiffusion), Steps: n, Spacing: spacing, Sigmas: sigmas, From: from,
						}, noise)
					}
				}
			}
		}
	})
}

func fromAnywhere(t *testing.T, r samplers.Request, noise samplers.Noise) {
	t.Helper()
	p, err := samplers.NewPlan(r)
	if err != nil {
		whole := r
		whole.From, whole.Steps = 0, 8
		if _, other := samplers.NewPlan(whole); other == nil {
			checkRemedy(t, r, err)
		}
		return
	}
	if at := p.Timestep(0); math.Abs(float64(at-r.From)) > 0.5 || fractional(p) && at != r.From {
		t.Errorf("%+v starts at timestep %g", r, at)
	}
	finiteRun(t, p, samplers.Options{Noise: noise})
}

// checkRemedy wants an error that says what would do: a number of steps in it does, or
// sigmas of another kind.
func checkRemedy(t *testing.T, r samplers.Request, refusal error) {
	t.Helper()
	text := refusal.Error()
	if strings.Contains(text, "\n") || !strings.Contains(text, "want") && !strings.Contains(text, "would do") {
		t.Errorf("%+v is refused with %q, want one line that says what would do", r, text)
	}
	if strings.Contains(text, "would do") {
		return
	}
	for _, number := range regexp.MustCompile(`\d+`).FindAllString(text, -1) {
		other := r
		if other.Steps, _ = strconv.Atoi(number); other.Steps == r.Steps {
			continue
		}
		if _, err := samplers.NewPlan(other); err == nil {
			return
		}
	}
	t.Errorf("%+v is refused with %q: no number of steps in it does", r, text)
}

func TestFromRefuses(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]samplers.Request{
		"from timestep -1, want 0 (from the noise) to 999":  {Sampler: "ddim", Steps: 5, From: -1},
		"from timestep 1000, want 0":                        {Sampler: "euler", Steps: 5, From: 1000},
		"from timestep NaN, want 0":                         {Sampler: "lcm", Steps: 4, From: float32(math.NaN())},
		"more than leading spacing has timesteps from 4":    {Sampler: "ddim", Steps: 7, From: 4},
		"want 1 to 2: so many of the timesteps":             {Sampler: "lcm", Steps: 4, From: 30},
		"Align Your Steps has no noise level below":         {Sampler: "euler", Steps: 4, From: 20, Sigmas: "ays"},
		`timestep spacing "dense" is unknown`:               {Sampler: "euler", Steps: 4, From: 20, Spacing: "dense"},
		`timestep spacing "ldm" is not one of the DPM`:      {Sampler: "deis", Steps: 4, From: 20, Spacing: samplers.LDM},
		"steps is 3, want at least 4: pndm":                 {Sampler: "pndm", Steps: 3, From: 500},
		"timesteps go from 500 to 600, want a falling list": {Sampler: "ddpm", From: 300, Timesteps: []int{500, 600}},
	} {
		if _, err := samplers.NewPlan(r); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error is %v, want one line with %q", r, err, want)
		}
	}
	clipped := samplers.Request{Sampler: "dpm++2m", Config: with(t, samplers.Config{}, "lambda_min_clipped", -2), Steps: 5, From: 990}
	if _, err := samplers.NewPlan(clipped); err == nil || !strings.Contains(err.Error(), "lambda_min_clipped -2 leaves none above") {
		t.Errorf("from beyond lambda_min_clipped: error is %v", err)
	}
}

// TestFromTakesWhatIsBelow of lists.
func TestFromTakesWhatIsBelow(t *testing.T) {
	t.Parallel()
	p := newPlan(t, samplers.Request{Sampler: "ddpm", Timesteps: []int{900, 600, 400, 100}, From: 499.6})
	if p.Calls() != 3 || p.Timestep(0) != 500 || p.Timestep(1) != 400 || p.Timestep(2) != 100 {
		t.Errorf("%d calls from timestep %g, want 500, 400 and 100", p.Calls(), p.Timestep(0))
	}
	for _, name := range []string{"euler", "dpm++2m", "dpm++2s"} {
		p = newPlan(t, samplers.Request{Sampler: name, Config: parseConfig(t, stableDiffusion), Sigmas: "10,5,1,0.5", From: 500})
		if p.Calls() != 3 || p.Timestep(0) != 500 || p.Sigma(1) != 1 || p.Sigma(2) != 0.5 || p.Sigma(3) != 0 {
			t.Errorf("%s: %d calls, sigmas %g, %g and %g, want that of timestep 500, 1 and 0.5", name, p.Calls(), p.Sigma(0), p.Sigma(1), p.Sigma(2))
		}
	}
}

// FuzzFrom starts plans anywhere, in any way.
func FuzzFrom(f *testing.F) {
	for j := range requestable() {
		f.Add(byte(j), byte(3*j+1), froms[j%len(froms)], byte(j), byte(j/2))
	}
	noise := torchNoise(f, 1, 16)
	f.Fuzz(func(t *testing.T, sampler, steps byte, from float32, sigmas, spacing byte) {
		r := samplers.Request{
			Sampler: pick(sampler, requestable()), Config: parseConfig(t, stableDiffusion), Steps: int(steps), From: from,
			Sigmas:  pick(sigmas, append(samplers.SigmaSchedules(), "", "9,1,0.2")),
			Spacing: pick(spacing, append(samplers.Spacings(), "", "dense")),
		}
		tryPlan(t, r, samplers.Options{Eta: 1, Noise: noise})
	})
}
