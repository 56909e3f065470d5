package samplers

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var dpmNames = []string{
	"dpm++2m", "dpm++3m", "dpm++2m-sde", "dpm++3m-sde", "dpm-2m", "dpm-3m", "dpm++2s", "dpm++3s", "unipc", "deis",
}

func TestDPMNamesSayAlgorithmAndOrder(t *testing.T) {
	for name, want := range map[string]struct {
		class, config string
	}{
		"dpm++2m":     {multi, `"solver_order":2`},
		"dpm++3m":     {multi, `"solver_order":3`},
		"dpm++2m-sde": {multi, `"solver_order":2,"algorithm_type":"sde-dpmsolver++"`},
		"dpm++3m-sde": {multi, `"solver_order":3,"algorithm_type":"sde-dpmsolver++"`},
		"dpm-2m":      {multi, `"solver_order":2,"algorithm_type":"dpmsolver","final_sigmas_type":"sigma_min"`},
		"dpm-3m":      {multi, `"solver_order":3,"algorithm_type":"dpmsolver","final_sigmas_type":"sigma_min"`},
		"dpm++2s":     {single, `"solver_order":2`},
		"dpm++3s":     {single, `"solver_order":3`},
	} {
		byName := dpmPlan(t, name, `{"solver_order":1,"algorithm_type":"deis"}`, 9)
		byClass := dpmPlan(t, want.class, `{`+want.config+`}`, 9)
		start := State{X: dpmStart, Draws: 1}
		if a, b := dpmRun(t, byName, start), dpmRun(t, byClass, start); !slices.Equal(a.X, b.X) || a.Draws != b.Draws {
			t.Errorf("%s ends on %v, its config on %v", name, a.X, b.X)
		}
		if byName.sampler.Order != byClass.sampler.Order || byName.sampler.Stochastic != byClass.sampler.Stochastic {
			t.Errorf("%s: the class with %s describes itself as %+v", name, want.config, byClass.sampler)
		}
	}
}

func TestDPMTakesOtherClassesValues(t *testing.T) {
	for _, tt := range []struct{ class, foreign, own string }{
		{multi, `{"algorithm_type":"deis"}`, `{"algorithm_type":"dpmsolver++"}`},
		{multi, `{"solver_type":"bh1"}`, `{"solver_type":"midpoint"}`},
		{multi, `{"solver_type":"bh2"}`, `{"solver_type":"midpoint"}`},
		{single, `{"solver_type":"logrho"}`, `{"solver_type":"midpoint"}`},
		{uni, `{"solver_type":"midpoint"}`, `{"solver_type":"bh2"}`},
		{uni, `{"solver_type":"heun"}`, `{"solver_type":"bh2"}`},
		{uni, `{"solver_type":"logrho","algorithm_type":"dpmsolver"}`, `{}`},
		{logRho, `{"solver_type":"bh1","algorithm_type":"dpmsolver++"}`, `{}`},
		{logRho, `{"solver_type":"heun","algorithm_type":"dpmsolver","final_sigmas_type":"zero"}`, `{}`},
		{multi, `{"clip_sample":true,"clip_sample_range":0.1,"sigma_min":1}`, `{}`},
		{uni, `{"lambda_min_clipped":-1}`, `{}`},
		{logRho, `{"lambda_min_clipped":-1}`, `{}`},
	} {
		start := State{X: dpmStart, Draws: 1}
		a := dpmRun(t, dpmPlan(t, tt.class, tt.foreign, 7), start)
		if b := dpmRun(t, dpmPlan(t, tt.class, tt.own, 7), start); !slices.Equal(a.X, b.X) {
			t.Errorf("%s: %s ends on %v, %s on %v", tt.class, tt.foreign, a.X, tt.own, b.X)
		}
	}
}

