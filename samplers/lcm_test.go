package samplers

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTrap08ConsistencyModelsIgnoreSpacing(t *testing.T) {
	want := []float32{999, 759, 499, 259}
	for _, name := range []string{"lcm", "tcd"} {
		for _, p := range []*Plan{
			layOut(t, name, `{}`, Request{Steps: 4}),
			layOut(t, name, `{"timestep_spacing":"linspace","steps_offset":1}`, Request{Steps: 4}),
			layOut(t, name, `{"timestep_spacing":"trailing"}`, Request{Steps: 4}),
		} {
			if !slices.Equal(p.timesteps, want) {
				t.Errorf("%s: timesteps %v, want %v", name, p.timesteps, want)
			}
		}
		if _, err := NewPlan(Request{Sampler: name, Steps: 4, Spacing: Trailing}); err == nil || !strings.Contains(err.Error(), "leave spacing out") {
			t.Errorf("%s: a spacing that is asked for and not taken gives the error %v", name, err)
		}
	}
}

func TestTrap15ClippingOfConsistencyModels(t *testing.T) {
	const clip = `{"clip_sample":true}`
	for _, tt := range []struct {
		name, config string
		clips        bool
	}{{"lcm", `{}`, false}, {"lcm", clip, true}, {"tcd", `{}`, false}, {"tcd", clip, false}} {
		p := layOut(t, tt.name, tt.config, Request{Steps: 2})
		x0, _ := p.Predict(State{X: []float32{9, -9}}, []float32{0, 0})
		if got := slices.Equal(x0, []float32{1, -1}); got != tt.clips {
			t.Errorf("%s with %s: x0 is %v, want it clipped: %v", tt.name, tt.config, x0, tt.clips)
		}
	}
}

func TestTrap17ConsistencyModelsSkipTheLastDraw(t *testing.T) {
	noise, err := NewNoise(Torch, 3, len(point))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		steps int
		eta   float64
		draws int
	}{{"lcm", 1, 0, 0}, {"lcm", 4, 0, 3}, {"tcd", 1, 1, 0}, {"tcd", 4, 0.3, 3}, {"tcd", 4, 0, 0}} {
		p := layOut(t, tt.name, `{}`, Request{Steps: tt.steps})
		o := Options{Eta: tt.eta, Noise: noise}
		if tt.draws == 0 {
			o.Noise = nil
		}
		if end := finish(t, p, noisyPoint(p, 0), "epsilon", o); end.Draws-1 != tt.draws {
			t.Errorf("%s, eta %g, %d steps: %d draws, want %d", tt.name, tt.eta, tt.steps, end.Draws-1, tt.draws)
		}
	}
}

func TestTrap25DefaultsOfConsistencyModels(t *testing.T) {
	for _, name := range []string{"lcm", "tcd"} {
		got := layOut(t, name, `{}`, Request{Steps: 4})
		want := layOut(t, name, stableDiffusion, Request{Steps: 4}) // scaled_linear, 0.00085 to 0.012
		if !slices.Equal(got.bars, want.bars) {
			t.Errorf("%s: alpha-bar %v, want Stable Diffusion's %v", name, got.bars, want.bars)
		}
	}
}

// TestLCMBoundary wants the consistency function to be the identity at timestep 0 and
// to tend to x0 above it, the sooner the higher the scaling.
func TestLCMBoundary(t *testing.T) {
	p := layOut(t, "lcm", `{"original_inference_steps":1000}`, Request{Steps: 1000})
	l := p.solver.(*lcmSolver)
	if p.Timestep(999) != 0 || l.out[999] != 0 || l.skip[999] != 1 {
		t.Errorf("at timestep %g x0 has %g and x %g, want 0 and 1 at 0", p.Timestep(999), l.out[999], l.skip[999])
	}
	if l.out[0] != 1 || l.skip[0] > 1e-8 {
		t.Errorf("at timestep %g x0 has %g and x %g, want 1 and nothing", p.Timestep(0), l.out[0], l.skip[0])
	}
	if low := layOut(t, "lcm", `{"timestep_scaling":0.1}`, Request{Steps: 4}).solver.(*lcmSolver); low.skip[3] < 1e-5 {
		t.Errorf("with a scaling of 0.1 x has %g, want more than 1e-5", low.skip[3])
	}
}

// TestTCDKeepsTheNoiseLevel wants the latent on the level of the next call whatever
// eta is: the noise that it takes away beyond that is added anew.
func TestTCDKeepsTheNoiseLevel(t *testing.T) {
	const n = 1 << 14
	noise, err := NewNoise(Torch, 9, n)
	if err != nil {
		t.Fatal(err)
	}
	p := layOut(t, "tcd", `{}`, Request{Steps: 4})
	for _, eta := range []float64{0, 0.3, 0.7, 1} {
		s := State{X: noise.Draw(0), Draws: 1} // data all 0: the noise is what there is
		output := make([]float32, n)
		for i, v := range s.X {
			s.X[i] = v * sqrt32(1-p.AlphaBar(0))
			output[i] = v
		}
		next, _, err := p.Step(s, output, Options{Eta: eta, Noise: noise})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range next.X {
			sum += float64(v) * float64(v)
		}
		if got, want := sum/n, float64(1-p.AlphaBar(1)); math.Abs(got-want) > 0.03 {
			t.Errorf("eta %g: the variance is %g, want %g", eta, got, want)
		}
	}
}

func TestConsistencyModelsRefuse(t *testing.T) {
	tests := []struct {
		config string
		req    Request
		want   string
	}{
		{`{}`, Request{Steps: 51}, "steps is 51, want 1 to 50 (original_inference_steps"},
		{`{"original_inference_steps":0}`, Request{Steps: 1}, "original_inference_steps is 0"},
		{`{"original_inference_steps":1001}`, Request{Steps: 1}, "want 1 to num_train_timesteps = 1000"},
		{`{"beta_schedule":"steep"}`, Request{Steps: 1}, `beta_schedule "steep"`},
		{`{"prediction_type":"guess"}`, Request{Steps: 1}, `prediction_type "guess"`},
		{`{"rescale_betas_zero_snr":true}`, Request{Steps: 1}, "want v_prediction"},
	}
	refused(t, "tcd", tests)
	refused(t, "lcm", tests)
	refused(t, "lcm", []struct {
		config string
		req    Request
		want   string
	}{
		{`{"timestep_scaling":0}`, Request{Steps: 1}, "timestep_scaling is 0, want more than 0"},
		{`{"timestep_scaling":1e300}`, Request{Steps: 1}, "timestep_scaling is 1e+300"},
	})
	refused(t, "tcd", []struct {
		config string
		req    Request
		want   string
	}{
		{
			`{"trained_betas":[0.5,1,0.5,0.5],"num_train_timesteps":4,"original_inference_steps":4,"prediction_type":"sample"}`,
			Request{Steps: 4}, "no signal at timestep 2, which a step goes to",
		},
	})
}
