package samplers

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// layOut makes a plan of a sampler by name.
func layOut(t *testing.T, name, config string, r Request) *Plan {
	t.Helper()
	p, err := tryLayOut(t, name, config, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryLayOut(t *testing.T, name, config string, r Request) (*Plan, error) {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	r.Sampler, r.Config = name, c
	return NewPlan(r)
}

// refused wants plans to fail with errors that have a text in them.
func refused(t *testing.T, name string, tests []struct {
	config string
	req    Request
	want   string
}) {
	t.Helper()
	for _, tt := range tests {
		if _, err := tryLayOut(t, name, tt.config, tt.req); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %d steps of %s: error is %v, want one with %q", name, tt.req.Steps, tt.config, err, tt.want)
		}
	}
}

// point is a data set of one latent, for which the best model is known exactly.
var point = []float32{-0.9, -0.25, 0, 0.4, 0.8}

// pointNoise is the noise that x holds at call i beside point.
func pointNoise(p *Plan, i int, x []float32) []float32 {
	alpha := p.AlphaBar(i)
	return restOf(sqrt32(alpha), sqrt32(1-alpha)).latent(x, point)
}

// pointOutput is what the best model of point outputs at s.
func pointOutput(p *Plan, s State, kind string) []float32 {
	alpha, eps := p.AlphaBar(s.Index), pointNoise(p, s.Index, s.X)
	signal, noise := sqrt32(alpha), sqrt32(1-alpha)
	out := make([]float32, len(eps))
	for i, e := range eps {
		switch kind {
		case "epsilon":
			out[i] = e
		case "sample":
			out[i] = point[i]
		case "v_prediction":
			out[i] = signal*e - noise*point[i]
		}
	}
	return out
}

// noisyPoint is a state at call i with nothing in its memory.
func noisyPoint(p *Plan, i int) State {
	alpha := p.AlphaBar(i)
	s := State{Index: i, X: make([]float32, len(point)), Draws: 1}
	for k, m := range point {
		s.X[k] = sqrt32(alpha)*m + sqrt32(1-alpha)*float32(k-2)
	}
	return s
}

// near says whether a is b to a tolerance.
func near(a, b []float32, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= tolerance })
}

// finish runs p to its end on the best model of point and checks every prediction.
func finish(t *testing.T, p *Plan, s State, kind string, o Options) State {
	t.Helper()
	for !p.Done(s) {
		output := pointOutput(p, s, kind)
		want := pointNoise(p, s.Index, s.X)
		predicted, eps := p.Predict(s, output)
		if !near(predicted, point, 1e-3) || !near(eps, want, 1e-3) {
			t.Fatalf("call %d: predicted %v and %v, want %v and %v", s.Index, predicted, eps, point, want)
		}
		next, x0, err := p.Step(s, output, o)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x0, predicted) {
			t.Fatalf("call %d: the step's x0 is %v, the prediction's %v", s.Index, x0, predicted)
		}
		s = next
	}
	return s
}

// TestOnePoint runs samplers on a data set of one latent: whatever the model's
// parametrisation and the number of steps, they end on it but for the noise that the
// schedule ends on, and predict it at every call.
func TestOnePoint(t *testing.T) {
	noise, err := NewNoise(Torch, 3, len(point))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		steps []int
		eta   float64
		kinds []string
	}{
		{"ddpm", []int{1, 2, 10}, 0, []string{"epsilon", "v_prediction", "sample"}},
		{"plms", []int{1, 2, 4, 10}, 0, []string{"epsilon"}},
		{"plms", []int{1, 200}, 0, []string{"v_prediction"}}, // see TestPNDMCombinesOutputs
		{"pndm", []int{4, 5, 10}, 0, []string{"epsilon"}},
		{"pndm", []int{200}, 0, []string{"v_prediction"}},
		{"lcm", []int{1, 2, 8}, 0, []string{"epsilon", "v_prediction", "sample"}},
		{"tcd", []int{1, 2, 8}, 0, []string{"epsilon", "v_prediction", "sample"}},
		{"tcd", []int{1, 2, 8}, 0.3, []string{"epsilon", "v_prediction", "sample"}},
		{"ldm-ddim", []int{2, 10}, 0, []string{"epsilon", "v_prediction", "sample"}},
		{"ldm-ddim", []int{2, 10}, 1, []string{"epsilon", "v_prediction", "sample"}},
		{"ldm-plms", []int{2, 10}, 0, []string{"epsilon", "v_prediction", "sample"}},
	} {
		for _, kind := range tt.kinds {
			for _, n := range tt.steps {
				p := layOut(t, tt.name, `{"prediction_type":"`+kind+`"}`, Request{Steps: n})
				end := finish(t, p, noisyPoint(p, 0), kind, Options{Eta: tt.eta, Noise: noise})
				final := float64(p.Sigma(p.Calls()))
				if !near(end.X, point, 1e-3+4*final) {
					t.Errorf("%s, eta %g, %s, %d steps: ended on %v, want %v", tt.name, tt.eta, kind, n, end.X, point)
				}
			}
		}
	}
}

