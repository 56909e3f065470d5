package samplers

// eulerAncestral is the ancestral sampling of Song et al. (arXiv 2011.13456, appendix
// F) with an Euler step of the ODE for its mean, as diffusers'
// EulerAncestralDiscreteScheduler and k-diffusion step it. The class has no keys of
// sigma schedules and so ignores those of a config; users of k-diffusion ask for
// "Euler a" on Karras's noise levels all the same, so a request may.
func eulerAncestral() Sampler {
	return Sampler{
		Name: "euler-a", Class: "EulerAncestralDiscreteScheduler", Order: 1, CallsPerStep: 1, Sigmas: true, Stochastic: true, Renoise: true,
		Summary: "Euler with fresh noise at every step",
		method:  method{defaults: kDefaults, plan: planEulerAncestral, zeroSNR: boundsZeroSNR},
	}
}

type eulerAncestralSolver struct{ kPredictor }

func planEulerAncestral(p *Plan, c params, n int) error {
	if !c.requested {
		c.sigmaParams = sigmaParams{}
	}
	predictor, err := c.kPredictor(p, "epsilon", "v_prediction")
	if err != nil {
		return err
	}
	l, err := c.withoutEuler().layOut(n)
	if err != nil {
		return err
	}
	p.solver = &eulerAncestralSolver{predictor}
	return l.steps(p)
}

// ancestral splits a step between two noise levels: down by the ODE, and up by fresh
// noise. Rounding may leave nothing of down where to is far below from; then it is
// to^2/from, which it would be without rounding.
func ancestral(from, to float32) (down, up float32) {
	from2, to2 := float32(from*from), float32(to*to)
	up = sqrt32(float32(to2*(from2-to2)) / from2)
	down = sqrt32(to2 - float32(up*up))
	if !(down > 0) {
		down = to * (to / from)
	}
	return down, up
}

// step draws at the last step too, where the noise counts for nothing.
func (e *eulerAncestralSolver) step(p *Plan, s State, output []float32, o Options) (next State, x0 []float32) {
	sigma := p.sigmas[s.Index]
	down, up := ancestral(sigma, p.sigmas[s.Index+1])
	f := e.at(sigma, s.X, output)
	next = s.drawn(o)
	f.leave(next.X, o.Renoise, down, up)
	return next, f.x0
}
