package samplers_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"ldx/samplers"
)

// TestAddNoiseIsWhatTheModelSees adds noise at each call, to what the plan says of it.
func TestAddNoiseIsWhatTheModelSees(t *testing.T) {
	config := parseConfig(t, stableDiffusion)
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		p := newPlan(t, samplers.Request{Sampler: s.Name, Config: config, Steps: 9})
		for i := range p.Calls() {
			signal, noise := []float32{1, 0}, []float32{0, 1}
			x := p.Latent(samplers.State{Index: i, X: p.AddNoise(signal, noise, i)})
			share := math.Sqrt(float64(p.AlphaBar(i)))
			if want := []float32{float32(share), float32(share * float64(p.Sigma(i)))}; relative(x, want) > 1e-6 {
				t.Errorf("at call %d the model sees shares %v of signal and noise, want %v", i, x, want)
			}
			if !slices.Equal(signal, []float32{1, 0}) || !slices.Equal(noise, []float32{0, 1}) {
				t.Fatal("AddNoise wrote to what it was given")
			}
		}
		end := p.AddNoise([]float32{1}, []float32{1}, p.Calls())
		if sigma := p.Sigma(p.Calls()); sigma == 0 && end[0] != 1 {
			t.Errorf("x0 with the noise of the end is %g, want x0 = 1", end[0])
		}
	})
}

// TestRunsStartInMidRun goes to the end from any step, as picture to picture does.
func TestRunsStartInMidRun(t *testing.T) {
	config := parseConfig(t, stableDiffusion)
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		p := newPlan(t, samplers.Request{Sampler: s.Name, Config: config, Steps: 9})
		means, noise := toyMeans(small), torchNoise(t, 3, small)
		x0 := make([]float32, small)
		for i, m := range means {
			x0[i] = float32(m)
		}
		for i := range p.Calls() {
			if i > 0 && p.StepOf(i) == p.StepOf(i-1) {
				continue
			}
			state := samplers.State{Index: i, X: p.AddNoise(x0, noise.Draw(0), i), Draws: 1}
			for !p.Done(state) {
				next, _, err := p.Step(state, predictionAt(p, state, means), samplers.Options{Noise: noise})
				if err != nil {
					t.Fatal(err)
				}
				state = next
			}
			// All data are within 5 standard deviations of one mean or the other, and noise
			// of a low level moves little.
			bound := 2.5
			if sigma := float64(p.Sigma(i)); sigma < 0.3 {
				bound = min(bound, 5*sigma)
			}
			for j, m := range means {
				x := float64(state.X[j])
				if off := min(math.Abs(x-m), math.Abs(x+m)); !(off < bound) {
					t.Fatalf("from call %d of %d, element %d ends %g away from its data, want at most %g", i, p.Calls(), j, off, bound)
				}
			}
		}
	})
}

func TestAddNoiseWithoutSignal(t *testing.T) {
	config := parseConfig(t, `{"rescale_betas_zero_snr":true,"prediction_type":"v_prediction","timestep_spacing":"trailing"}`)
	p := newPlan(t, samplers.Request{Sampler: "ddim", Config: config, Steps: 3})
	if x := p.AddNoise([]float32{7}, []float32{2}, 0); x[0] != 2 {
		t.Errorf("the latent is %g, want the noise alone, 2", x[0])
	}
}

func TestTimestepsGivenAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		request samplers.Request
		want    string
	}{
		"no sampler for them": {samplers.Request{Sampler: "ddim", Timesteps: []int{5, 1}}, "ddpm, lcm and tcd take them"},
		"none":                {samplers.Request{Sampler: "ddpm", Timesteps: []int{}}, "timesteps is empty"},
		"spacing too":         {samplers.Request{Sampler: "ddpm", Timesteps: []int{5, 1}, Spacing: samplers.Trailing}, "spacing is trailing"},
		"steps too":           {samplers.Request{Sampler: "lcm", Timesteps: []int{5, 1}, Steps: 2}, "steps is 2"},
		"below 0":             {samplers.Request{Sampler: "tcd", Timesteps: []int{5, -1}}, "timestep -1 is outside"},
		"twice":               {samplers.Request{Sampler: "ddpm", Timesteps: []int{5, 5}}, "from 5 to 5, want a falling list"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := samplers.NewPlan(tt.request); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}
