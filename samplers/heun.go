package samplers

// heun is Heun's method, second order, on the probability flow ODE (Karras et al.,
// arXiv 2206.00364, algorithm 1), as diffusers' HeunDiscreteScheduler steps it. A step
// is two calls: Euler's, and a correction with the mean of both slopes.
func heun() Sampler {
	return Sampler{
		Name: "heun", Class: "HeunDiscreteScheduler", Order: 2, CallsPerStep: 2, Sigmas: true,
		Summary: "second order, two calls a step",
		method:  method{defaults: kDefaultsSD, plan: planHeun},
	}
}

type heunSolver struct{ kPredictor }

func planHeun(p *Plan, c params, n int) error {
	c = c.withoutEuler()
	predictor, err := c.kPredictor(p, "epsilon", "v_prediction", "sample")
	if err != nil {
		return err
	}
	if c.ClipSample {
		if _, err := newPredictor(c.PredictionType, clipParams{ClipSample: true, ClipSampleRange: c.ClipSampleRange}); err != nil {
			return err
		}
		predictor.bound = float32(c.ClipSampleRange)
	}
	l, err := c.layOut(n)
	if err != nil {
		return err
	}
	p.solver = &heunSolver{predictor}
	return l.pairs(p, l.timesteps[1:], l.sigmas[1:])
}

// step keeps x and x0 of a first call for the second, whose slope by then has a
// sigma of its own: it goes again from the first call's x, with the mean of both slopes.
func (h *heunSolver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	base, sigma, correct := second(p, s)
	f, next := h.at(p.sigmas[s.Index], s.X, output), s.still()
	if correct {
		half := (f.sigma - sigma) / 2
		a, b := flow{x: base, x0: s.Memory[1], sigma: sigma}.over(half)
		c, d := f.over(half)
		combine(next.X, term{1 + a.weight, base}, b, c, d)
		return next, f.x0
	}
	f.glide(next.X, base, p.sigmas[s.Index+1]-sigma, 0)
	if i := s.Index; i%2 == 0 && i+1 < p.Calls() {
		next.Memory = [][]float32{s.X, f.x0}
	}
	return next, f.x0
}
