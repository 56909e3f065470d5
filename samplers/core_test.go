package samplers

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestConfigNamesItsSampler checks which of our names stands for a folder's config:
// the one that fixes no more than the config says, else the class.
func TestConfigNamesItsSampler(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                              "ddim",
		`{"_class_name":"DDIMScheduler"}`: "ddim",
		`{"_class_name":"FlaxPNDMScheduler","skip_prk_steps":true}`:                        "plms",
		`{"_class_name":"PNDMScheduler"}`:                                                  "pndm",
		`{"_class_name":"EulerDiscreteScheduler","use_karras_sigmas":true}`:                "euler",
		`{"_class_name":"DPMSolverMultistepScheduler"}`:                                    "dpm++2m",
		`{"_class_name":"DPMSolverMultistepScheduler","solver_order":3}`:                   "dpm++3m",
		`{"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"sde-dpmsolver++"}`: "dpm++2m-sde",
		`{"_class_name":"DPMSolverMultistepScheduler","solver_order":1}`:                   "DPMSolverMultistepScheduler",
		`{"_class_name":"FlowMatchEulerDiscreteScheduler"}`:                                "FlowMatchEulerDiscreteScheduler",
	} {
		c, err := ParseConfig([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Sampler(); got != want {
			t.Errorf("%s is for %s, want %s", config, got, want)
		}
	}
}

// TestClassesAreSamplers checks that every class of diffusers is a sampler by its own
// name, without what one of our names fixes.
func TestClassesAreSamplers(t *testing.T) {
	for _, s := range Samplers() {
		if s.Class == "" {
			continue
		}
		c, err := ByName(s.Class)
		if err != nil || c.Name != s.Class || c.method.fixed != nil {
			t.Errorf("%s: %+v, %v", s.Class, c, err)
		}
	}
	p, err := NewPlan(Request{Sampler: "DPMSolverMultistepScheduler", Steps: 4})
	if err != nil || p.Sampler().Order != 2 {
		t.Errorf("order %d, %v; want that of the class's defaults, 2", p.Sampler().Order, err)
	}
	if _, err := ByName("FlowMatchEulerDiscreteScheduler"); err == nil || !strings.Contains(err.Error(), "want ddim, ddpm") {
		t.Errorf("an unknown class gives %v", err)
	}
}

// TestConfigIsKept reads a config and writes it again: what this package does not know
// stays, and one key can be set.
func TestConfigIsKept(t *testing.T) {
	var c Config
	if err := json.Unmarshal([]byte(`{"_class_name":"DDIMScheduler","unknown":[1,{"a":"b"}],"steps_offset":1}`), &c); err != nil {
		t.Fatal(err)
	}
	c, err := c.With("steps_offset", 2)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got["steps_offset"] != 2.0 || len(got["unknown"].([]any)) != 2 || c.Class() != "DDIMScheduler" {
		t.Errorf("written as %s", text)
	}
	if _, err := c.With("steps_offset", math.NaN()); err == nil || !strings.Contains(err.Error(), "steps_offset") {
		t.Errorf("a value that JSON has not gives %v", err)
	}
	for _, text := range []string{`[]`, `{"_class_name":3}`} {
		if err := json.Unmarshal([]byte(text), &c); err == nil {
			t.Errorf("%s is taken for a config", text)
		}
	}
}

// TestRefusals checks the errors of what all samplers share: each names the value and
// what would be right.
func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		sampler, config string
		request         Request
		want            []string
	}{
		"two conversions":   {"euler", `{"use_karras_sigmas":true,"use_beta_sigmas":true}`, Request{Steps: 5}, []string{"karras", "beta", "want one"}},
		"no levels":         {"euler", `{}`, Request{Sigmas: "0"}, []string{`sigmas is "0"`, "above 0"}},
		"levels that rise":  {"euler", `{}`, Request{Sigmas: "1,2"}, []string{"from 1 to 2", "falling"}},
		"infinite level":    {"euler", `{}`, Request{Sigmas: "inf,1"}, []string{`"inf,1"`, "karras"}},
		"negative level":    {"euler", `{}`, Request{Sigmas: "1,-1"}, []string{`"1,-1"`}},
		"prediction":        {"ddim", `{"prediction_type":"x"}`, Request{Steps: 5}, []string{`prediction_type "x"`, "epsilon"}},
		"clip range":        {"ddim", `{"clip_sample":true,"clip_sample_range":0}`, Request{Steps: 5}, []string{"clip_sample_range is 0", "more than 0"}},
		"threshold ratio":   {"ddim", `{"thresholding":true,"dynamic_thresholding_ratio":2}`, Request{Steps: 5}, []string{"dynamic_thresholding_ratio is 2", "0 to 1"}},
		"threshold maximum": {"ddim", `{"thresholding":true,"sample_max_value":0}`, Request{Steps: 5}, []string{"sample_max_value is 0"}},
		"key of a kind":     {"ddim", `{"beta_start":"x"}`, Request{Steps: 5}, []string{"scheduler config", "beta_start"}},
		"lambda":            {"dpm++2m", `{"lambda_min_clipped":[]}`, Request{Steps: 5}, []string{"lambda_min_clipped", "a number or -inf"}},
		"lambda's name":     {"dpm++2m", `{"lambda_min_clipped":"low"}`, Request{Steps: 5}, []string{`lambda_min_clipped is "low"`}},
		"no noise":          {"ddim", `{"beta_schedule":"linear","beta_start":0,"beta_end":0}`, Request{Steps: 5}, []string{"no noise at timestep"}},
		"no signal":         {"ddim", `{"timestep_spacing":"trailing","rescale_betas_zero_snr":true}`, Request{Steps: 5}, []string{"no signal at timestep 999", "v_prediction"}},
		"steps":             {"ddim", `{}`, Request{Steps: 1001}, []string{"steps is 1001", "1 to 1000"}},
		"spacing":           {"ddim", `{}`, Request{Steps: 5, Spacing: "odd"}, []string{`spacing "odd"`, "leading"}},
		"betas":             {"ddim", `{"num_train_timesteps":3,"trained_betas":[0.1]}`, Request{Steps: 1}, []string{"trained_betas has 1", "3"}},
		"no timesteps":      {"ddim", `{"num_train_timesteps":0}`, Request{Steps: 1}, []string{"num_train_timesteps is 0"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := tt.request
			r.Sampler = tt.sampler
			var err error
			if r.Config, err = ParseConfig([]byte(tt.config)); err != nil {
				t.Fatal(err)
			}
			_, err = NewPlan(r)
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error is %v, want one line with %q", err, part)
				}
			}
		})
	}
}

