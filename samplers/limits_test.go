package samplers

import (
	"math"
	"slices"
	"testing"
)

// TestLimitsAreTaken has values just at the end of what is allowed.
func TestLimitsAreTaken(t *testing.T) {
	for name, tt := range map[string]struct {
		sampler, config string
		request         Request
	}{
		"all of x0":         {"ddim", `{"thresholding":true,"dynamic_thresholding_ratio":1}`, Request{Steps: 5}},
		"least of x0":       {"ddim", `{"thresholding":true,"dynamic_thresholding_ratio":0}`, Request{Steps: 5}},
		"every timestep":    {"ddim", `{}`, Request{Steps: 1000}},
		"one timestep":      {"ddim", `{"num_train_timesteps":1}`, Request{Steps: 1}},
		"from the last":     {"euler", `{}`, Request{Steps: 5, From: 999}},
		"highest level":     {"euler", `{}`, Request{Sigmas: "1e6,1"}},
		"lowest level":      {"euler", `{}`, Request{Sigmas: "1,1e-6"}},
		"converted to ends": {"euler", `{"use_karras_sigmas":true,"sigma_max":1e6,"sigma_min":1e-6}`, Request{Steps: 3}},
		"every distilled":   {"lcm", `{}`, Request{Steps: 50}},
		"all distilled":     {"lcm", `{"original_inference_steps":1000}`, Request{Steps: 3}},
		"greatest scaling":  {"lcm", `{"timestep_scaling":1e9}`, Request{Steps: 3}},
	} {
		if _, err := tryLayOut(t, tt.sampler, tt.config, tt.request); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, by := range Batchings() {
		images, err := NewBatch(Torch, 3, 20, 1, by)
		if err != nil || !slices.Equal(images[0].Draw(0), mustNoise(t, Torch, 3, 20).Draw(0)) {
			t.Errorf("a batch of one by %s is not its image: error %v", by, err)
		}
		if _, err := NewBatch(Torch, 3, 1, 2, by); err != nil {
			t.Errorf("images of one value by %s: %v", by, err)
		}
	}
}

// TestSinglestepForgets keeps nothing for a call that begins a step anew.
func TestSinglestepForgets(t *testing.T) {
	p := layOut(t, "dpm++2s", stableDiffusion, Request{Steps: 6})
	for s := (State{X: make([]float32, 4)}); !p.Done(s); {
		if begins := s.Index%2 == 0 || s.Index == 5; begins != (len(s.Memory) == 0) {
			t.Errorf("%d latents in memory before call %d", len(s.Memory), s.Index)
		}
		next, _, err := p.Step(s, make([]float32, 4), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
}

// TestNormalsHaveNoNegativeZero has uniforms that give a radius of -0.
func TestNormalsHaveNoNegativeZero(t *testing.T) {
	var u [torchBlock]float32
	for i := range torchBlock / 2 {
		u[torchBlock/2+i] = float32(i) / 8
	}
	boxMuller(&u)
	for i, v := range u {
		if math.Float32bits(v) != 0 {
			t.Errorf("value %d is %g with bits %x, want 0", i, v, math.Float32bits(v))
		}
	}
}

// TestOneStepOfLinspace is at timestep 0, as numpy's linspace of one value has it.
func TestOneStepOfLinspace(t *testing.T) {
	for _, name := range []string{"ddim", "ddpm", "euler", "heun"} {
		p := layOut(t, name, `{}`, Request{Steps: 1, Spacing: Linspace})
		if p.Calls() != 1 || p.Timestep(0) != 0 {
			t.Errorf("%s: %d calls from timestep %g, want 1 from 0", name, p.Calls(), p.Timestep(0))
		}
	}
	if ts := linspace(5, 1000); !slices.Equal(ts, []int{999, 749, 500, 250, 0}) {
		t.Errorf("5 timesteps are %v", ts)
	}
}

// TestSpacingNamesTheTimesteps that there are.
func TestSpacingNamesTheTimesteps(t *testing.T) {
	refused(t, "ddim", []struct {
		config string
		req    Request
		want   string
	}{
		{`{"steps_offset":100}`, Request{Steps: 10}, "reaches timestep 1000, outside 0 to 999; fewer steps"},
		{`{"steps_offset":30,"num_train_timesteps":100}`, Request{Steps: 5}, "reaches timestep 110, outside 0 to 99; fewer steps"},
	})
}