// TestDPMStartsAfresh takes steps from states without memory: of first order, and with
// those that follow as if the run began there.
func TestDPMStartsAfresh(t *testing.T) {
	for _, name := range dpmNames {
		p := dpmPlan(t, name, stableDiffusion, 16)
		class := map[string]string{"dpm++2s": single, "dpm++3s": single, "unipc": uni, "deis": logRho}[name]
		if class == "" {
			class = multi
		}
		config := stableDiffusion[:len(stableDiffusion)-1] + `,"solver_order":1}`
		if strings.HasPrefix(name, "dpm-") {
			config = config[:len(config)-1] + `,"algorithm_type":"dpmsolver","final_sigmas_type":"sigma_min"}`
		}
		if strings.HasSuffix(name, "-sde") {
			config = config[:len(config)-1] + `,"algorithm_type":"sde-dpmsolver++"}`
		}
		first := dpmPlan(t, class, config, 16)
		options := Options{Noise: steppedNoise{4}}
		for i := range 16 {
			s := State{Index: i, X: dpmStart, Draws: 1}
			got, _, err := p.Step(s, dpmOutput(s), options)
			if err != nil {
				t.Fatal(err)
			}
			if want, _, _ := first.Step(s, dpmOutput(s), options); !slices.Equal(got.X, want.X) {
				t.Errorf("%s: call %d without memory goes to %v, first order to %v", name, i, got.X, want.X)
			}
			if end := dpmRun(t, p, got); !dpmFinite(end.X) {
				t.Errorf("%s: begun at call %d, the run ends on %v", name, i, end.X)
			}
		}
	}
}

// TestDPMOrdersCount compares runs with the exact solution for Gaussian data: halving
// the steps of a solver of order p brings it 2^p times closer.
func TestDPMOrdersCount(t *testing.T) {
	const deviation = 0.5
	mean := []float64{-1, 0, 0.5, 1}
	denoise := func(p *Plan, s State) []float32 {
		out := make([]float32, len(s.X))
		alpha2 := 1 / (1 + math.Pow(float64(p.Sigma(s.Index)), 2))
		for i, v := range s.X {
			x, alpha, v2 := float64(v), math.Sqrt(alpha2), alpha2*deviation*deviation+1-alpha2
			out[i] = float32(math.Sqrt(1-alpha2) * (x - alpha*mean[i]) / v2)
		}
		return out
	}
	off := func(sampler, config string, n int) float64 {
		p := dpmPlan(t, sampler, stableDiffusion[:len(stableDiffusion)-1]+config+`}`, n)
		s := State{X: dpmStart}
		for !p.Done(s) {
			next, _, err := p.Step(s, denoise(p, s), Options{})
			if err != nil {
				t.Fatal(err)
			}
			s = next
		}
		scale := func(sigma float32) (alpha, v float64) {
			alpha2 := 1 / (1 + math.Pow(float64(sigma), 2))
			return math.Sqrt(alpha2), math.Sqrt(alpha2*deviation*deviation + 1 - alpha2)
		}
		a0, v0 := scale(p.Sigma(0))
		a1, v1 := scale(p.Sigma(p.Calls()))
		worst := 0.0
		for i, x := range s.X {
			exact := a1*mean[i] + v1*(float64(dpmStart[i])-a0*mean[i])/v0
			worst = max(worst, math.Abs(float64(x)-exact))
		}
		return worst
	}
	for _, class := range []string{multi, single, uni, logRho} {
		for order := 1; order <= 3; order++ {
			config := `,"final_sigmas_type":"sigma_min","lower_order_final":false,"use_lu_lambdas":true,"solver_order":` + strconv.Itoa(order)
			coarse, fine := off(class, config, 18), off(class, config, 36)
			if rounding := 5e-5; fine > rounding && coarse/fine < math.Pow(1.7, float64(order)) {
				t.Errorf("%s, order %d: off by %g with 18 steps and %g with 36", class, order, coarse, fine)
			}
		}
	}
}

// TestDPMPredictionTypesAgree says the same thing as noise, as v and as x0.
func TestDPMPredictionTypesAgree(t *testing.T) {
	for _, name := range dpmNames {
		eps := dpmPlan(t, name, `{}`, 8)
		start := State{X: dpmStart, Draws: 1}
		want := dpmRun(t, eps, start)
		for _, kind := range []string{"v_prediction", "sample"} {
			p, s := dpmPlan(t, name, `{"prediction_type":"`+kind+`"}`, 8), start
			for !p.Done(s) {
				at := levelOf(p.Sigma(s.Index))
				out := dpmOutput(s)
				for i, e := range out {
					x0 := (s.X[i] - at.sigma*e) / at.alpha
					if out[i] = x0; kind == "v_prediction" {
						out[i] = at.alpha*e - at.sigma*x0
					}
				}
				x0, e := p.Predict(s, out)
				for i := range x0 {
					if d := math.Abs(float64(at.alpha*x0[i] + at.sigma*e[i] - s.X[i])); d > 1e-4 {
						t.Fatalf("%s, %s: x0 and the noise are not the parts of x, off by %g", name, kind, d)
					}
				}
				next, x, err := p.Step(s, out, Options{Noise: steppedNoise{4}})
				if err != nil || !slices.Equal(x, x0) {
					t.Fatalf("%s, %s: Step predicts %v, Predict %v, error %v", name, kind, x, x0, err)
				}
				s = next
			}
			for i, w := range want.X {
				if d := math.Abs(float64(s.X[i] - w)); d > 2e-3*max(1, math.Abs(float64(w))) {
					t.Errorf("%s: %s ends on %v, noise on %v", name, kind, s.X, want.X)
					break
				}
			}
		}
	}
}

