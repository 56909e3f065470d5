package samplers

import (
	"fmt"
	"slices"
)

// lcm is the sampling of latent consistency models (Luo et al., arXiv 2310.04378; Song et
// al., arXiv 2303.01469, algorithm 1): jump to x0, add noise again, jump. diffusers'
// LCMScheduler.
func lcm() Sampler {
	return Sampler{
		Name: "lcm", Class: "LCMScheduler", Order: 1, CallsPerStep: 1, Timesteps: true, Stochastic: true, OwnSpacing: true,
		Summary: "for latent consistency models, 1 to 8 steps",
		method:  method{defaults: consistencyDefaults, plan: planLCM, zeroSNR: keepsZeroSNR},
	}
}

func consistencyDefaults() params {
	c := commonDefaults(Leading)
	c.BetaStart, c.BetaEnd, c.BetaSchedule = 0.00085, 0.012, "scaled_linear"
	c.OriginalInferenceSteps, c.TimestepScaling = 50, 10
	c.SetAlphaToOne = true
	return c
}

// consistencySteps picks n of the timesteps that a consistency model was distilled
// for, evenly; timestep_spacing and steps_offset have no part in it.
func (c params) consistencySteps(n int) ([]int, error) {
	total := c.OriginalInferenceSteps
	switch {
	case total < 1 || total > c.NumTrainTimesteps:
		return nil, fmt.Errorf("scheduler config: original_inference_steps is %d, want 1 to num_train_timesteps = %d", total, c.NumTrainTimesteps)
	case n > total:
		return nil, fmt.Errorf("steps is %d, want 1 to %d (original_inference_steps, what the model was distilled for)", n, total)
	}
	if c.given != nil {
		return slices.Clone(c.given), nil
	}
	stride, width := c.NumTrainTimesteps/total, float64(total)/float64(n)
	ts := make([]int, total)
	for i := range ts {
		ts[i] = (total-i)*stride - 1
	}
	if c.begins() {
		ts = below(ts, int(c.wholeFrom()))
		width = float64(len(ts)) / float64(n)
		if n > len(ts) {
			return nil, fmt.Errorf("steps is %d, want 1 to %d: so many of the timesteps that the model was distilled for are left from %g down", n, len(ts), c.wholeFrom())
		}
	}
	for i := range n {
		ts[i] = ts[int(float64(i)*width)]
	}
	return ts[:n], nil
}

// lcmSolver holds the boundary condition of each call: what x0 and x are multiplied
// with so that the consistency function is the identity at timestep 0 (Song et al.,
// eq. 5).
type lcmSolver struct {
	predictor
	out, skip []float32
}

// maxTimestepScaling keeps the boundary condition finite.
const maxTimestepScaling = 1e9

func planLCM(p *Plan, c params, n int) error {
	if !(c.TimestepScaling > 0 && c.TimestepScaling <= maxTimestepScaling) {
		return fmt.Errorf("scheduler config: timestep_scaling is %g, want more than 0 and at most %g", c.TimestepScaling, float64(maxTimestepScaling))
	}
	alphas, err := c.alphasCumprod()
	if err != nil {
		return err
	}
	ts, err := c.consistencySteps(n)
	if err != nil {
		return err
	}
	predictor, err := c.predictorAt(ts, alphas, c.clipParams)
	if err != nil {
		return err
	}
	p.vary(ts, alphas, 1)
	l := &lcmSolver{predictor: predictor}
	for _, t := range ts {
		const data2 = 0.25 // sigma_data squared
		scaled := float32(t) * float32(c.TimestepScaling)
		square := float32(scaled*scaled) + data2
		l.out = append(l.out, scaled/sqrt32(square))
		l.skip = append(l.skip, data2/square)
	}
	p.solver = l
	return nil
}

// step goes to the denoised latent, and from there back to the next noise level; the
// last step stays.
func (l *lcmSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	x0 := l.original(l.read(p.AlphaBar(s.Index)), s.X, output)
	out, skip := l.out[s.Index], l.skip[s.Index]
	if s.Index == p.Calls()-1 {
		next := s.still()
		combine(next.X, term{out, x0}, term{skip, s.X})
		return next, x0
	}
	prev := p.AlphaBar(s.Index + 1)
	signal, next := sqrt32(prev), s.drawn(o)
	combine(next.X, term{sqrt32(1 - prev), next.X}, term{signal * out, x0}, term{signal * skip, s.X})
	return next, x0
}
