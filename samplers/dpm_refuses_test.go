package samplers

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestDPMRefuses(t *testing.T) {
	flat := `{"num_train_timesteps":4,"trained_betas":[0.5,0,0,0.5],"timestep_spacing":"trailing"}`
	tests := map[string]struct {
		sampler, config string
		r               Request
		want            string
	}{
		"unknown algorithm":      {multi, `{"algorithm_type":"euler"}`, Request{}, `algorithm_type "euler"`},
		"algorithm of multistep": {single, `{"algorithm_type":"sde-dpmsolver"}`, Request{}, "dpmsolver++, dpmsolver, sde-dpmsolver++"},
		"unknown type":           {multi, `{"solver_type":"simpson"}`, Request{}, "one of midpoint, heun"},
		"order 0":                {multi, `{"solver_order":0}`, Request{}, "solver_order is 0, want 1 to 3"},
		"order 4":                {single, `{"solver_order":4}`, Request{}, "solver_order is 4, want 1 to 3"},
		"third order of the SDE": {multi, `{"algorithm_type":"sde-dpmsolver","solver_order":3,"final_sigmas_type":"sigma_min"}`, Request{}, "want 1 or 2"},
		"noise to level 0":       {multi, `{"algorithm_type":"dpmsolver"}`, Request{}, "want sigma_min"},
		"single, thresholding":   {single, `{"algorithm_type":"dpmsolver","thresholding":true,"final_sigmas_type":"sigma_min"}`, Request{}, "want false or algorithm_type dpmsolver++"},
		"unknown end":            {multi, `{"final_sigmas_type":"one"}`, Request{}, `final_sigmas_type "one"`},
		"prediction":             {multi, `{"prediction_type":"flow_prediction"}`, Request{}, `prediction_type "flow_prediction"`},
		"single, prediction":     {single, `{"prediction_type":"flow_prediction"}`, Request{}, `prediction_type "flow_prediction"`},
		"spacing":                {multi, `{}`, Request{Spacing: LDM}, `"ldm" is not one of the DPM family`},
		"past the table":         {multi, `{"timestep_spacing":"leading","steps_offset":200}`, Request{}, "steps_offset 200 goes from timestep"},
		"below the table":        {multi, `{"timestep_spacing":"leading","steps_offset":-200}`, Request{}, "outside 0 to 999"},
		"all clipped":            {multi, `{"lambda_min_clipped":100}`, Request{}, "lambda_min_clipped is 100"},
		"nearly all clipped":     {multi, `{"lambda_min_clipped":4.5}`, Request{}, "fewer steps"},
		"steps on one level":     {multi, `{"timestep_spacing":"leading"}`, Request{Steps: 1000}, "with 1000 steps goes from noise level"},
		"two schedules":          {uni, `{"use_karras_sigmas":true,"use_beta_sigmas":true}`, Request{}, "both asked for"},
		"betas":                  {uni, `{"beta_schedule":"steep"}`, Request{}, `beta_schedule "steep"`},
		"UniPC type":             {uni, `{"solver_type":"bh3"}`, Request{}, "one of bh1, bh2"},
		"UniPC order":            {uni, `{"solver_order":6}`, Request{}, "solver_order is 6, want 1 to 5"},
		"UniPC by another":       {uni, `{"solver_p":{"_class_name":"DEISMultistepScheduler"}}`, Request{}, "solver_p is map[_class_name:DEISMultistepScheduler], and unipc here predicts by itself"},
		"flow":                   {multi, `{"use_flow_sigmas":true}`, Request{}, "use_flow_sigmas is true"},
		"UniPC range":            {uni, `{"use_karras_sigmas":true,"sigma_min":200}`, Request{}, "to 200 (sigma_min)"},
		"UniPC range below 0":    {uni, `{"use_karras_sigmas":true,"sigma_min":-1}`, Request{}, "to -1 (sigma_min)"},
		"DEIS algorithm":         {logRho, `{"algorithm_type":"sde-dpmsolver++"}`, Request{}, "one of deis"},
		"DEIS type":              {logRho, `{"solver_type":"midlog"}`, Request{}, "one of logrho"},
		"DEIS order":             {logRho, `{"solver_order":4}`, Request{}, "want 1 to 3"},
		"DEIS betas":             {logRho, `{"beta_schedule":"steep"}`, Request{}, `beta_schedule "steep"`},
		"list below the end":     {logRho, `{}`, Request{Sigmas: "14,1,0.001"}, "goes from noise level 0.001 at call 2 to 0.01"},
		"list too close":         {multi, `{}`, Request{Sigmas: "14,13.99999,1"}, "goes from noise level 14 at call 0"},
		"list too high":          {multi, `{}`, Request{Sigmas: "1e9,1"}, "noise level 1e+09 at call 0, want 1e-06 to 1e+06"},
		"list below float32":     {multi, `{}`, Request{Sigmas: "1,1e-60"}, "noise level 0 at call 1"},
		"betas that repeat":      {multi, flat, Request{Steps: 4}, "want a lower one"},
		"no noise at 0":          {multi, `{"num_train_timesteps":3,"trained_betas":[0,0.5,0.5]}`, Request{Steps: 2, Sigmas: "karras"}, "want a first beta above 0"},
		"no signal":              {single, `{"num_train_timesteps":3,"trained_betas":[0.5,0.5,1]}`, Request{Steps: 2}, "noise level +Inf at call 0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.r.Sampler = tt.sampler
			if tt.r.Steps == 0 {
				tt.r.Steps = 7
			}
			if _, err := dpmTry(t, tt.r, tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestDPMLevelWithoutATimestep(t *testing.T) {
	// The last two training timesteps have noise level 1, whose logarithm is 0.
	_, err := dpmTry(t, Request{Sampler: multi, Steps: 2, Sigmas: "1,0.5"}, `{"num_train_timesteps":3,"trained_betas":[0.25,0.33333334,0]}`)
	if err == nil || !strings.Contains(err.Error(), "no timestep of noise level 1") {
		t.Errorf("error is %v, want one about noise level 1", err)
	}
}

func FuzzDPM(f *testing.F) {
	f.Add(0, `{"solver_order":3}`, 20, "karras")
	f.Add(5, `{"use_lu_lambdas":true,"thresholding":true}`, 40, "")
	f.Add(6, `{"lower_order_final":false,"prediction_type":"sample"}`, 6, "14,3,1,0.2")
	f.Add(8, `{"solver_order":5,"disable_corrector":[-1,0,2],"predict_x0":false,"final_sigmas_type":"sigma_min"}`, 9, "beta")
	f.Add(9, `{"trained_betas":[0.1,0,0.9,1],"num_train_timesteps":4}`, 2, "exponential")
	f.Add(10, `{"algorithm_type":"sde-dpmsolver","rescale_betas_zero_snr":true,"final_sigmas_type":"sigma_min"}`, 7, "ays")
	f.Add(11, `{"solver_type":"heun","solver_order":3,"lambda_min_clipped":-1}`, 5, "")
	f.Fuzz(func(t *testing.T, sampler int, config string, steps int, sigmas string) {
		names := append(slices.Clone(dpmNames), multi, single, uni, logRho)
		c, err := ParseConfig([]byte(config))
		if err != nil || steps > 50 || strings.Count(sigmas, ",") > 50 || sampler < 0 {
			return
		}
		p, err := NewPlan(Request{Sampler: names[sampler%len(names)], Config: c, Steps: steps, Sigmas: sigmas})
		if err != nil {
			return
		}
		s := State{X: dpmStart, Draws: 1}
		for !p.Done(s) {
			out := s.X
			x0, eps := p.Predict(s, out)
			if s, _, err = p.Step(s, out, Options{Noise: steppedNoise{len(out)}}); err != nil {
				t.Fatal(err)
			}
			for _, v := range slices.Concat(x0, eps, s.X) {
				if math.IsNaN(float64(v)) {
					t.Fatalf("NaN after call %d of %d", s.Index, p.Calls())
				}
			}
		}
	})
}
