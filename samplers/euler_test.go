package samplers

import (
	"math"
	"slices"
	"testing"
)

// The numbers here and in TestChurn are those of diffusers.
func TestEulerContinuousTimesteps(t *testing.T) {
	svd := kWith(kStableDiffusion, `"prediction_type":"v_prediction","sigma_max":700,"sigma_min":0.002,"steps_offset":1,"timestep_spacing":"leading","timestep_type":"continuous","use_karras_sigmas":true`)
	p := kPlan(t, "euler", svd, Request{Steps: 5})
	kNear(t, "timesteps", p.timesteps, []float32{1.63777, 1.226049, 0.68665689, -0.09709817, -1.553652}, 1e-6)
	kNear(t, "levels", p.sigmas, []float32{700, 134.854446, 15.5899677, 0.678146, 0.002, 0}, 1e-6)
	kNear(t, "start noise", []float32{p.init}, []float32{700.00073}, 1e-7)

	p = kPlan(t, "euler", kWith(kStableDiffusion, `"prediction_type":"v_prediction","interpolation_type":"log_linear","timestep_type":"continuous"`), Request{Steps: 3})
	kNear(t, "log_linear timesteps", p.timesteps, []float32{0.67050606, 0.15244579, -0.36561447, -0.88367474}, 1e-6)
	if p.Sigma(4) != 0 {
		t.Errorf("ends at %g, want 0", p.Sigma(4))
	}

	p = kPlan(t, "euler", kWith(kStableDiffusion, `"timestep_type":"continuous"`), Request{Steps: 3})
	if p.Timestep(0) != 999 {
		t.Errorf("epsilon starts at timestep %g, want 999: only v_prediction is continuous", p.Timestep(0))
	}
}

func TestSigmaRequests(t *testing.T) {
	karras := kWith(kStableDiffusion, `"use_karras_sigmas":true`)
	minMax := kWith(kStableDiffusion, `"sigma_min":0.1,"sigma_max":10,"final_sigmas_type":"sigma_min"`)
	const table, end = 14.614647, 0.02916754
	tests := map[string]struct {
		name, config, sigmas string
		want                 []float32 // of 3 steps
	}{
		"a list":                           {"euler", kStableDiffusion, "10,3,.5,0", []float32{10, 3, 0.5, 0}},
		"a list ends without noise":        {"euler", minMax, "10,3,.5", []float32{10, 3, 0.5, 0}},
		"euler-a ignores the config's":     {"euler-a", karras, "", []float32{table, 1.6155834, end, 0}},
		"euler-a takes the request's":      {"euler-a", kStableDiffusion, "karras", []float32{table, 1.2741053, end, 0}},
		"lms takes the config's":           {"lms", karras, "", []float32{table, 1.2741053, end, 0}},
		"normal overrides the config":      {"lms", karras, "normal", []float32{table, 1.6155834, end, 0}},
		"use_lu_lambdas is no key here":    {"euler", kWith(karras, `"use_lu_lambdas":true`), "", []float32{table, 1.2741053, end, 0}},
		"lu asked for":                     {"euler", karras, "lu", []float32{table, 0.652896, end, 0}},
		"sigma_min and sigma_max":          {"euler", minMax, "exponential", []float32{10, 1, 0.1, end}},
		"no conversion, no sigma_max":      {"euler", minMax, "", []float32{table, 1.6155834, end, end}},
		"keys of euler are no keys of lms": {"lms", minMax, "exponential", []float32{table, 0.652896, end, 0}},
		"align your steps":                 {"lms", kStableDiffusion, "ays", []float32{table, 1.6208897, 0.15152371, 0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := kPlan(t, tt.name, tt.config, Request{Steps: 3, Sigmas: tt.sigmas})
			kNear(t, "levels", p.sigmas, tt.want, 1e-6)
		})
	}
	list := kPlan(t, "euler", kStableDiffusion, Request{Sigmas: "10,3,.5"})
	kNear(t, "timesteps of a list", list.timesteps, []float32{933.50671, 673.15533, 169.31459}, 1e-7)
}

