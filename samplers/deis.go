package samplers

// deis is the exponential integrator of Zhang and Chen (arXiv 2204.13902, tAB-DEIS, but
// with polynomials in log rho), as diffusers' DEISMultistepScheduler steps it. Its
// integrals do not reach noise level 0: a run ends on the table's lowest, whatever
// final_sigmas_type says.
func deis() Sampler {
	return Sampler{
		Name: "deis", Class: "DEISMultistepScheduler", Order: 2, CallsPerStep: 1, Sigmas: true,
		Summary: "exponential integrator; ends on the lowest sigma",
		method:  method{defaults: deisDefaults, plan: planDEIS},
	}
}

func deisDefaults() params {
	c := commonDefaults(Linspace)
	c.AlgorithmType, c.SolverType = "deis", "logrho"
	return c
}

type deisSolver struct {
	dpm
	rhos []rho // at each level
}

// rho is the noise level sigma/alpha and its logarithm.
type rho struct{ value, log float32 }

func planDEIS(p *Plan, c params, n int) error {
	if err := oneOf("algorithm_type", c.AlgorithmType, "deis", dpmData, dpmNoise); err != nil {
		return err
	}
	if err := oneOf("solver_type", c.SolverType, "logrho", "midpoint", "heun", "bh1", "bh2"); err != nil {
		return err
	}
	if err := c.checkOrder(3); err != nil {
		return err
	}
	c.FinalSigmasType = "sigma_min"
	c.SigmaMin, c.SigmaMax, c.LambdaMinClipped = nil, nil, nil // no keys of this class
	family, err := c.dpm(p, n, dpmClass{stays: true})
	if err != nil {
		return err
	}
	d := &deisSolver{dpm: family}
	d.overNoise, d.noiseOfX0 = true, c.Thresholding
	d.setOrders(c.LowerOrderFinal && p.Calls() < shortRun)
	for _, l := range d.levels {
		value := l.sigma / l.alpha
		d.rhos = append(d.rhos, rho{value, lnOf(value)})
	}
	p.sampler.Order, p.solver = d.order, d
	return nil
}

func (d *deisSolver) step(_ *Plan, s State, output []float32, _ Options) (State, []float32) {
	x0, m := d.evaluate(s, output)
	t, at, next := d.levels[s.Index+1], d.levels[s.Index], s.still()
	switch order := min(d.orders[s.Index], len(s.Memory)+1); order {
	case 1:
		termsOf(dpmNoise, t, at, false).first(next.X, s.X, m)
	default:
		c := d.weights(s.Index, order)
		terms := [4]term{{t.alpha / at.alpha, s.X}, {t.alpha * c[0], m}}
		for k := 1; k < order; k++ {
			terms[k+1] = term{t.alpha * c[k], s.Memory[len(s.Memory)-k]}
		}
		combine(next.X, terms[:]...)
	}
	if d.order > 1 {
		next.Memory = remember(newest(s.Memory, d.order-2), m)
	}
	return next, x0
}

// weights are those of the outputs at call i and before it: the integrals, from this
// noise level to the next, of the Lagrange polynomials in log rho. Differences of close
// levels leave them few digits, but they are the reference's.
func (d *deisSolver) weights(i, order int) (c [3]float32) {
	t, r0, r1 := d.rhos[i+1], d.rhos[i], d.rhos[i-1]
	if order == 2 {
		c[0] = line(t, r0, r1) - line(r0, r0, r1)
		c[1] = line(t, r1, r0) - line(r0, r1, r0)
		return c
	}
	r2 := d.rhos[i-2]
	c[0] = parabola(t, r0, r1, r2) - parabola(r0, r0, r1, r2)
	c[1] = parabola(t, r1, r2, r0) - parabola(r0, r1, r2, r0)
	c[2] = parabola(t, r2, r0, r1) - parabola(r0, r2, r0, r1)
	return c
}

// line is an antiderivative, at t, of (log t - log c) / (log b - log c).
func line(t, b, c rho) float32 { return t.value * (t.log - c.log - 1) / (b.log - c.log) }

// parabola is an antiderivative, at t, of the product of such lines through c and d.
func parabola(t, b, c, d rho) float32 {
	sum := float32(c.log*(d.log-t.log+1)) - float32(d.log*t.log) + d.log + float32(t.log*t.log) - float32(2*t.log) + 2
	return t.value * sum / float32((b.log-c.log)*(b.log-d.log))
}