// TestDPMThresholdsWhatItIntegrates also looks at who honours the key.
func TestDPMThresholdsWhatItIntegrates(t *testing.T) {
	for class, config := range map[string]string{
		multi:  `{"thresholding":true,"algorithm_type":"dpmsolver","final_sigmas_type":"sigma_min"}`,
		single: `{"thresholding":true}`,
		uni:    `{"thresholding":true}`,
		logRho: `{"thresholding":true}`,
	} {
		p := dpmPlan(t, class, config, 8)
		s := State{X: []float32{-9, -1, 1, 9}}
		x0, eps := p.Predict(s, make([]float32, 4))
		if slices.Max(x0) > 1 || slices.Min(x0) < -1 {
			t.Errorf("%s: x0 is %v, want it within 1", class, x0)
		}
		restored := restOf(levelOf(p.Sigma(0)).alpha, levelOf(p.Sigma(0)).sigma).latent(s.X, x0)
		if of := class == multi || class == logRho; slices.Equal(eps, restored) != of {
			t.Errorf("%s: noise %v, what x0 leaves is %v", class, eps, restored)
		}
	}
	p := dpmPlan(t, uni, `{"thresholding":true,"predict_x0":false,"final_sigmas_type":"sigma_min"}`, 8)
	if x0, _ := p.Predict(State{X: []float32{-9, -1, 1, 9}}, make([]float32, 4)); slices.Max(x0) <= 1 {
		t.Errorf("UniPC over noise bounds x0 to %v, want it left alone", x0)
	}
}

// TestDPMLeavesStatesAlone checks that a step writes to nothing it is given.
func TestDPMLeavesStatesAlone(t *testing.T) {
	for _, name := range dpmNames {
		for _, kind := range []string{"epsilon", "sample"} {
			p := dpmPlan(t, name, `{"prediction_type":"`+kind+`"}`, 6)
			want := dpmRun(t, p, State{X: dpmStart, Draws: 1})
			s := State{X: slices.Clone(dpmStart), Draws: 1}
			for !p.Done(s) {
				out := dpmOutput(s)
				x, memory := slices.Clone(s.X), slices.Concat(s.Memory...)
				next, _, err := p.Step(s, out, Options{Noise: steppedNoise{4}})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(x, s.X) || !slices.Equal(memory, slices.Concat(s.Memory...)) || !slices.Equal(out, dpmOutput(s)) {
					t.Fatalf("%s: call %d writes to what it is given", name, s.Index)
				}
				s = next
			}
			if !slices.Equal(s.X, want.X) {
				t.Errorf("%s, %s: ends on %v, want %v", name, kind, s.X, want.X)
			}
		}
	}
}

func TestDPMRunsOfOneAndTwoSteps(t *testing.T) {
	for _, name := range dpmNames {
		for n := 1; n <= 3; n++ {
			p := dpmPlan(t, name, stableDiffusion, n)
			s := dpmRun(t, p, State{X: dpmStart, Draws: 1})
			if !dpmFinite(s.X) || s.Index != n {
				t.Errorf("%s, %d steps: ends at %d on %v", name, n, s.Index, s.X)
			}
		}
		if strings.HasPrefix(name, "dpm-") || name == "deis" {
			continue
		}
		// One step to noise level 0 is x0.
		p := dpmPlan(t, name, stableDiffusion, 1)
		s := State{X: dpmStart, Draws: 1}
		next, x0, err := p.Step(s, dpmOutput(s), Options{Noise: steppedNoise{4}})
		if err != nil || !slices.Equal(next.X, x0) {
			t.Errorf("%s: one step goes to %v, want x0 %v (error %v)", name, next.X, x0, err)
		}
	}
}

