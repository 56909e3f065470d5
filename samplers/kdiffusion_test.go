package samplers

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// kNames are the samplers of this family.
func kNames() []string { return []string{"euler", "euler-a", "heun", "lms", "dpm2", "dpm2-a"} }

const kStableDiffusion = `{"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012}`

func kTryPlan(t *testing.T, name, config string, r Request) (*Plan, error) {
	t.Helper()
	c, err := ParseConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	r.Sampler, r.Config = name, c
	return NewPlan(r)
}

func kPlan(t *testing.T, name, config string, r Request) *Plan {
	t.Helper()
	p, err := kTryPlan(t, name, config, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kWith adds keys to a config.
func kWith(config, keys string) string { return strings.TrimSuffix(config, "}") + "," + keys + "}" }

// kNoise is noise that tests can tell: k everywhere, but in the start noise.
type kNoise []float32

func (n kNoise) Draw(k int) []float32 {
	out := slices.Clone(n)
	for i := range out {
		if k > 0 {
			out[i] = float32(k)
		}
	}
	return out
}

func kNear(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= tolerance*max(1, math.Abs(float64(w)))) {
			t.Errorf("%s: value %d is %.9g, want %.9g", what, i, got[i], w)
		}
	}
}

// kOutput is what a model of one prediction type outputs for x0 and eps at a call.
func kOutput(p *Plan, i int, kind string, x0, eps []float32) []float32 {
	sigma := float64(p.Sigma(i))
	signal := 1 / math.Sqrt(1+sigma*sigma)
	out := make([]float32, len(x0))
	for j := range out {
		switch kind {
		case "epsilon":
			out[j] = eps[j]
		case "v_prediction":
			out[j] = float32(signal*float64(eps[j]) - signal*sigma*float64(x0[j]))
		default:
			out[j] = x0[j]
		}
	}
	return out
}

// kDenoise is the output, of noise, of the best denoiser of data of standard
// deviation 1/2. The flow from x at sigma is then x*sqrt((1/4+s^2)/(1/4+sigma^2)).
func kDenoise(p *Plan, s State) []float32 {
	sigma := p.Sigma(s.Index)
	out := make([]float32, len(s.X))
	for i, x := range s.X {
		out[i] = x * sigma / (0.25 + sigma*sigma)
	}
	return out
}

