package samplers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ldx/samplers"
)

// realConfigs are scheduler_config.json files as models have them, and some at the edge
// of what makes sense.
var realConfigs = []string{
	`{}`,
	stableDiffusion,
	`{"_class_name":"PNDMScheduler","_diffusers_version":"0.6.0","beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"num_train_timesteps":1000,"set_alpha_to_one":false,"skip_prk_steps":true,"steps_offset":1,"trained_betas":null,"clip_sample":false}`,
	`{"_class_name":"FlaxDDIMScheduler","beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"clip_sample":false,"num_train_timesteps":1000,"prediction_type":"v_prediction","set_alpha_to_one":false,"skip_prk_steps":true,"steps_offset":1,"trained_betas":null}`,
	`{"_class_name":"EulerDiscreteScheduler","beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"clip_sample":false,"interpolation_type":"linear","num_train_timesteps":1000,"prediction_type":"epsilon","sample_max_value":1.0,"set_alpha_to_one":false,"skip_prk_steps":true,"steps_offset":1,"timestep_spacing":"leading","trained_betas":null,"use_karras_sigmas":false}`,
	`{"_class_name":"EulerAncestralDiscreteScheduler","beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"num_train_timesteps":1000,"prediction_type":"epsilon","steps_offset":1,"timestep_spacing":"trailing","trained_betas":null}`,
	`{"_class_name":"LCMScheduler","beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"clip_sample":false,"clip_sample_range":1.0,"dynamic_thresholding_ratio":0.995,"num_train_timesteps":1000,"original_inference_steps":50,"prediction_type":"epsilon","rescale_betas_zero_snr":false,"sample_max_value":1.0,"set_alpha_to_one":true,"steps_offset":0,"thresholding":false,"timestep_scaling":10.0,"timestep_spacing":"leading","trained_betas":null}`,
	`{"_class_name":"DDIMScheduler","beta_end":0.0195,"beta_schedule":"scaled_linear","beta_start":0.0015,"clip_sample":false,"num_train_timesteps":1000,"timestep_values":null,"trained_betas":null}`,
	`{"_class_name":"DDPMScheduler","beta_end":0.02,"beta_schedule":"linear","beta_start":0.0001,"clip_sample":true,"num_train_timesteps":1000,"trained_betas":null,"variance_type":"fixed_small"}`,
	`{"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver++","beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,"euler_at_final":false,"final_sigmas_type":"zero","lambda_min_clipped":"-inf","lower_order_final":true,"solver_order":3,"solver_type":"heun","thresholding":false,"use_karras_sigmas":true,"variance_type":null,"steps_offset":1}`,
	`{"_class_name":"UniPCMultistepScheduler","beta_schedule":"scaled_linear","disable_corrector":[0],"predict_x0":true,"prediction_type":"v_prediction","rescale_betas_zero_snr":true,"solver_order":3,"solver_p":null,"solver_type":"bh1","timestep_spacing":"trailing"}`,
	`{"_class_name":"DEISMultistepScheduler","algorithm_type":"deis","solver_type":"logrho","solver_order":3,"use_exponential_sigmas":true,"lower_order_final":false}`,
	`{"thresholding":true,"num_train_timesteps":3}`,
	`{"trained_betas":[0.1,0.9,1],"num_train_timesteps":3,"prediction_type":"sample"}`,
	`{"prediction_type":"v_prediction","rescale_betas_zero_snr":true,"use_lu_lambdas":true}`,
	`{"prediction_type":"sample","beta_schedule":"squaredcos_cap_v2","final_sigmas_type":"sigma_min","use_beta_sigmas":true,"clip_sample":true}`,
}

// FuzzConfig makes plans of any config for any sampler. Either there is an error, of one
// line, or a whole run of the toy denoiser is finite.
func FuzzConfig(f *testing.F) {
	for i, config := range realConfigs {
		for j := range requestable() {
			sigmas := []string{"", "karras", "14,3,0.5,0.1", "", "ays"}[(i+j)%5]
			f.Add([]byte(config), byte(j), byte([]int{1, 2, 7, 20}[(i+2*j)%4]), sigmas, byte(2*i+j), []float64{0, 0.5, 1}[j%3])
		}
	}
	noise := torchNoise(f, 1, 16)
	f.Fuzz(func(t *testing.T, config []byte, sampler, steps byte, sigmas string, spacing byte, eta float64) {
		c, err := samplers.ParseConfig(config)
		if err != nil || steps > 60 || len(sigmas) > 100 || large(config) {
			return
		}
		tryPlan(t, samplers.Request{
			Sampler: pick(sampler, requestable()), Config: c, Steps: int(steps), Sigmas: sigmas,
			Spacing: pick(spacing, append(samplers.Spacings(), "", "", "dense")),
		}, samplers.Options{Eta: eta, Noise: noise})
	})
}

