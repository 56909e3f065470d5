package samplers

import (
	"math"
	"slices"
	"strings"
	"testing"
)

const (
	multi  = "DPMSolverMultistepScheduler"
	single = "DPMSolverSinglestepScheduler"
	uni    = "UniPCMultistepScheduler"
	logRho = "DEISMultistepScheduler"
)

// dpmPlan is a plan of a sampler or class on a config.
func dpmPlan(t *testing.T, sampler, config string, steps int) *Plan {
	t.Helper()
	p, err := dpmTry(t, Request{Sampler: sampler, Steps: steps}, config)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func dpmTry(t *testing.T, r Request, config string) (*Plan, error) {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	r.Config = c
	return NewPlan(r)
}

func TestTrap07DPMLeavesOnePointOut(t *testing.T) {
	for _, class := range []string{multi, uni, logRho} {
		for spacing, want := range map[string][]float32{
			"leading":  {941, 894, 847},
			"linspace": {999, 949, 899},
			"trailing": {999, 949, 899},
		} {
			p := dpmPlan(t, class, `{"steps_offset":1,"timestep_spacing":"`+spacing+`"}`, 20)
			if got := p.timesteps[:3]; !slices.Equal(got, want) {
				t.Errorf("%s, %s: timesteps %v ..., want %v", class, spacing, got, want)
			}
			if last := p.Timestep(19); last != map[string]float32{"leading": 48, "linspace": 50, "trailing": 49}[spacing] {
				t.Errorf("%s, %s: the last timestep is %g", class, spacing, last)
			}
		}
	}
}

func TestTrap08SinglestepIsAlwaysLinspace(t *testing.T) {
	for _, spacing := range []string{"leading", "trailing", "ldm"} {
		p := dpmPlan(t, single, `{"steps_offset":1,"timestep_spacing":"`+spacing+`"}`, 20)
		if p.Timestep(0) != 999 || p.Timestep(19) != 50 {
			t.Errorf("%s: timesteps %v, want those of linspace", spacing, p.timesteps)
		}
	}
}

func TestTrap09DPMTrailingHasNoStepAtMinusOne(t *testing.T) {
	for _, n := range []int{61, 103, 121} {
		p := dpmPlan(t, multi, `{"timestep_spacing":"trailing"}`, n)
		if p.Calls() != n || p.Timestep(n-1) < 0 {
			t.Errorf("%d steps: %d calls down to timestep %g", n, p.Calls(), p.Timestep(n-1))
		}
	}
}

func TestTrap12DPMRoundsOnlyKarras(t *testing.T) {
	rounded := []float32{999, 999, 999, 998, 998, 995, 983, 895, 259, 0}
	cut := []float32{998, 998, 998, 998, 997, 995, 983, 894, 259, 0}
	for class, want := range map[string][]float32{multi: cut, single: rounded, uni: rounded, logRho: rounded} {
		p := dpmPlan(t, class, `{"beta_schedule":"squaredcos_cap_v2","use_karras_sigmas":true}`, 10)
		if !slices.Equal(p.timesteps, want) {
			t.Errorf("%s: cosine timesteps %v, want %v", class, p.timesteps, want)
		}
		betas := `{"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,`
		p = dpmPlan(t, class, betas+`"use_karras_sigmas":true}`, 10)
		if want := []float32{999, 916, 815, 687, 523, 327, 146, 41, 7, 0}; !slices.Equal(p.timesteps, want) {
			t.Errorf("%s: Karras timesteps %v, want %v", class, p.timesteps, want)
		}
		p = dpmPlan(t, class, betas+`"use_exponential_sigmas":true}`, 10)
		if want := []float32{998, 874, 723, 538, 329, 152, 52, 14, 2, 0}; !slices.Equal(p.timesteps, want) {
			t.Errorf("%s: exponential timesteps %v, want %v", class, p.timesteps, want)
		}
	}
}

func TestTrap13StepsGoByIndex(t *testing.T) {
	p := dpmPlan(t, uni, stableDiffusion[:len(stableDiffusion)-1]+`,"use_beta_sigmas":true}`, 50)
	if p.Timestep(0) != 998 || p.Timestep(1) != 998 {
		t.Fatalf("timesteps %v, want 998 twice", p.timesteps[:2])
	}
	at := func(i int) []float32 {
		s := State{Index: i, X: dpmStart, Draws: 1}
		next, _, err := p.Step(s, dpmStart, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return next.X
	}
	if slices.Equal(at(0), at(1)) {
		t.Error("two calls at one timestep take the same step, want one by the noise level of each")
	}
}

func TestTrap17SDEDrawsAtTheLastStepToo(t *testing.T) {
	for _, sampler := range []string{"dpm++2m-sde", "dpm++3m-sde"} {
		p := dpmPlan(t, sampler, stableDiffusion, 6)
		s := dpmRun(t, p, State{X: dpmStart, Draws: 1})
		if s.Draws != 7 {
			t.Errorf("%s: %d draws, want the start's and 6", sampler, s.Draws)
		}
		last := State{Index: 5, X: dpmStart, Draws: 6}
		a, _, _ := p.Step(last, dpmStart, Options{Noise: steppedNoise{4}})
		b, _, _ := p.Step(last, dpmStart, Options{Noise: constantNoise{100, 100, 100, 100}})
		if !slices.Equal(a.X, b.X) {
			t.Errorf("%s: the last draw changes the result to %v from %v", sampler, b.X, a.X)
		}
	}
}

func TestTrap18ZeroSNRIsBoundedOrIgnored(t *testing.T) {
	config := `{"prediction_type":"v_prediction","timestep_spacing":"trailing","rescale_betas_zero_snr":true}`
	for class, want := range map[string]float32{multi: 4096, uni: 4096, single: 157.40727, logRho: 157.40727} {
		if got := dpmPlan(t, class, config, 10).Sigma(0); math.Abs(float64(got/want-1)) > 1e-6 {
			t.Errorf("%s: the first noise level is %g, want %g", class, got, want)
		}
	}
	// The bound is below the entry before it with these betas, and still the last timestep's.
	p := dpmPlan(t, multi, `{"beta_schedule":"scaled_linear","beta_start":0.0015,"beta_end":0.0195,"rescale_betas_zero_snr":true,"use_lu_lambdas":true}`, 15)
	if p.Timestep(0) != 999 {
		t.Errorf("the highest noise level is timestep %g, want 999", p.Timestep(0))
	}
}

func TestTrap20UniPCOnNoiseLevelZero(t *testing.T) {
	for config, want := range map[string]string{
		`{"solver_type":"bh1"}`:       "want sigma_min, or solver_type bh2",
		`{"predict_x0":false}`:        "want sigma_min, or predict_x0 true",
		`{"lower_order_final":false}`: "needs lower_order_final true",
	} {
		if _, err := dpmTry(t, Request{Sampler: uni, Steps: 8}, config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want one with %q", config, err, want)
		}
		p := dpmPlan(t, uni, `{"final_sigmas_type":"sigma_min",`+config[1:], 8)
		if s := dpmRun(t, p, State{X: dpmStart, Draws: 1}); !dpmFinite(s.X) {
			t.Errorf("%s with sigma_min ends on %v", config, s.X)
		}
	}
	// A run of one step is of first order anyway.
	dpmPlan(t, uni, `{"lower_order_final":false}`, 1)
}

func TestTrap20LongRunsKeepTheirOrder(t *testing.T) {
	for class, config := range map[string]string{
		multi:  `{"solver_order":3,"final_sigmas_type":"sigma_min"}`,
		logRho: `{"solver_order":3}`,
	} {
		for n, want := range map[int][]int{14: {3, 2, 1}, 15: {3, 3, 3}} {
			if got := dpmOrders(dpmPlan(t, class, config, n))[n-3:]; !slices.Equal(got, want) {
				t.Errorf("%s, %d steps: orders end in %v, want %v", class, n, got, want)
			}
		}
	}
}

// dpmOrders are the orders at each call.
func dpmOrders(p *Plan) []int {
	switch s := p.solver.(type) {
	case *dpmMultiSolver:
		return s.orders
	case *dpmSingleSolver:
		return s.orders
	case *uniPCSolver:
		return s.orders
	case *deisSolver:
		return s.orders
	}
	return nil
}

// dpmRun goes on from s to the end with outputs of dpmOutput.
func dpmRun(t *testing.T, p *Plan, s State) State {
	t.Helper()
	for !p.Done(s) {
		next, _, err := p.Step(s, dpmOutput(s), Options{Noise: steppedNoise{len(s.X)}})
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

func dpmFinite(values ...[]float32) bool {
	for _, v := range slices.Concat(values...) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