// kRun makes the first calls of a run.
func kRun(t *testing.T, p *Plan, noise Noise, calls int) State {
	t.Helper()
	s := p.Start(noise)
	for s.Index < calls {
		next, _, err := p.Step(s, kDenoise(p, s), Options{Noise: noise})
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

func TestPredictGivesX0AndNoise(t *testing.T) {
	x0, eps := []float32{1.5, -0.5, 0}, []float32{-0.3, 1, 2}
	for _, name := range kNames() {
		for _, kind := range []string{"epsilon", "v_prediction", "sample", "original_sample"} {
			p, err := kTryPlan(t, name, kWith(kStableDiffusion, `"prediction_type":"`+kind+`"`), Request{Steps: 4})
			if err != nil {
				if kind == "epsilon" || kind == "v_prediction" {
					t.Error(err)
				}
				continue
			}
			for i := range p.Calls() {
				s := State{Index: i, X: make([]float32, 3)}
				for j := range s.X {
					s.X[j] = x0[j] + p.Sigma(i)*eps[j]
				}
				gotX0, gotEps := p.Predict(s, kOutput(p, i, kind, x0, eps))
				kNear(t, fmt.Sprintf("%s, %s, call %d: x0", name, kind, i), gotX0, x0, 1e-4)
				kNear(t, fmt.Sprintf("%s, %s, call %d: eps", name, kind, i), gotEps, eps, 1e-4)
			}
		}
	}
}

func TestHeunClipsTheOriginalAlone(t *testing.T) {
	config := kWith(kStableDiffusion, `"clip_sample":true,"clip_sample_range":2,"prediction_type":"sample"`)
	p := kPlan(t, "heun", config, Request{Steps: 3})
	s := State{X: []float32{1, 2, 3}}
	output := []float32{-5, 1, 5}
	x0, eps := p.Predict(s, output)
	kNear(t, "x0", x0, []float32{-2, 1, 2}, 0)
	kNear(t, "eps", eps, []float32{6 / p.Sigma(0), 1 / p.Sigma(0), -2 / p.Sigma(0)}, 1e-6)
	next, x0, err := p.Step(s, output, Options{})
	if err != nil {
		t.Fatal(err)
	}
	kNear(t, "x0 of the step", x0, []float32{-2, 1, 2}, 0)
	if _, x0, err = p.Step(next, output, Options{}); err != nil {
		t.Fatal(err)
	}
	kNear(t, "x0 of the correction", x0, []float32{-2, 1, 2}, 0)
	for _, name := range []string{"euler", "lms"} {
		x0, _ := kPlan(t, name, config, Request{Steps: 3}).Predict(s, output)
		kNear(t, name+" does not clip: x0", x0, output, 0)
	}
}

// TestOrder halves the steps of the flow of a Gaussian, which is known.
func TestOrder(t *testing.T) {
	failure := map[string][]float64{}
	for _, name := range []string{"euler", "heun", "dpm2", "lms"} {
		for _, n := range []int{21, 41} {
			p := kPlan(t, name, kStableDiffusion, Request{Steps: n, Sigmas: "karras"})
			s := kRun(t, p, kNoise{1}, p.Calls()-1) // the last step is Euler's for all
			from, to := float64(p.Sigma(0)), float64(p.Sigma(p.Calls()-1))
			want := from * math.Sqrt((0.25+to*to)/(0.25+from*from))
			failure[name] = append(failure[name], math.Abs(float64(s.X[0])-want))
		}
	}
	for name, least := range map[string]float64{"euler": 1.8, "heun": 3.3, "dpm2": 3.3, "lms": 3.3} {
		f := failure[name]
		if ratio := f[0] / f[1]; ratio < least || name != "euler" && f[1] > failure["euler"][1]/10 {
			t.Errorf("%s is off by %g in 20 steps and %g in 40, want at least %g times less", name, f[0], f[1], least)
		}
	}
}

func TestPairsOfCalls(t *testing.T) {
	for _, name := range []string{"heun", "dpm2", "dpm2-a"} {
		p := kPlan(t, name, kStableDiffusion, Request{Steps: 3})
		if p.Calls() != 5 || p.Steps() != 3 || !slices.Equal(p.stepOf, []int{0, 0, 1, 1, 2}) {
			t.Errorf("%s: %d calls, %d steps, %v; want 5, 3 and two calls a step but the last", name, p.Calls(), p.Steps(), p.stepOf)
		}
		for i := range p.Calls() {
			x, _ := p.Input(State{Index: i, X: []float32{1}})
			kNear(t, fmt.Sprintf("%s, input %d", name, i), x, []float32{sqrt32(p.AlphaBar(i))}, 1e-6)
		}
		if p.Sigma(1) >= p.Sigma(0) || p.Sigma(5) != 0 {
			t.Errorf("%s: levels %v, want the second below the first, and 0 at the end", name, p.sigmas)
		}
	}
}

// TestFreshStart has no memory of the calls before: the step is Euler's.
func TestFreshStart(t *testing.T) {
	for _, name := range []string{"lms", "heun", "dpm2", "dpm2-a"} {
		p := kPlan(t, name, kStableDiffusion, Request{Steps: 5})
		for i := range p.Calls() {
			s := State{Index: i, X: []float32{1, -2}}
			output := []float32{0.5, 0.25}
			next, _, err := p.Step(s, output, Options{Noise: kRecorded{0, 0}})
			if err != nil {
				t.Fatal(err)
			}
			dt := p.Sigma(i+1) - p.Sigma(i)
			if name == "dpm2-a" && i%2 == 1 {
				down, _ := ancestral(p.Sigma(i-1), p.Sigma(i+1))
				dt = down - p.Sigma(i)
			}
			kNear(t, fmt.Sprintf("%s, call %d", name, i), next.X, []float32{1 + dt*0.5, -2 + dt*0.25}, 1e-5)
		}
	}
}

func TestKDiffusionRefuses(t *testing.T) {
	falling := func(n int, f func(i int) string) string { // n betas
		var betas []string
		for i := range n {
			betas = append(betas, f(i))
		}
		return fmt.Sprintf(`{"num_train_timesteps":%d,"trained_betas":[%s]}`, n, strings.Join(betas, ","))
	}
	tests := map[string]struct {
		name, config string
		request      Request
		want         string
	}{
		"interpolation_type":   {"euler", `{"interpolation_type":"cubic"}`, Request{Steps: 3}, `interpolation_type "cubic"`},
		"final_sigmas_type":    {"euler", `{"final_sigmas_type":"one"}`, Request{Steps: 3}, `final_sigmas_type "one"`},
		"timestep_type":        {"euler", `{"timestep_type":"odd"}`, Request{Steps: 3}, `timestep_type "odd"`},
		"prediction_type":      {"euler", `{"prediction_type":"flow"}`, Request{Steps: 3}, `prediction_type "flow"`},
		"sample for euler-a":   {"euler-a", `{"prediction_type":"sample"}`, Request{Steps: 3}, `"sample" is not one of euler-a, want epsilon, v_prediction`},
		"sample for dpm2":      {"dpm2", `{"prediction_type":"sample"}`, Request{Steps: 3}, `"sample" is not one of dpm2`},
		"sample for dpm2-a":    {"dpm2-a", `{"prediction_type":"sample"}`, Request{Steps: 3}, `"sample" is not one of dpm2-a`},
		"flow for heun":        {"heun", `{"prediction_type":"flow"}`, Request{Steps: 3}, `"flow" is not one of heun`},
		"flow for lms":         {"lms", `{"prediction_type":"flow"}`, Request{Steps: 3}, `"flow" is not one of lms`},
		"clip_sample_range":    {"heun", `{"clip_sample":true,"clip_sample_range":0}`, Request{Steps: 3}, "clip_sample_range is 0"},
		"two conversions":      {"lms", `{"use_karras_sigmas":true,"use_beta_sigmas":true}`, Request{Steps: 3}, "karras and beta"},
		"spacing":              {"heun", `{"timestep_spacing":"dense"}`, Request{Steps: 3}, `"dense" is unknown`},
		"past the table":       {"dpm2", `{"timestep_spacing":"leading","steps_offset":1}`, Request{Steps: 1000}, "reaches timestep 1000"},
		"betas":                {"euler-a", `{"beta_schedule":"steep"}`, Request{Steps: 3}, `beta_schedule "steep"`},
		"betas of lms":         {"lms", `{"beta_schedule":"steep"}`, Request{Steps: 3}, `beta_schedule "steep"`},
		"no noise":             {"euler", falling(3, func(int) string { return "0" }), Request{Steps: 2}, "noise level 0 of step 0"},
		"no signal":            {"heun", falling(3, func(int) string { return "1" }), Request{Steps: 2}, "noise level +Inf of step 0"},
		"sigma_min above":      {"euler", `{"sigma_min":5,"sigma_max":2,"use_karras_sigmas":true}`, Request{Steps: 3}, "rise from 2"},
		"sigma_min of zero":    {"euler", `{"sigma_min":0,"use_exponential_sigmas":true}`, Request{Steps: 3}, "exponential noise levels from 157.407"},
		"sigma_min below zero": {"euler", `{"sigma_min":-1,"use_karras_sigmas":true}`, Request{Steps: 3}, "down to -1 are not within"},
		"absurd sigma_max":     {"euler", `{"sigma_max":1e30,"use_karras_sigmas":true}`, Request{Steps: 3}, "from 1e+30 down to"},
		"sigma_max below zero": {"euler", `{"sigma_max":-1,"use_karras_sigmas":true}`, Request{Steps: 3}, "noise level NaN of step 0"},
		"tiny level":           {"euler", `{}`, Request{Sigmas: "5,1e-9"}, "noise level 1e-09 of step 1"},
		"close levels":         {"lms", `{}`, Request{Sigmas: "50,49.99999,0.1"}, "[50 49.99999]"},
		"equal levels":         {"lms", `{"timestep_spacing":"ldm"}`, Request{Steps: 1000}, "too close together"},
		"levels without timestep": {
			"euler", falling(3, func(i int) string { return []string{"0", "0.5", "0.5"}[i] }), Request{Sigmas: "1,0.5"}, "has no timestep",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := kTryPlan(t, tt.name, tt.config, tt.request); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestRunsAreFiniteAndRepeat makes whole runs of few and of many steps. Nothing is
// written to a state once it is one.
func TestRunsAreFiniteAndRepeat(t *testing.T) {
	configs := []string{
		kStableDiffusion, `{}`, `{"beta_schedule":"squaredcos_cap_v2"}`, `{"num_train_timesteps":1,"beta_start":0.5}`,
		`{"beta_schedule":"squaredcos_cap_v2","timestep_spacing":"trailing"}`,
		kWith(kStableDiffusion, `"rescale_betas_zero_snr":true,"timestep_spacing":"trailing","final_sigmas_type":"sigma_min"`),
	}
	noise := kNoise{1, -0.5, 0}
	for _, name := range kNames() {
		for _, config := range configs {
			for _, sigmas := range SigmaSchedules() {
				for _, n := range []int{1, 2, 3, 10, 40} {
					p, err := kTryPlan(t, name, config, Request{Steps: n, Sigmas: sigmas})
					if err != nil {
						if !strings.Contains(config, `"num_train_timesteps":1,`) {
							t.Errorf("%s, %s, %s, %d steps: %v", name, config, sigmas, n, err)
						}
						continue
					}
					kReplay(t, fmt.Sprintf("%s, %s, %s, %d steps", name, config, sigmas, n), p, noise)
				}
			}
		}
	}
}

// kReplay runs p twice, the second time backwards over the states of the first.
func kReplay(t *testing.T, what string, p *Plan, noise Noise) {
	t.Helper()
	states := []State{p.Start(noise)}
	step := func(s State) State {
		output := kDenoise(p, s)
		next, x0, err := p.Step(s, output, Options{Noise: noise})
		if err != nil || !slices.Equal(output, kDenoise(p, s)) {
			t.Fatalf("%s: output or latent written to, or error %v", what, err)
		}
		for _, v := range slices.Concat(next.X, x0) {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Fatalf("%s: %g after call %d", what, v, s.Index)
			}
		}
		return next
	}
	for !p.Done(states[len(states)-1]) {
		states = append(states, step(states[len(states)-1]))
	}
	for k := len(states) - 2; k >= 0; k-- {
		again, want := step(states[k]), states[k+1]
		same := again.Index == want.Index && again.Draws == want.Draws && slices.Equal(again.X, want.X) &&
			slices.EqualFunc(again.Memory, want.Memory, slices.Equal[[]float32])
		if !same {
			t.Fatalf("%s: call %d made again differs", what, k)
		}
	}
}

func BenchmarkKDiffusionStep(b *testing.B) {
	const n = 4 * 128 * 128
	out := make([]float32, n)
	noise := kRecorded(make([]float32, n))
	for _, name := range kNames() {
		b.Run(name, func(b *testing.B) {
			p, err := NewPlan(Request{Sampler: name, Steps: 20})
			if err != nil {
				b.Fatal(err)
			}
			start := State{X: make([]float32, n)}
			for range 4 {
				if start, _, err = p.Step(start, out, Options{Noise: noise}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.Step(start, out, Options{Noise: noise}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
