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
// sigma of its own.
func (h *heunSolver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	base, sigma, correct := second(p, s)
	f := h.at(p.sigmas[s.Index], s.X, output)
	next, x0 := make([]float32, len(s.X)), make([]float32, len(s.X))
	if correct {
		h.correct(f, s, next, x0, sigma)
		return State{X: next, Draws: s.Draws}, x0
	}
	dt := p.sigmas[s.Index+1] - sigma
	for i, x := range base {
		o := h.clip(f.x0(x, output[i]))
		x0[i] = o
		next[i] = x + float32((x-o)/sigma*dt)
	}
	state := State{X: next, Draws: s.Draws}
	if i := s.Index; i%2 == 0 && i+1 < p.Calls() {
		state.Memory = [][]float32{s.X, x0}
	}
	return state, x0
}

// correct is the step again from the first call's x, with the mean of its slope at
// sigma and that of f.
func (h *heunSolver) correct(f flow, s State, next, x0 []float32, sigma float32) {
	base, before := s.Memory[0], s.Memory[1]
	dt := f.sigma - sigma
	for i, x := range s.X {
		o := h.clip(f.x0(x, f.output[i]))
		x0[i] = o
		slope := ((base[i]-before[i])/sigma + (x-o)/f.sigma) / 2
		next[i] = base[i] + float32(slope*dt)
	}
}