func TestChurn(t *testing.T) {
	p := kPlan(t, "euler", kStableDiffusion, Request{Steps: 4})
	tests := map[string]struct {
		churn Churn
		want  []float32
	}{
		"none":              {Churn{}, []float32{0.80140495, -2.3971901, 30.595785}},
		"some, louder":      {Churn{Amount: 1, Noise: 1.1}, []float32{1.9322494, -4.9507093, 35.629864}},
		"above TMin":        {Churn{Amount: 1, TMin: 2}, []float32{1.8228129, -4.7318363, 35.19212}},
		"below TMin":        {Churn{Amount: 1, TMin: 3}, []float32{0.80140495, -2.3971901, 30.595785}},
		"above TMax":        {Churn{Amount: 1, TMax: 1}, []float32{0.80140495, -2.3971901, 30.595785}},
		"as much as can be": {Churn{Amount: 100}, []float32{2.1396787, -5.5572591, 36.79504}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			draws := 2
			if tt.want[0] > 1 {
				draws++
			}
			s := State{Index: 1, X: []float32{1, -2, 30}, Draws: 2}
			next, x0, err := p.Step(s, []float32{0.1, 0.2, -0.3}, Options{Churn: tt.churn, Noise: kRecorded{0.5, -1, 2}})
			if err != nil || next.Draws != draws {
				t.Fatalf("%d draws, error %v; want %d and none", next.Draws, err, draws)
			}
			kNear(t, "x", next.X, tt.want, 1e-6)
			again, _ := p.Predict(State{Index: 2, X: next.X}, []float32{0.1, 0.2, -0.3})
			kNear(t, "x0, along the same line", again, x0, 1e-6)
		})
	}
}

// kRecorded is noise that is the same at every draw.
type kRecorded []float32

func (n kRecorded) Draw(int) []float32 { return slices.Clone(n) }

func TestRenoise(t *testing.T) {
	for _, name := range []string{"euler", "euler-a"} {
		p := kPlan(t, name, kStableDiffusion, Request{Steps: 4})
		s := State{Index: 1, X: []float32{1, -2, 3}, Draws: 1}
		output, other := []float32{0.1, 0.2, -0.3}, []float32{1, -1, 0.5}
		options := Options{Noise: kRecorded{0.5, -1, 2}}
		own := options
		own.Renoise = output
		plain, _, err := p.Step(s, output, options)
		if err != nil {
			t.Fatal(err)
		}
		same, _, err := p.Step(s, output, own)
		if err != nil {
			t.Fatal(err)
		}
		kNear(t, name+" with the noise it predicts", same.X, plain.X, 1e-6)

		options.Renoise = other
		next, x0, err := p.Step(s, output, options)
		if err != nil {
			t.Fatal(err)
		}
		down, up := p.Sigma(2), float32(0)
		if name == "euler-a" {
			down, up = ancestral(p.Sigma(1), p.Sigma(2))
		}
		want := make([]float32, 3)
		for i := range want {
			want[i] = x0[i] + down*other[i] + up*kRecorded{0.5, -1, 2}[i]
		}
		kNear(t, name+" with another", next.X, want, 1e-6)
	}
	p := kPlan(t, "heun", kStableDiffusion, Request{Steps: 4})
	if _, _, err := p.Step(State{X: []float32{1}}, []float32{1}, Options{Renoise: []float32{1}}); err == nil {
		t.Error("heun went on with another noise")
	}
}

func TestAncestralSplitsTheVariance(t *testing.T) {
	for _, to := range []float32{9.9, 5, 0.5, 0.1} {
		down, up := ancestral(10, to)
		if sum := float64(down)*float64(down) + float64(up)*float64(up); math.Abs(sum-float64(to*to)) > 1e-6*float64(to*to) {
			t.Errorf("10 to %g: %g and %g have variance %g, want %g", to, down, up, sum, to*to)
		}
	}
	if down, up := ancestral(10, 0); down != 0 || up != 0 {
		t.Errorf("to 0: %g and %g, want 0 and 0", down, up)
	}
	// diffusers has 0 or NaN here, by rounding.
	for _, from := range []float32{2e4, 3e4, 5e5} {
		down, up := ancestral(from, 1.3)
		if !(down > 0 && down < 0.01) || math.Abs(float64(up)-1.3) > 1e-6 {
			t.Errorf("%g to 1.3: %g and %g, want %g and 1.3", from, down, up, 1.3*1.3/from)
		}
	}
}
