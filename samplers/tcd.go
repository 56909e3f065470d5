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
	beyond := int(math.Floor(float64(float32(1-o.Eta) * float32(prev))))
	to := d.alphas[beyond]
	x, x0 := d.shift(p.AlphaBar(s.Index), s.X, output, sqrt32(to), sqrt32(1-to))
	if o.Eta == 0 || s.Index == p.Calls()-1 {
		return State{X: x, Draws: s.Draws}, x0
	}
	ratio := d.alphas[prev] / to
	keep, noise := sqrt32(ratio), sqrt32(1-ratio)
	for i, z := range o.Noise.Draw(s.Draws) {
		x[i] = float32(keep*x[i]) + float32(noise*z)
	}
	return State{X: x, Draws: s.Draws + 1}, x0
}

// shift takes x0 and the noise apart at alpha and puts them together again in other
// shares, for solvers that do not bound x0.
func (p predictor) shift(alpha float32, x, output []float32, signal, noise float32) (next, x0 []float32) {
	a, b := sqrt32(alpha), sqrt32(1-alpha)
	next, x0 = make([]float32, len(x)), make([]float32, len(x))
	switch p.kind {
	case "epsilon":
		for i, o := range output {
			x0[i] = (x[i] - float32(b*o)) / a
			next[i] = float32(signal*x0[i]) + float32(noise*o)
		}
	case "sample":
		for i, o := range output {
			x0[i] = o
			eps := (x[i] - float32(a*o)) / b
			next[i] = float32(signal*o) + float32(noise*eps)
		}
	case "v_prediction":
		for i, o := range output {
			x0[i] = float32(a*x[i]) - float32(b*o)
			eps := float32(a*o) + float32(b*x[i])
			next[i] = float32(signal*x0[i]) + float32(noise*eps)
		}
	}
	return next, x0
}