// TestDPMStaysWhereThereIsNowhereToGo has a last step from the table's lowest noise level
// to itself, where the reference gives NaN for most of these.
func TestDPMStaysWhereThereIsNowhereToGo(t *testing.T) {
	for class, config := range map[string]string{
		multi:  `{"solver_order":3,"use_karras_sigmas":true,"final_sigmas_type":"sigma_min"}`,
		single: `{"solver_order":1,"use_karras_sigmas":true,"final_sigmas_type":"sigma_min"}`,
		uni:    `{"solver_order":3,"use_karras_sigmas":true,"final_sigmas_type":"sigma_min","lower_order_final":false}`,
		logRho: `{"solver_order":3,"use_karras_sigmas":true}`,
	} {
		p := dpmPlan(t, class, config, 16)
		s := State{X: dpmStart, Draws: 1}
		var before []float32
		for !p.Done(s) {
			before = s.X
			if class == uni && s.Index == 15 { // the corrector's x
				before = nil
			}
			next, _, err := p.Step(s, dpmOutput(s), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s = next; before == nil {
				before = s.Memory[0]
			}
		}
		for i, v := range before {
			if d := math.Abs(float64(s.X[i] - v)); !(d <= 1e-6*math.Abs(float64(v))) {
				t.Errorf("%s: the last step goes from %v to %v", class, before, s.X)
				break
			}
		}
	}
}

// TestDPMTakesALevelTwice has one step that stays where it is, at timestep 500.
func TestDPMTakesALevelTwice(t *testing.T) {
	for _, name := range dpmNames {
		p := dpmPlan(t, name, `{}`, 1000)
		at := slices.Index(p.timesteps, 500)
		if at < 0 || p.Timestep(at+1) != 500 {
			t.Fatalf("%s: no timestep 500 twice", name)
		}
		fresh := dpmRun(t, p, State{Index: at + 1, X: dpmStart, Draws: 1})
		before := State{Index: at - 3, X: dpmStart, Draws: 1}
		if full := dpmRun(t, p, before); !dpmFinite(fresh.X, full.X) {
			t.Errorf("%s: ends on %v, begun at timestep 500 on %v", name, full.X, fresh.X)
		}
	}
}

func TestDPMSigmas(t *testing.T) {
	lowest := dpmPlan(t, logRho, stableDiffusion, 5).Sigma(5)
	for _, tt := range []struct {
		sampler, sigmas string
		end             float32
		timesteps       []float32 // the first ones
	}{
		{"dpm++2m", "ays", 0, []float32{999, 850, 736, 645, 545, 455, 343, 233, 124, 24}},
		{"dpm-2m", "ays", lowest, []float32{999, 850, 736}},
		{"deis", "ays", lowest, []float32{999, 850, 736}},
		{"unipc", "lu", 0, []float32{999}},
		{"dpm++2s", "14.5,2,0.5", 0, []float32{998}},
		{"dpm++3m", "14.5,2,0.5,0", 0, []float32{998}},
		{"deis", "14.5,2,0.5", lowest, []float32{998}},
		{"deis", "exponential", lowest, []float32{998}},
		{"dpm++2m", "normal", 0, []float32{999}},
	} {
		c, err := ParseConfig([]byte(stableDiffusion))
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPlan(Request{Sampler: tt.sampler, Config: c, Steps: 10, Sigmas: tt.sigmas})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.timesteps[:len(tt.timesteps)]; !slices.Equal(got, tt.timesteps) {
			t.Errorf("%s, %s: timesteps %v, want %v", tt.sampler, tt.sigmas, got, tt.timesteps)
		}
		if end := p.Sigma(p.Calls()); end != tt.end {
			t.Errorf("%s, %s: ends on noise level %g, want %g", tt.sampler, tt.sigmas, end, tt.end)
		}
		if list, _ := parseSigmas(tt.sigmas); list != nil {
			for i, want := range list {
				if p.Calls() != len(list) || p.Sigma(i) != float32(want) {
					t.Errorf("%s: noise levels %v, want %v", tt.sampler, p.sigmas, list)
				}
			}
		}
		if s := dpmRun(t, p, State{X: dpmStart, Draws: 1}); !dpmFinite(s.X) {
			t.Errorf("%s, %s: ends on %v", tt.sampler, tt.sigmas, s.X)
		}
	}
}