func TestTrap11DDPMGoesToTheNextTimestep(t *testing.T) {
	p := layOut(t, "ddpm", `{"timestep_spacing":"linspace"}`, Request{Steps: 7})
	for i, got := range p.solver.(*ddpmSolver).posteriors[:6] {
		if want := newPosterior(p.AlphaBar(i), p.AlphaBar(i+1), "fixed_small"); got != want {
			t.Errorf("step %d has the posterior %v, want %v", i, got, want)
		}
	}
}

func TestTrap15DDPMClipsByDefault(t *testing.T) {
	p := layOut(t, "ddpm", `{}`, Request{Steps: 5})
	x0, _ := p.Predict(State{X: []float32{9, -9}}, []float32{0, 0})
	if !slices.Equal(x0, []float32{1, -1}) {
		t.Errorf("x0 is %v, want it clipped to 1 and -1", x0)
	}
}

func TestTrap17DDPMDrawsAboveTimestepZero(t *testing.T) {
	noise, err := NewNoise(Torch, 3, len(point))
	if err != nil {
		t.Fatal(err)
	}
	for offset, want := range map[string]int{"0": 4, "1": 5} {
		p := layOut(t, "ddpm", `{"steps_offset":`+offset+`}`, Request{Steps: 5})
		end := finish(t, p, p.Start(noise), "epsilon", Options{Noise: noise})
		if got := end.Draws - 1; got != want {
			t.Errorf("steps_offset %s: %d draws in 5 steps, want %d", offset, got, want)
		}
	}
}

func TestTrap18ZeroTerminalSNR(t *testing.T) {
	const config = `{"rescale_betas_zero_snr":true,"timestep_spacing":"trailing","prediction_type":"v_prediction"}`
	for name, zero := range map[string]bool{"ddpm": true, "lcm": true, "tcd": true, "plms": false, "pndm": false} {
		p := layOut(t, name, config, Request{Steps: 5})
		if first := p.AlphaBar(0); (first == 0) != zero {
			t.Errorf("%s: alpha-bar starts at %g, want it 0: %v", name, first, zero)
		}
	}
}

// TestDDPMVariances compares the kinds of variance with each other: fixed_large is the
// forward step's, fixed_small its share that is left when x0 is known, and
// fixed_small_log the same by way of logarithms.
func TestDDPMVariances(t *testing.T) {
	const alpha, prev = 0.3, 0.5
	small, large := newPosterior(alpha, prev, "fixed_small"), newPosterior(alpha, prev, "fixed_large")
	if got, want := large.noise*large.noise, float32(1-alpha/prev); math.Abs(float64(got-want)) > 1e-6 {
		t.Errorf("fixed_large has variance %g, want beta = %g", got, want)
	}
	share := small.noise * small.noise / (large.noise * large.noise)
	if want := (1 - prev) / (1 - alpha); math.Abs(float64(share)-want) > 1e-6 {
		t.Errorf("fixed_small is %g of fixed_large, want %g", share, want)
	}
	if log := newPosterior(alpha, prev, "fixed_small_log"); math.Abs(float64(log.noise-small.noise)) > 1e-6 {
		t.Errorf("fixed_small_log has noise %g, want %g", log.noise, small.noise)
	}
	if end := newPosterior(alpha, 1, "fixed_small_log"); math.Abs(float64(end.noise)-1e-10) > 1e-12 {
		t.Errorf("a step to the end has noise %g, want the 1e-10 that variances are kept above", end.noise)
	}
}

func TestDDPMRefuses(t *testing.T) {
	refused(t, "ddpm", []struct {
		config string
		req    Request
		want   string
	}{
		{`{"variance_type":"learned_range"}`, Request{Steps: 5}, `variance_type "learned_range" needs a model that outputs a variance`},
		{`{"variance_type":"learned"}`, Request{Steps: 5}, `variance_type "learned"`},
		{`{"variance_type":"fixed_large_log"}`, Request{Steps: 5}, "want fixed_large"},
		{`{"variance_type":"some"}`, Request{Steps: 5}, "want one of fixed_small, fixed_small_log, fixed_large"},
		{`{"beta_schedule":"steep"}`, Request{Steps: 5}, `beta_schedule "steep"`},
		{`{"timestep_spacing":"dense"}`, Request{Steps: 5}, `"dense" is unknown`},
		{`{"prediction_type":"guess"}`, Request{Steps: 5}, `prediction_type "guess"`},
		{`{"rescale_betas_zero_snr":true,"timestep_spacing":"trailing"}`, Request{Steps: 5}, "want v_prediction"},
		{`{"trained_betas":[0.5,1,0.5,0.5],"num_train_timesteps":4,"prediction_type":"sample"}`, Request{Steps: 4}, "no signal at timestep 2, which a step goes to"},
		{`{"trained_betas":[0.5,-0.5,0.9],"num_train_timesteps":3}`, Request{Steps: 3}, "beta -0.5 at timestep 1"},
	})
}
