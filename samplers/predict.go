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

// reading is how a model's output is read at a noise level: x0 (before bounds) and the
// noise, each in shares of x and the output.
type reading struct{ x0, eps shares }

// shares are the weights of x and of the output, and what their sum is divided by.
type shares struct{ x, output, over float32 }

// of are the terms of a sum in which shares of x and output are weighed.
func (s shares) of(x, output []float32, weight float32) (a, b term) {
	weight /= s.over
	return term{weight * s.x, x}, term{weight * s.output, output}
}

// latent is what shares of x and output give.
func (s shares) latent(x, output []float32) []float32 {
	dst := make([]float32, len(x))
	combineTimes(1/s.over, dst, []term{{s.x, x}, {s.output, output}})
	return dst
}

// readingOf follows diffusers' DDIMScheduler.step, where x holds x0 and noise in these
// shares; v-prediction is eq. D of Salimans and Ho (arXiv 2202.00512).
func readingOf(kind string, signal, noise float32) reading {
	switch kind {
	case "epsilon":
		return reading{x0: shares{1, -noise, signal}, eps: shares{0, 1, 1}}
	case "v_prediction":
		return reading{x0: shares{signal, -noise, 1}, eps: shares{noise, signal, 1}}
	default:
		return reading{x0: shares{0, 1, 1}, eps: restOf(signal, noise)}
	}
}

// restOf are the shares of x and x0 in the noise that x holds beside x0.
func restOf(signal, noise float32) shares { return shares{1, -signal, noise} }

// read is the reading at alpha-bar.
func (p predictor) read(alpha float32) reading {
	return readingOf(p.kind, sqrt32(alpha), sqrt32(1-alpha))
}

// original is the bounded x0.
func (p predictor) original(r reading, x, output []float32) []float32 {
	x0 := r.x0.latent(x, output)
	p.bound(x0)
	return x0
}

// noise is the predicted noise: output itself where that is what the model predicts.
func (p predictor) noise(r reading, x, output []float32) []float32 {
	if p.kind == "epsilon" {
		return output
	}
	return r.eps.latent(x, output)
}

// predict is half of a [solver] over alpha-bar: solvers embed the predictor.
func (p predictor) predict(plan *Plan, s State, output []float32) (x0, eps []float32) {
	r := p.read(plan.AlphaBar(s.Index))
	return p.original(r, s.X, output), p.noise(r, s.X, output)
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
	combine(x0, term{1 / s, x0})
}

// quantile sorts values and interpolates linearly, as torch.quantile does.
func quantile(values []float32, q float64) float32 {
	slices.Sort(values)
	rank := float32(float32(q) * float32(len(values)-1))
	lo := int(rank)
	hi := min(lo+1, len(values)-1)
	return values[lo] + float32((rank-float32(lo))*(values[hi]-values[lo]))
}
