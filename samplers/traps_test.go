package samplers

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// The traps are numbered as in the notes on the reference.

func plan(t *testing.T, config string, r Request) *Plan {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	r.Sampler, r.Config = "ddim", c
	p, err := NewPlan(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const stableDiffusion = `{"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,"clip_sample":false,"set_alpha_to_one":false,"steps_offset":1}`

func TestTrap01LinspaceIsFused(t *testing.T) {
	got := linspace32(math.Sqrt(0.00085), math.Sqrt(0.012), 1000)
	plain := 0
	step := (got[999] - got[0]) / 999
	for i := range got[:500] {
		if got[i] != float32(got[0]+float32(step*float32(i))) {
			plain++
		}
	}
	if plain < 25 {
		t.Errorf("%d of 500 entries differ from a plain multiply and add, want over 25: is it fused?", plain)
	}
}

func TestTrap02CumprodAccumulatesInDouble(t *testing.T) {
	betas := linspace32(1e-4, 0.02, 1000)
	single := float32(1)
	differ := 0
	for i, a := range cumprodOfComplement(betas) {
		single *= 1 - betas[i]
		if a != single {
			differ++
		}
	}
	if differ < 840 {
		t.Errorf("%d of 1000 entries differ from a product in single precision, want at least 840", differ)
	}
}

func TestTrap06RoundingIsHalfToEven(t *testing.T) {
	// 999/6 = 166.5, 499.5 and 832.5 are ties.
	if got, want := linspace(7, 1000), []int{999, 832, 666, 500, 333, 166, 0}; !slices.Equal(got, want) {
		t.Errorf("linspace gives %v, want %v", got, want)
	}
}

func TestTrap07LeadingIsMultiplesPlusOffset(t *testing.T) {
	p := plan(t, stableDiffusion, Request{Steps: 20})
	if p.Timestep(0) != 951 || p.Timestep(1) != 901 || p.Timestep(19) != 1 {
		t.Errorf("timesteps %v, want 951, 901 ... 1", p.timesteps)
	}
}

func TestTrap09TrailingHasNoStepAtMinusOne(t *testing.T) {
	for n := 1; n <= 1000; n++ {
		ts, err := spacingParams{TimestepSpacing: Trailing}.timesteps(n, 1000)
		if err != nil || len(ts) != n || ts[0] != 999 {
			t.Fatalf("%d steps: %d timesteps from %v, error %v", n, len(ts), ts[:1], err)
		}
	}
}

func TestTrap10LDMSpacingIsNotAlwaysNSteps(t *testing.T) {
	for n, want := range map[int]int{30: 31, 20: 20, 50: 50, 3: 4} {
		ts := ldmUniform(n, 1000)
		if len(ts) != want || ts[0] > 999 {
			t.Errorf("%d steps: %d timesteps from %d, want %d within the table", n, len(ts), ts[0], want)
		}
	}
}

// parseOf lays a config over the defaults of DDIM.
func parseOf(t *testing.T, config string) params {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := ddim().method.resolve(Request{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

func TestTrap11PreviousTimestepIsByArithmetic(t *testing.T) {
	p := plan(t, stableDiffusion, Request{Steps: 7, Spacing: Linspace})
	prev := p.solver.(*ddimSolver).prev
	c, err := parseOf(t, stableDiffusion).alphasCumprod()
	if err != nil {
		t.Fatal(err)
	}
	for i, ts := range p.timesteps[:6] {
		if want := c[int(ts)-1000/7]; prev[i] != want {
			t.Errorf("step %d from %g goes to alpha-bar %g, want %g (t - 142)", i, ts, prev[i], want)
		}
	}
}

func TestTrap15DefaultsClipAndEndOnOne(t *testing.T) {
	byDefault := plan(t, `{}`, Request{Steps: 10}).solver.(*ddimSolver)
	if !byDefault.clip.ClipSample || byDefault.prev[9] != 1 {
		t.Errorf("clip_sample %v, last alpha-bar %g; want true and 1", byDefault.clip.ClipSample, byDefault.prev[9])
	}
	x0 := []float32{-3, -0.5, 0.5, 3}
	both := predictor{kind: "epsilon", clip: clipParams{
		ClipSample: true, ClipSampleRange: 1, Thresholding: true, DynamicThresholdingP: 1, ThresholdingSampleMax: 10,
	}}
	both.bound(x0)
	if want := []float32{-1, -0.5 / 3, 0.5 / 3, 1}; !slices.Equal(x0, want) {
		t.Errorf("clipping and thresholding give %v, want %v: thresholding wins", x0, want)
	}
}

func TestTrap16NoNoiseIsDrawnAtEtaZero(t *testing.T) {
	p := plan(t, stableDiffusion, Request{Steps: 5})
	state := State{X: []float32{1, 2, 3}, Draws: 1}
	next, _, err := p.Step(state, []float32{0, 0, 0}, Options{})
	if err != nil || next.Draws != 1 {
		t.Errorf("%d draws, error %v; want 1 and none", next.Draws, err)
	}
}

func TestTrap23FlaxClassNames(t *testing.T) {
	c, err := ParseConfig([]byte(`{"_class_name":"FlaxDDIMScheduler"}`))
	if err != nil || c.Class() != "DDIMScheduler" {
		t.Errorf("class %q, error %v; want DDIMScheduler", c.Class(), err)
	}
}

func TestTrap24AbsentKeysTakeTheClassDefault(t *testing.T) {
	p := plan(t, `{"_class_name":"EulerDiscreteScheduler","beta_schedule":"scaled_linear"}`, Request{Steps: 10})
	if p.Timestep(0) != 900 { // DDIM's default is leading, Euler's linspace
		t.Errorf("first timestep %g, want 900", p.Timestep(0))
	}
}

func TestConfigKeepsUnknownKeys(t *testing.T) {
	c, err := ParseConfig([]byte(`{"_class_name":"DDIMScheduler","tensor_format":"pt"}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err = c.With("steps_offset", 1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"_class_name":"DDIMScheduler","steps_offset":1,"tensor_format":"pt"}`; string(data) != want {
		t.Errorf("written as %s, want %s", data, want)
	}
}

func TestNewPlanRefuses(t *testing.T) {
	tests := map[string]struct {
		config string
		req    Request
		want   string
	}{
		"no steps":            {stableDiffusion, Request{Steps: 0}, "steps is 0, want 1 to 1000"},
		"more than trained":   {stableDiffusion, Request{Steps: 1001}, "steps is 1001"},
		"past the table":      {stableDiffusion, Request{Steps: 1000}, "reaches timestep 1000"},
		"unknown spacing":     {stableDiffusion, Request{Steps: 5, Spacing: "dense"}, `"dense" is unknown`},
		"sigmas":              {stableDiffusion, Request{Steps: 5, Sigmas: "karras"}, "no sigma schedule"},
		"unknown betas":       {`{"beta_schedule":"steep"}`, Request{Steps: 5}, `beta_schedule "steep"`},
		"unknown prediction":  {`{"prediction_type":"guess"}`, Request{Steps: 5}, `prediction_type "guess"`},
		"too few betas":       {`{"trained_betas":[0.1]}`, Request{Steps: 5}, "trained_betas has 1 entries"},
		"absurd table":        {`{"num_train_timesteps":2000000000}`, Request{Steps: 5}, "num_train_timesteps is 2000000000"},
		"betas beyond one":    {`{"beta_start":2,"beta_end":3}`, Request{Steps: 5}, "alpha-bar"},
		"no signal, epsilon":  {`{"rescale_betas_zero_snr":true,"timestep_spacing":"trailing"}`, Request{Steps: 5}, "want v_prediction"},
		"wrong type in a key": {`{"steps_offset":"one"}`, Request{Steps: 5}, "steps_offset"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := ParseConfig([]byte(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			tt.req.Sampler, tt.req.Config = "ddim", c
			if _, err = NewPlan(tt.req); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestStepRefuses(t *testing.T) {
	p := plan(t, stableDiffusion, Request{Steps: 2})
	state := State{X: []float32{1}}
	for name, step := range map[string]func() error{
		"past the end": func() error {
			_, _, err := p.Step(State{Index: 2, X: []float32{1}}, []float32{1}, Options{})
			return err
		},
		"wrong length":  func() error { _, _, err := p.Step(state, []float32{1, 2}, Options{}); return err },
		"eta above one": func() error { _, _, err := p.Step(state, []float32{1}, Options{Eta: 1.01}); return err },
		"eta NaN":       func() error { _, _, err := p.Step(state, []float32{1}, Options{Eta: math.NaN()}); return err },
	} {
		if step() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestGuide(t *testing.T) {
	cond, uncond := []float32{1, 2}, []float32{0, 4}
	if got := Guide(cond, uncond, 3); !slices.Equal(got, []float32{3, -2}) {
		t.Errorf("scale 3 gives %v, want [3 -2]", got)
	}
	for _, scale := range []float64{0, 0.5, 1} {
		if got := Guide(cond, nil, scale); !slices.Equal(got, cond) {
			t.Errorf("scale %g gives %v, want the conditional output alone", scale, got)
		}
	}
}

func BenchmarkDDIMStep(b *testing.B) {
	const n = 4 * 128 * 128
	c, err := ParseConfig([]byte(stableDiffusion))
	if err != nil {
		b.Fatal(err)
	}
	p, err := NewPlan(Request{Sampler: "ddim", Config: c, Steps: 20})
	if err != nil {
		b.Fatal(err)
	}
	s := State{X: make([]float32, n)}
	out := make([]float32, n)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Step(s, out, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