// TestLambdaOfNothing takes the two ways in which folders write that nothing is clipped.
func TestLambdaOfNothing(t *testing.T) {
	plain, err := NewPlan(Request{Sampler: "dpm++2m", Steps: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range []string{`{"lambda_min_clipped":"-inf"}`, `{"lambda_min_clipped":"-Infinity"}`, `{"lambda_min_clipped":-1e9}`} {
		c, err := ParseConfig([]byte(config))
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPlan(Request{Sampler: "dpm++2m", Config: c, Steps: 5})
		if err != nil || !slices.Equal(p.timesteps, plain.timesteps) {
			t.Errorf("%s: timesteps %v, error %v", config, p.timesteps, err)
		}
	}
}

// TestStepRefusesOptions checks what a step does not take.
func TestStepRefusesOptions(t *testing.T) {
	start := State{X: make([]float32, 4), Draws: 1}
	output := []float32{1, 2, 3, 4}
	tests := map[string]struct {
		sampler string
		state   State
		output  []float32
		options Options
		want    string
	}{
		"the end":           {"ddim", State{Index: 5, X: start.X}, output, Options{}, "all 5 calls"},
		"output":            {"ddim", start, output[:3], Options{}, "3 values, the latent 4"},
		"eta":               {"ddim", start, output, Options{Eta: 2}, "eta is 2"},
		"noise":             {"ddim", start, output, Options{Eta: 1}, "none to draw from"},
		"noise of euler-a":  {"euler-a", start, output, Options{}, "euler-a draws noise at call 0"},
		"noise of churn":    {"euler", start, output, Options{Churn: Churn{Amount: 1}}, "none to draw from"},
		"churn":             {"heun", start, output, Options{Churn: Churn{Amount: 1}}, "only euler has"},
		"churn below 0":     {"euler", start, output, Options{Churn: Churn{Amount: -1}}, "churn amount is -1"},
		"churn's noise":     {"euler", start, output, Options{Churn: Churn{Noise: math.NaN()}}, "churn noise is NaN"},
		"renoise":           {"lms", start, output, Options{Renoise: output}, "the model's own noise only"},
		"length of renoise": {"ddim", start, output, Options{Renoise: output[:1]}, "1 values, the latent 4"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := NewPlan(Request{Sampler: tt.sampler, Steps: 5})
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := p.Step(tt.state, tt.output, tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestRareBetas compares the schedules that the golden traces do not have with
// diffusers' (Heun's exp and DDPM's sigmoid).
func TestRareBetas(t *testing.T) {
	at := []int{0, 250, 500, 750, 999}
	for schedule, want := range map[string][]float64{
		"exp":     {0.011928287, 0.011928287, 0.011928287, 0.011928287, 0.011928287},
		"sigmoid": {0.0001492052, 0.0010464783, 0.0100798784, 0.0190642904, 0.0199507959},
	} {
		betas, err := scheduleParams{NumTrainTimesteps: 1000, BetaStart: 1e-4, BetaEnd: 0.02, BetaSchedule: schedule}.betas()
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if got := float64(betas[at[i]]); math.Abs(got/w-1) > 1e-5 {
				t.Errorf("%s: beta %d is %g, want %g", schedule, at[i], got, w)
			}
		}
	}
}
