package samplers

import (
	"errors"
	"fmt"
	"slices"
)

// params are the keys of scheduler_config.json that samplers honour. A sampler's
// defaults are those of its class in diffusers; the config's keys lie over them.
type params struct {
	scheduleParams
	spacingParams
	clipParams
	sigmaParams
	solverParams
	lcmParams
	PredictionType string `json:"prediction_type"`
	SetAlphaToOne  bool   `json:"set_alpha_to_one"`
	SkipPRKSteps   bool   `json:"skip_prk_steps"`
	VarianceType   string `json:"variance_type"`
}

// sigmaParams are the keys that lay out noise levels.
type sigmaParams struct {
	UseKarrasSigmas      bool     `json:"use_karras_sigmas"`
	UseExponentialSigmas bool     `json:"use_exponential_sigmas"`
	UseBetaSigmas        bool     `json:"use_beta_sigmas"`
	UseLuLambdas         bool     `json:"use_lu_lambdas"`
	UseFlowSigmas        bool     `json:"use_flow_sigmas"`
	FinalSigmasType      string   `json:"final_sigmas_type"`
	SigmaMin             *float64 `json:"sigma_min"`
	SigmaMax             *float64 `json:"sigma_max"`
	InterpolationType    string   `json:"interpolation_type"`
	TimestepType         string   `json:"timestep_type"`
	// requested says that the request chose, and not the config.
	requested bool
	// list are the noise levels of --sigmas, highest first; nil without.
	list []float64
	// ays is the table of Align Your Steps that is asked for; nil without.
	ays []float64
}

// solverParams are the keys of the DPM-Solver family.
type solverParams struct {
	SolverOrder      int      `json:"solver_order"`
	SolverType       string   `json:"solver_type"`
	AlgorithmType    string   `json:"algorithm_type"`
	LowerOrderFinal  bool     `json:"lower_order_final"`
	EulerAtFinal     bool     `json:"euler_at_final"`
	LambdaMinClipped *float64 `json:"-"` // "lambda_min_clipped", which may be "-inf"
	PredictX0        bool     `json:"predict_x0"`
	DisableCorrector []int    `json:"disable_corrector"`
	SolverP          any      `json:"solver_p"` // another scheduler, to predict in UniPC's place
}

// lcmParams are the keys of consistency models.
type lcmParams struct {
	OriginalInferenceSteps int     `json:"original_inference_steps"`
	TimestepScaling        float64 `json:"timestep_scaling"`
}

// commonDefaults are the defaults that most classes share.
func commonDefaults(spacing Spacing) params {
	return params{
		scheduleParams: scheduleParams{NumTrainTimesteps: 1000, BetaStart: 1e-4, BetaEnd: 0.02, BetaSchedule: "linear"},
		spacingParams:  spacingParams{TimestepSpacing: spacing},
		clipParams:     clipParams{ClipSampleRange: 1, DynamicThresholdingP: 0.995, ThresholdingSampleMax: 1},
		sigmaParams:    sigmaParams{FinalSigmasType: "zero", InterpolationType: "linear", TimestepType: "discrete"},
		solverParams:   solverParams{SolverOrder: 2, LowerOrderFinal: true},
		PredictionType: "epsilon",
	}
}

// method is a scheduler class: its defaults, and how it lays out a run.
type method struct {
	defaults func() params
	plan     func(p *Plan, c params, n int) error
	// zeroSNR says what becomes of rescale_betas_zero_snr.
	zeroSNR zeroSNR
	// fixed are what the sampler's name says, whatever the config does.
	fixed func(*params)
}

// zeroSNR is how a class treats rescale_betas_zero_snr.
type zeroSNR int

const (
	ignoresZeroSNR zeroSNR = iota // silently, as diffusers does
	keepsZeroSNR                  // the last alpha-bar is 0
	boundsZeroSNR                 // the last alpha-bar is 2^-24: the noise level stays finite
)

// lowestAlphaBar stands for 0 at the end of the schedule where a noise level must
// be finite (diffusers' value: a sigma of 4096).
const lowestAlphaBar = 1.0 / (1 << 24)

// resolve lays a config over the class's defaults, and the request over that.
func (m method) resolve(r Request) (params, error) {
	c := m.defaults()
	if err := r.Config.decode(&c); err != nil {
		return c, err
	}
	if err := r.Config.decodeLambda(&c); err != nil {
		return c, err
	}
	if c.UseFlowSigmas {
		return c, errors.New("scheduler config: use_flow_sigmas is true, and no sampler here has the noise levels of flow models, x = (1-sigma)*x0 + sigma*noise: want false")
	}
	if m.fixed != nil {
		m.fixed(&c)
	}
	if r.Spacing != "" {
		c.TimestepSpacing = r.Spacing
	}
	c.given, c.from = r.Timesteps, float64(r.From)
	if m.zeroSNR == ignoresZeroSNR {
		c.RescaleBetasZeroSNR = false
	}
	c.boundZeroSNR = m.zeroSNR == boundsZeroSNR
	return c, c.override(r.Sigmas)
}

// decodeLambda reads lambda_min_clipped, a number or "-inf" (JSON has none).
func (c Config) decodeLambda(into *params) error {
	const key = "lambda_min_clipped"
	var l struct {
		Lambda any `json:"lambda_min_clipped"`
	}
	if err := c.decode(&l); err != nil {
		return err
	}
	switch v := l.Lambda.(type) {
	case nil:
	case float64:
		into.LambdaMinClipped = &v
	case string:
		if !slices.Contains([]string{"-inf", "-Infinity"}, v) {
			return fmt.Errorf("scheduler config: %s is %q, want a number or -inf", key, v)
		}
	default:
		return fmt.Errorf("scheduler config: %s is %v, want a number or -inf", key, v)
	}
	return nil
}

// oneOf reports a key whose value is none of those allowed.
func oneOf(key, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return fmt.Errorf("scheduler config: %s %q is unknown, want one of %s", key, value, join(allowed))
	}
	return nil
}

// layout gives the timesteps of n steps and the table of alpha-bar.
func (c params) layout(n int) (ts []int, alphas []float32, err error) {
	if alphas, err = c.alphasCumprod(); err != nil {
		return nil, nil, err
	}
	ts, err = c.timesteps(n, c.NumTrainTimesteps)
	return ts, alphas, err
}
