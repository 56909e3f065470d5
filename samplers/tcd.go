package samplers

import "math"

// tcd is the strategic stochastic sampling of trajectory consistency models (Zheng et
// al., arXiv 2402.19159, algorithm 4): jump along the trajectory past the next
// timestep, and add noise up to it. Eta is the paper's gamma. diffusers' TCDScheduler.
func tcd() Sampler {
	return Sampler{
		Name: "tcd", Class: "TCDScheduler", Order: 1, CallsPerStep: 1, Timesteps: true, Eta: true, OwnSpacing: true,
		Summary: "for trajectory consistency models, eta 0.3",
		method:  method{defaults: consistencyDefaults, plan: planTCD, zeroSNR: keepsZeroSNR},
	}
}

// tcdSolver holds the timestep each call steps to, and the whole table, since eta says
// how far past that timestep it jumps.
type tcdSolver struct {
	predictor
	alphas []float32
	prev   []int
}

// planTCD ignores bounds on x0, as diffusers does.
func planTCD(p *Plan, c params, n int) error {
	alphas, err := c.alphasCumprod()
	if err != nil {
		return err
	}
	ts, err := c.consistencySteps(n)
	if err != nil {
		return err
	}
	predictor, err := c.predictorAt(ts, alphas, clipParams{})
	if err != nil {
		return err
	}
	d := &tcdSolver{predictor: predictor, alphas: alphas, prev: append(ts[1:len(ts):len(ts)], 0)}
	if err := checkTargets(d.prev, alphas); err != nil {
		return err
	}
	p.vary(ts, alphas, alphas[0])
	p.solver = d
	return nil
}

// step jumps to timestep (1-eta)*prev; the last step adds no noise.
func (d *tcdSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	prev := d.prev[s.Index]
	to := d.alphas[int(math.Floor(float64(float32(1-o.Eta)*float32(prev))))]
	keep, next := float32(1), s.still()
	var noise term
	if o.Eta > 0 && s.Index < p.Calls()-1 {
		ratio := d.alphas[prev] / to
		next = s.drawn(o)
		keep, noise = sqrt32(ratio), term{sqrt32(1 - ratio), next.X}
	}
	x0 := d.shift(next.X, p.AlphaBar(s.Index), s.X, output, keep*sqrt32(to), keep*sqrt32(1-to), noise)
	return next, x0
}

// shift takes x0 and the noise of x apart at alpha and puts them together again in other
// shares, with fresh noise, for solvers that do not bound x0.
func (p predictor) shift(dst []float32, alpha float32, x, output []float32, signal, noise float32, fresh term) (x0 []float32) {
	r := p.read(alpha)
	x0 = r.x0.latent(x, output)
	a, b := r.eps.of(x, output, noise)
	combine(dst, fresh, term{signal, x0}, a, b)
	return x0
}
