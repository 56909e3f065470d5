package samplers

import "math"

// What DPM-Solver, UniPC and DEIS share. In terms of lambda = log(alpha/sigma), half
// the logarithm of the signal-to-noise ratio, the linear part of the probability flow
// has an exact solution; what is left is an integral of the model's output, which
// they extrapolate from the calls before (Lu et al., arXiv 2206.00927, prop. 3.1).

// level is a noise level in the papers' symbols: x = alpha*x0 + sigma*eps with
// alpha^2 + sigma^2 = 1.
type level struct{ alpha, sigma, lambda float32 }

// levelOf is the level with the ratio of noise to signal that a [Plan] calls sigma.
func levelOf(ratio float32) level {
	alpha := 1 / sqrt32(float32(ratio*ratio)+1)
	sigma := float32(ratio * alpha)
	return level{alpha, sigma, lnOf(alpha) - lnOf(sigma)}
}

func lnOf(x float32) float32  { return float32(math.Log(float64(x))) }
func expOf(x float32) float32 { return float32(math.Exp(float64(x))) }

// dpm is what the solvers of the family share.
type dpm struct {
	model     predictor
	levels    []level // of each call, and of the end
	order     int     // the highest
	orders    []int   // the highest at each call
	overNoise bool    // integrates the predicted noise, not x0
	noiseOfX0 bool    // takes the noise from the bounded x0
}

// dpm lays out the calls of p.
func (c params) dpm(p *Plan, n int, class dpmClass) (dpm, error) {
	c.ClipSample = false // no key of these classes
	model, err := newPredictor(c.PredictionType, c.clipParams)
	if err != nil {
		return dpm{}, err
	}
	if err := oneOf("final_sigmas_type", c.FinalSigmasType, "zero", "sigma_min"); err != nil {
		return dpm{}, err
	}
	timesteps, sigmas, err := c.dpmCalls(n, class)
	if err != nil {
		return dpm{}, err
	}
	p.explode(timesteps, sigmas)
	d := dpm{model: model, order: c.SolverOrder, levels: make([]level, len(sigmas)), orders: make([]int, len(timesteps))}
	for i, s := range sigmas {
		d.levels[i] = levelOf(s)
	}
	return d, d.check(p)
}

// setOrders is the order at each call: no calls before the first to go by, and lower
// ones at the end where lowerAtEnd says so.
func (d *dpm) setOrders(lowerAtEnd bool) {
	calls := len(d.orders)
	for i := range d.orders {
		d.orders[i] = min(d.order, d.reach(i))
		if lowerAtEnd {
			d.orders[i] = min(d.orders[i], calls-i)
		}
	}
}

// reach is the highest order that a step from call i can be of. One that stays where it
// is takes none, where the reference gives NaN or the same x, and no difference goes
// over one.
func (d *dpm) reach(i int) int {
	if d.growth(i) == 0 {
		return 1
	}
	order := 1
	for order <= i && d.growth(i-order) > 0 {
		order++
	}
	return order
}

// growth is by how much lambda grows in the step from call i.
func (d *dpm) growth(i int) float32 { return d.levels[i+1].lambda - d.levels[i].lambda }

// predict gives x0, and the noise that it leaves where that is what the solver takes,
// else the model's.
func (d *dpm) predict(_ *Plan, s State, output []float32) (x0, eps []float32) {
	r := d.read(s)
	x0 = d.model.original(r, s.X, output)
	if d.noiseOfX0 {
		at := d.levels[s.Index]
		return x0, restOf(at.alpha, at.sigma).latent(s.X, x0)
	}
	return x0, d.model.noise(r, s.X, output)
}

// evaluate gives x0 and what the solver integrates, which may be the same slice, or
// output.
func (d *dpm) evaluate(s State, output []float32) (x0, m []float32) {
	if d.overNoise {
		return d.predict(nil, s, output)
	}
	x0 = d.model.original(d.read(s), s.X, output)
	return x0, x0
}

// read is the reading at s, by alpha and sigma themselves, not by the roots of alpha-bar
// that [predictor] takes: 1 - alpha-bar has lost digits.
func (d *dpm) read(s State) reading {
	at := d.levels[s.Index]
	return readingOf(d.model.kind, at.alpha, at.sigma)
}

// remember is kept with more at its end, in memory of its own.
func remember(kept [][]float32, more ...[]float32) [][]float32 {
	return append(append(make([][]float32, 0, len(kept)+len(more)), kept...), more...)
}

// newest are the last n of kept, or all.
func newest(kept [][]float32, n int) [][]float32 { return kept[max(len(kept)-n, 0):] }
