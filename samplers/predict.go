package samplers

import (
	"fmt"
	"math"
	"slices"
)

// predictor turns what a model outputs into a predicted original and predicted
// noise: the parametrisation (epsilon, v, sample) and the bounds on x0.
type predictor struct {
	kind string
	clip clipParams
}

func newPredictor(kind string, clip clipParams) (predictor, error) {
	switch {
	case !slices.Contains([]string{"epsilon", "v_prediction", "sample"}, kind):
		return predictor{}, fmt.Errorf("scheduler config: prediction_type %q is unknown, want epsilon, v_prediction or sample", kind)
	case clip.ClipSample && !(clip.ClipSampleRange > 0):
		return predictor{}, fmt.Errorf("scheduler config: clip_sample_range is %g, want more than 0", clip.ClipSampleRange)
	case clip.Thresholding && !(clip.DynamicThresholdingP >= 0 && clip.DynamicThresholdingP <= 1):
		return predictor{}, fmt.Errorf("scheduler config: dynamic_thresholding_ratio is %g, want 0 to 1", clip.DynamicThresholdingP)
	case clip.Thresholding && !(clip.ThresholdingSampleMax > 0):
		return predictor{}, fmt.Errorf("scheduler config: sample_max_value is %g, want more than 0", clip.ThresholdingSampleMax)
	}
	return predictor{kind: kind, clip: clip}, nil
}

// predictorAt is the predictor for a model that is called at timesteps of a table of
// alpha-bar, with bounds on x0.
func (c params) predictorAt(ts []int, alphas []float32, bounds clipParams) (predictor, error) {
	p, err := newPredictor(c.PredictionType, bounds)
	if err != nil {
		return p, err
	}
	return p, p.checkAlphas(ts, alphas)
}

// minSignal is the least alpha-bar from which predicted noise tells x0; below, the
// division by its root amplifies rounding errors a million times.
const minSignal = 1e-12

// checkAlphas refuses timesteps at which a prediction is undefined.
func (p predictor) checkAlphas(ts []int, alphas []float32) error {
	for _, t := range ts {
		switch a := alphas[t]; {
		case a == 1:
			return fmt.Errorf("scheduler config: the betas leave no noise at timestep %d, which a step starts from", t)
		case a < minSignal && p.kind == "epsilon":
			return fmt.Errorf("scheduler config: the betas leave no signal at timestep %d, where prediction_type epsilon cannot tell x0; want v_prediction or sample", t)
		}
	}
	return nil
}

// predict is half of a [solver] over alpha-bar: solvers embed the predictor.
func (p predictor) predict(plan *Plan, s State, output []float32) (x0, eps []float32) {
	return p.split(plan.AlphaBar(s.Index), s.X, output)
}

// split follows diffusers' DDIMScheduler.step: v-prediction is eq. D of
// Salimans and Ho (arXiv 2202.00512). The returned eps may be output itself.
func (p predictor) split(alpha float32, x, output []float32) (x0, eps []float32) {
	signal, noise := sqrt32(alpha), sqrt32(1-alpha)
	x0 = make([]float32, len(x))
	switch p.kind {
	case "epsilon":
		for i, o := range output {
			x0[i] = (x[i] - float32(noise*o)) / signal
		}
		eps = output
	case "sample":
		copy(x0, output)
		eps = noiseFrom(alpha, x, x0)
	case "v_prediction":
		eps = make([]float32, len(x))
		for i, o := range output {
			x0[i] = float32(signal*x[i]) - float32(noise*o)
			eps[i] = float32(signal*o) + float32(noise*x[i])
		}
	}
	p.bound(x0)
	return x0, eps
}

// noiseFrom is the noise that x holds beside the original x0.
func noiseFrom(alpha float32, x, x0 []float32) []float32 {
	signal, noise := sqrt32(alpha), sqrt32(1-alpha)
	eps := make([]float32, len(x))
	for i := range eps {
		eps[i] = (x[i] - float32(signal*x0[i])) / noise
	}
	return eps
}

// bound limits x0 in place; thresholding wins over clipping, as in diffusers.
func (p predictor) bound(x0 []float32) {
	switch {
	case p.clip.Thresholding:
		p.threshold(x0)
	case p.clip.ClipSample:
		clamp(x0, float32(p.clip.ClipSampleRange))
	}
}

// threshold is the dynamic thresholding of Imagen (arXiv 2205.11487, sec. 2.3).
func (p predictor) threshold(x0 []float32) {
	magnitudes := make([]float32, len(x0))
	for i, v := range x0 {
		magnitudes[i] = float32(math.Abs(float64(v)))
	}
	s := quantile(magnitudes, p.clip.DynamicThresholdingP)
	s = min(max(s, 1), float32(p.clip.ThresholdingSampleMax))
	clamp(x0, s)
	for i := range x0 {
		x0[i] /= s
	}
}

func clamp(x []float32, bound float32) {
	for i, v := range x {
		x[i] = max(-bound, min(v, bound))
	}
}

// quantile sorts values and interpolates linearly, as torch.quantile does.
func quantile(values []float32, q float64) float32 {
	slices.Sort(values)
	rank := float32(float32(q) * float32(len(values)-1))
	lo := int(rank)
	hi := min(lo+1, len(values)-1)
	return values[lo] + float32((rank-float32(lo))*(values[hi]-values[lo]))
}
