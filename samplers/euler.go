package samplers

import "math"

// euler is Euler's method on the probability flow ODE, with the churn of Karras et
// al. (arXiv 2206.00364, algorithm 2 without its correction), as diffusers'
// EulerDiscreteScheduler steps it. Going on with another noise is ComfyUI's
// euler_cfg_pp.
func euler() Sampler {
	return Sampler{
		Name: "euler", Class: "EulerDiscreteScheduler", Order: 1, CallsPerStep: 1, Sigmas: true, Renoise: true,
		Summary: "plain and deterministic, or with churn",
		method:  method{defaults: kDefaults, plan: planEuler, zeroSNR: boundsZeroSNR},
	}
}

type eulerSolver struct {
	kPredictor
	churnSteps int // over how many steps the amount of churn is spread
}

func planEuler(p *Plan, c params, n int) error {
	for _, err := range []error{
		oneOf("interpolation_type", c.InterpolationType, "linear", "log_linear"),
		oneOf("final_sigmas_type", c.FinalSigmasType, "zero", "sigma_min"),
		oneOf("timestep_type", c.TimestepType, "discrete", "continuous"),
	} {
		if err != nil {
			return err
		}
	}
	predictor, err := c.kPredictor(p, "epsilon", "v_prediction", "sample", "original_sample")
	if err != nil {
		return err
	}
	l, err := c.layOut(n)
	if err != nil {
		return err
	}
	if c.TimestepType == "continuous" && c.PredictionType == "v_prediction" {
		l.continuous()
	}
	p.solver = &eulerSolver{kPredictor: predictor, churnSteps: len(l.sigmas) - 1}
	return l.steps(p)
}

// continuous sets the timesteps that models of continuous noise levels take (Karras
// et al., table 1: c_noise). log_linear levels make one step more.
func (l *kLevels) continuous() {
	l.timesteps = nil
	for _, s := range l.sigmas[:len(l.sigmas)-1] {
		l.timesteps = append(l.timesteps, float64(0.25*float32(math.Log(float64(s)))))
	}
}

// withoutEuler drops the keys that only EulerDiscreteScheduler has among the
// samplers of this family.
func (c params) withoutEuler() params {
	c.InterpolationType, c.FinalSigmasType, c.TimestepType = "linear", "zero", "discrete"
	c.SigmaMin, c.SigmaMax = nil, nil
	return c
}

// gamma is the factor by which noise level sigma is raised in one of a number of steps.
func (c Churn) gamma(sigma float32, steps int) float64 {
	high := c.TMax
	if high == 0 {
		high = math.Inf(1)
	}
	if c.Amount > 0 && c.TMin <= float64(sigma) && float64(sigma) <= high {
		return min(c.Amount/float64(steps), math.Sqrt2-1)
	}
	return 0
}

// raise adds to x the noise between sigma and hat, in place of a draw.
func (c Churn) raise(draw, x []float32, sigma, hat float32) {
	factor := float32(1)
	if c.Noise != 0 {
		factor = float32(c.Noise)
	}
	width := sqrt32(float32(hat*hat) - float32(sigma*sigma))
	combine(draw, term{factor * width, draw}, term{1, x})
}

// step is lines 5 to 8 of algorithm 2. As in diffusers, the model has not seen the
// noise of the churn.
func (e *eulerSolver) step(p *Plan, s State, output []float32, o Options) (next State, x0 []float32) {
	sigma, to := p.sigmas[s.Index], p.sigmas[s.Index+1]
	gamma := o.Churn.gamma(sigma, e.churnSteps)
	if gamma == 0 {
		next = s.still()
		f := e.at(sigma, s.X, output)
		f.leave(next.X, o.Renoise, to, 0)
		return next, f.x0
	}
	hat := sigma * float32(gamma+1)
	next = s.drawn(o)
	o.Churn.raise(next.X, s.X, sigma, hat)
	f := e.raised(sigma, hat, next.X, output)
	f.leave(next.X, o.Renoise, to, 0)
	return next, f.x0
}

// raised is the flow at noise level hat, by the output at sigma: of the shares of x and
// output, only those of predicted noise are taken at hat.
func (k kPredictor) raised(sigma, hat float32, x, output []float32) flow {
	if k.kind == "epsilon" {
		sigma = hat
	}
	f := k.at(sigma, x, output)
	f.sigma = hat
	return f
}

// leave goes from f down to noise level to, along the flow or with another noise; next
// and up are as glide's.
func (f flow) leave(next, renoise []float32, to, up float32) {
	if renoise != nil {
		f.renoise(next, renoise, to, up)
	} else {
		f.glide(next, f.x, to-f.sigma, up)
	}
}
