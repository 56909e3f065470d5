package samplers

import (
	"math"
	"testing"
)

func TestTrap04LDMTablesAreDouble(t *testing.T) {
	sd := parseOf(t, stableDiffusion)
	single, err := sd.alphasCumprod()
	if err != nil {
		t.Fatal(err)
	}
	double, err := sd.ldmAlphas()
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for i, a := range double {
		if a != single[i] {
			differ++
		}
		if off := math.Abs(float64(a-single[i])) / float64(a); off > 1e-5 {
			t.Fatalf("alpha-bar %d is %g, in single precision %g", i, a, single[i])
		}
	}
	if differ < 500 {
		t.Errorf("%d of 1000 entries differ from the table in single precision, want at least 500", differ)
	}
}

// TestTrap04LDMAgreesWithDiffusers runs both where the number of steps divides 1000.
func TestTrap04LDMAgreesWithDiffusers(t *testing.T) {
	for ours, theirs := range map[string]string{"ldm-ddim": "ddim", "ldm-plms": "plms"} {
		for _, n := range []int{5, 10, 20, 50} {
			var ends [2][]float32
			for k, name := range []string{ours, theirs} {
				p := layOut(t, name, stableDiffusion, Request{Steps: n})
				s := State{X: []float32{0.3, -1.2, 0.8, 1.5, -0.4}, Draws: 1}
				for !p.Done(s) {
					next, _, err := p.Step(s, mixture(p, s), Options{})
					if err != nil {
						t.Fatal(err)
					}
					s = next
				}
				ends[k] = s.X
			}
			if !near(ends[0], ends[1], 1e-5) {
				t.Errorf("%d steps: %s ends on %v, %s on %v", n, ours, ends[0], theirs, ends[1])
			}
		}
	}
}

func TestTrap10LDMSamplersMayTakeMoreSteps(t *testing.T) {
	for name, calls := range map[string]int{"ldm-ddim": 31, "ldm-plms": 32} {
		p := layOut(t, name, stableDiffusion, Request{Steps: 30})
		if p.Steps() != 31 || p.Calls() != calls {
			t.Errorf("%s: 30 steps are %d steps of %d calls, want 31 of %d", name, p.Steps(), p.Calls(), calls)
		}
	}
	for _, n := range []int{3, 9, 27, 36, 37, 101, 1000} { // CompVis's code fails there
		if p := layOut(t, "ldm-ddim", stableDiffusion, Request{Steps: n}); p.Timestep(0) > 999 {
			t.Errorf("%d steps: the first timestep is %g, want at most 999", n, p.Timestep(0))
		}
	}
}

func TestTrap16LDMCountsDrawsAtEtaZero(t *testing.T) {
	p := layOut(t, "ldm-ddim", stableDiffusion, Request{Steps: 5})
	if end := finish(t, p, noisyPoint(p, 0), "epsilon", Options{}); end.Draws != 6 {
		t.Errorf("%d draws after the start and 5 steps, want 6", end.Draws)
	}
	p = layOut(t, "ldm-plms", stableDiffusion, Request{Steps: 5})
	if end := finish(t, p, noisyPoint(p, 0), "epsilon", Options{}); end.Draws != 1 {
		t.Errorf("ldm-plms: %d draws, want that of the start", end.Draws)
	}
}

// TestLDMNoise wants eta to scale the noise that is added, and what is added to make up
// for what is taken away.
func TestLDMNoise(t *testing.T) {
	p := layOut(t, "ldm-ddim", stableDiffusion, Request{Steps: 10})
	ones := constantNoise{1, 1, 1, 1, 1}
	s := noisyPoint(p, 4)
	output := make([]float32, len(point)) // no noise predicted: what is added is all there is
	quiet, x0, err := p.Step(s, output, Options{})
	if err != nil {
		t.Fatal(err)
	}
	half, _, err := p.Step(s, output, Options{Eta: 0.5, Noise: ones})
	if err != nil {
		t.Fatal(err)
	}
	full, _, err := p.Step(s, output, Options{Eta: 1, Noise: ones})
	if err != nil {
		t.Fatal(err)
	}
	a, prev := float64(p.AlphaBar(4)), float64(p.AlphaBar(5))
	want := math.Sqrt((1 - prev) / (1 - a) * (1 - a/prev))
	for i := range point {
		if got := float64(full.X[i] - quiet.X[i]); math.Abs(got-want) > 1e-6 {
			t.Errorf("eta 1 adds %g, want %g", got, want)
		}
		if got := float64(half.X[i] - quiet.X[i]); math.Abs(got-want/2) > 1e-6 {
			t.Errorf("eta 0.5 adds %g, want %g", got, want/2)
		}
		if got, want := float64(quiet.X[i]), math.Sqrt(prev)*float64(x0[i]); math.Abs(got-want) > 1e-6 {
			t.Errorf("eta 0 goes to %g, want %g", got, want)
		}
	}
}

