package samplers

import (
	"fmt"
	"math"
)

// ddpm is ancestral sampling as Ho et al. (arXiv 2006.11239, algorithm 2) have it, over
// the steps that are taken: diffusers' DDPMScheduler.
func ddpm() Sampler {
	return Sampler{
		Name: "ddpm", Class: "DDPMScheduler", Order: 1, CallsPerStep: 1, Timesteps: true, Stochastic: true,
		Summary: "ancestral sampling of the first paper, for many steps",
		method:  method{defaults: ddpmDefaults, plan: planDDPM, zeroSNR: keepsZeroSNR},
	}
}

func ddpmDefaults() params {
	c := commonDefaults(Leading)
	c.ClipSample, c.VarianceType = true, "fixed_small"
	return c
}

// ddpmSolver holds the posterior q(x_{t-1} | x_t, x_0) of each call.
type ddpmSolver struct {
	predictor
	posteriors []posterior
}

// posterior has what x_0, x_t and noise are multiplied with (eq. 7).
type posterior struct{ original, current, noise float32 }

func planDDPM(p *Plan, c params, n int) error {
	if err := checkVarianceType(c.VarianceType); err != nil {
		return err
	}
	ts, alphas, err := c.layout(n)
	if err != nil {
		return err
	}
	predictor, err := c.predictorAt(ts, alphas, c.clipParams)
	if err != nil {
		return err
	}
	if err := checkTargets(ts[1:], alphas); err != nil {
		return err
	}
	p.vary(ts, alphas, 1)
	d := &ddpmSolver{predictor: predictor}
	for i, alpha := range p.bars {
		prev := float32(1)
		if i+1 < len(ts) {
			prev = p.bars[i+1]
		}
		d.posteriors = append(d.posteriors, newPosterior(alpha, prev, c.VarianceType))
	}
	p.solver = d
	return nil
}

// checkTargets refuses timesteps that a step goes to where nothing but noise is left:
// how much of it to take away is undefined.
func checkTargets(ts []int, alphas []float32) error {
	for _, t := range ts {
		if alphas[t] == 0 {
			return fmt.Errorf("scheduler config: the betas leave no signal at timestep %d, which a step goes to", t)
		}
	}
	return nil
}

func checkVarianceType(kind string) error {
	switch kind {
	case "learned", "learned_range":
		return fmt.Errorf("scheduler config: variance_type %q needs a model that outputs a variance too, want fixed_small or fixed_large", kind)
	case "fixed_large_log": // diffusers takes the root of the logarithm
		return fmt.Errorf("scheduler config: variance_type %q has no noise that is a number, want fixed_large", kind)
	}
	return oneOf("variance_type", kind, "fixed_small", "fixed_small_log", "fixed_large")
}

// leastVariance keeps the logarithm of a variance finite, as diffusers does.
const leastVariance = 1e-20

func newPosterior(alpha, prev float32, kind string) posterior {
	step := alpha / prev
	beta, left, leftPrev := 1-step, 1-alpha, 1-prev
	v := max(float32(leftPrev/left*beta), leastVariance)
	post := posterior{
		original: sqrt32(prev) * beta / left,
		current:  sqrt32(step) * leftPrev / left,
		noise:    sqrt32(v),
	}
	switch kind {
	case "fixed_small_log":
		post.noise = float32(math.Exp(float64(0.5 * float32(math.Log(float64(v))))))
	case "fixed_large":
		post.noise = sqrt32(beta)
	}
	return post
}

// step draws from the posterior. Only a step from timestep 0 has no noise (algorithm 2,
// line 3): the last one, unless steps_offset or the spacing ends the run above it.
func (d *ddpmSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	x0 := d.original(d.read(p.AlphaBar(s.Index)), s.X, output)
	post := d.posteriors[s.Index]
	if p.Timestep(s.Index) == 0 {
		next := s.still()
		combine(next.X, term{post.original, x0}, term{post.current, s.X})
		return next, x0
	}
	next := s.drawn(o)
	combine(next.X, term{post.noise, next.X}, term{post.original, x0}, term{post.current, s.X})
	return next, x0
}