// settings are the keys that FuzzSettings chooses for, and their values.
var settings = []struct {
	key    string
	values []any
}{
	{"prediction_type", []any{"epsilon", "v_prediction", "sample"}},
	{"beta_schedule", []any{"linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "exp"}},
	{"timestep_spacing", []any{"leading", "trailing", "linspace"}},
	{"steps_offset", []any{0, 1, 5, -1}},
	{"num_train_timesteps", []any{1000, 100, 20, 3, 2, 1}},
	{"clip_sample", []any{false, true}},
	{"thresholding", []any{false, true}},
	{"sample_max_value", []any{1.0, 2.0, 0.5}},
	{"set_alpha_to_one", []any{false, true}},
	{"skip_prk_steps", []any{false, true}},
	{"rescale_betas_zero_snr", []any{false, true}},
	{"final_sigmas_type", []any{"zero", "sigma_min"}},
	{"", []any{"", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas"}}, // a key to be set
	{"solver_order", []any{2, 1, 3}},
	{"solver_type", []any{"midpoint", "heun", "bh1", "bh2", "logrho"}},
	{"algorithm_type", []any{"dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver", "deis"}},
	{"lower_order_final", []any{true, false}},
	{"euler_at_final", []any{false, true}},
	{"predict_x0", []any{true, false}},
	{"lambda_min_clipped", []any{"-inf", -5.1, 0.0}},
	{"variance_type", []any{"fixed_small", "fixed_small_log", "fixed_large"}},
	{"interpolation_type", []any{"linear", "log_linear"}},
	{"timestep_type", []any{"discrete", "continuous"}},
	{"original_inference_steps", []any{50, 4, 1000}},
	{"disable_corrector", []any{[]int{}, []int{0, 1}}},
}

// FuzzSettings is FuzzConfig over configs that make sense key by key. Of choices, each
// key takes what it needs; betas of 0 leave the keys out.
func FuzzSettings(f *testing.F) {
	for j := range requestable() {
		f.Add(byte(j), byte(7), uint64(0), 0.00085, 0.012, "", false)
		f.Add(byte(j), byte(20), uint64(987654321*j), 0.0, 0.0, "karras", true)
	}
	noise := torchNoise(f, 1, 16)
	f.Fuzz(func(t *testing.T, sampler, steps byte, choices uint64, betaStart, betaEnd float64, sigmas string, noisy bool) {
		keys := map[string]any{}
		if betaStart != 0 || betaEnd != 0 {
			keys["beta_start"], keys["beta_end"] = betaStart, betaEnd
		}
		for _, s := range settings {
			n := uint64(len(s.values))
			value := s.values[choices%n]
			if choices /= n; s.key != "" {
				keys[s.key] = value
			} else if key := value.(string); key != "" {
				keys[key] = true
			}
		}
		config, err := json.Marshal(keys)
		if err != nil || steps > 60 || len(sigmas) > 100 {
			return
		}
		c, err := samplers.ParseConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		o := samplers.Options{Noise: noise}
		if noisy {
			o.Eta, o.UseClippedOutput = 1, true
		}
		name := pick(sampler, requestable())
		if s, err := samplers.ByName(name); err == nil && s.Class == "EulerDiscreteScheduler" && noisy {
			o.Churn.Amount = 3
		}
		tryPlan(t, samplers.Request{Sampler: name, Config: c, Steps: int(steps), Sigmas: sigmas}, o)
	})
}

// requestable are all names that a request may have for a sampler.
func requestable() []string {
	var names []string
	for _, s := range samplers.Samplers() {
		names = append(names, s.Name)
		if s.Class != "" && !slices.Contains(names, s.Class) {
			names = append(names, s.Class)
		}
	}
	return names
}

func pick[T any](i byte, values []T) T { return values[int(i)%len(values)] }

// tryPlan wants an error of one line, or a run that is finite to its end.
func tryPlan(t *testing.T, r samplers.Request, o samplers.Options) {
	t.Helper()
	p, err := samplers.NewPlan(r)
	switch {
	case err == nil:
		finiteRun(t, p, o)
	case strings.Contains(err.Error(), "\n"):
		t.Errorf("an error of more than one line: %q", err)
	}
}

// finiteRun goes to the end, or to where the options are refused.
func finiteRun(t *testing.T, p *samplers.Plan, o samplers.Options) {
	t.Helper()
	means := toyMeans(16)
	for s := p.Start(o.Noise); !p.Done(s); {
		output := predictionAt(p, s, means)
		if !finite(output) {
			t.Fatalf("call %d of %d is at sigma %g, timestep %g: no model can answer", s.Index, p.Calls(), p.Sigma(s.Index), p.Timestep(s.Index))
		}
		x0, eps := p.Predict(s, output)
		next, stepped, err := p.Step(s, output, o)
		if err != nil {
			if o.Eta >= 0 && o.Eta <= 1 {
				t.Fatal(err)
			}
			return
		}
		if !finite(x0, eps, stepped, next.X) {
			t.Fatalf("not finite after call %d of %d, sigma %g to %g: x0 %v, noise %v, latent %v", s.Index, p.Calls(), p.Sigma(s.Index), p.Sigma(s.Index+1), x0, eps, next.X)
		}
		s = next
	}
}

// large says whether a config asks for tables that take long to make.
func large(config []byte) bool {
	var c struct {
		Steps    float64 `json:"num_train_timesteps"`
		Original float64 `json:"original_inference_steps"`
	}
	return json.Unmarshal(config, &c) != nil || c.Steps > 4000 || c.Original > 4000
}