// constantNoise is the same at every draw.
type constantNoise []float32

func (c constantNoise) Draw(int) []float32 { return append([]float32(nil), c...) }

func TestLDMIgnoresBoundsAndSpacingOfTheConfig(t *testing.T) {
	const config = `{"clip_sample":true,"thresholding":true,"clip_sample_range":-1,"timestep_spacing":"linspace","steps_offset":7}`
	for _, name := range []string{"ldm-ddim", "ldm-plms"} {
		p := layOut(t, name, config, Request{Steps: 10})
		if p.Timestep(0) != 901 {
			t.Errorf("%s: the first timestep is %g, want 901", name, p.Timestep(0))
		}
		x0, _ := p.Predict(State{X: []float32{9, -9}}, []float32{0, 0})
		if x0[0] <= 9 || x0[1] >= -9 {
			t.Errorf("%s: x0 is %v, want it beyond 9 and -9", name, x0)
		}
		if _, err := tryLayOut(t, name, config, Request{Steps: 10, Spacing: LDM}); err != nil {
			t.Errorf("%s with its own spacing: %v", name, err)
		}
	}
}

func TestLDMBetas(t *testing.T) {
	for _, config := range []string{
		`{"beta_schedule":"linear"}`, `{"beta_schedule":"scaled_linear"}`, `{"beta_schedule":"squaredcos_cap_v2"}`,
		`{"trained_betas":[0.1,0.2,0.3],"num_train_timesteps":3}`, `{"num_train_timesteps":1}`,
	} {
		c := parseOf(t, config)
		single, err := c.alphasCumprod()
		if err != nil {
			t.Fatal(err)
		}
		double, err := c.ldmAlphas()
		if err != nil {
			t.Fatal(err)
		}
		if !near(single, double, 1e-5) {
			t.Errorf("%s: the tables in double and in single precision are not the same", config)
		}
	}
}

// TestLDMRepeatsATimestep has a list that is clipped: a step that does not move adds no
// noise.
func TestLDMRepeatsATimestep(t *testing.T) {
	p := layOut(t, "ldm-ddim", `{"num_train_timesteps":3,"beta_start":0.1,"beta_end":0.3}`, Request{Steps: 3})
	if p.Timestep(0) != p.Timestep(1) {
		t.Fatalf("timesteps %v, want the first twice", p.timesteps)
	}
	s := noisyPoint(p, 0)
	next, _, err := p.Step(s, pointOutput(p, s, "epsilon"), Options{Eta: 1, Noise: constantNoise{9, 9, 9, 9, 9}})
	if err != nil || !near(next.X, s.X, 1e-6) {
		t.Errorf("went to %v (error %v), want to stay at %v", next.X, err, s.X)
	}
}

func TestLDMRefuses(t *testing.T) {
	for _, name := range []string{"ldm-ddim", "ldm-plms"} {
		refused(t, name, []struct {
			config string
			req    Request
			want   string
		}{
			{`{}`, Request{Steps: 5, Spacing: Trailing}, `spacing is "trailing", want "ldm"`},
			{`{"prediction_type":"guess"}`, Request{Steps: 5}, `prediction_type "guess"`},
			{`{"beta_schedule":"sigmoid"}`, Request{Steps: 5}, `beta_schedule "sigmoid" is none of CompVis's`},
			{`{"beta_start":-1,"beta_schedule":"scaled_linear"}`, Request{Steps: 5}, "want betas from 0 to 1"},
			{`{"trained_betas":[0.1]}`, Request{Steps: 5}, "trained_betas has 1 entries"},
			{`{"trained_betas":[0.1,0.5,1],"num_train_timesteps":3}`, Request{Steps: 3}, "scheduler config: the betas"},
		})
	}
}
