package samplers

import "fmt"

// The multistep DPM-Solvers (Lu et al., arXiv 2211.01095, algorithm 2, and arXiv
// 2206.00927 over the predicted noise), as diffusers' DPMSolverMultistepScheduler
// steps them.

func dpmpp2M() Sampler {
	return dpmMulti("dpm++2m", dpmData, 2, "second order from one call a step; good at 20 steps")
}

func dpmpp3M() Sampler {
	return dpmMulti("dpm++3m", dpmData, 3, "as diffusers has it, which measures as second order")
}

func dpmpp2MSDE() Sampler {
	return dpmMulti("dpm++2m-sde", dpmDataSDE, 2, "dpm++2m with new noise at every step")
}

func dpmpp3MSDE() Sampler {
	return dpmMulti("dpm++3m-sde", dpmDataSDE, 3, "as diffusers has it, which measures as first order")
}

func dpm2M() Sampler {
	return dpmMulti("dpm-2m", dpmNoise, 2, "dpm++2m over the noise; ends on the lowest sigma")
}

func dpm3M() Sampler {
	return dpmMulti("dpm-3m", dpmNoise, 3, "dpm++3m over the noise; ends on the lowest sigma")
}

func dpmMulti(name, algorithm string, order int, summary string) Sampler {
	return Sampler{
		Name: name, Class: "DPMSolverMultistepScheduler", Summary: summary, Order: order, CallsPerStep: 1,
		Sigmas: true, Stochastic: algorithm == dpmDataSDE,
		method: method{defaults: dpmDefaults, plan: planDPMMulti, zeroSNR: boundsZeroSNR, fixed: dpmFixed(algorithm, order)},
	}
}

// shortRun is the number of calls below which a run ends in lower orders.
const shortRun = 15

type dpmMultiSolver struct{ dpmSolver }

func planDPMMulti(p *Plan, c params, n int) error {
	if err := c.checkDPM(dpmData, dpmNoise, dpmDataSDE, dpmNoiseSDE); err != nil {
		return err
	}
	if c.AlgorithmType == dpmNoiseSDE && c.SolverOrder > 2 {
		return fmt.Errorf("scheduler config: solver_order is %d, which algorithm_type %s does not have, want 1 or 2", c.SolverOrder, dpmNoiseSDE)
	}
	c.SigmaMin, c.SigmaMax = nil, nil // no keys of this class
	solver, err := c.dpmSolver(p, n, dpmClass{cuts: c.BetaSchedule == "squaredcos_cap_v2"})
	if err != nil {
		return err
	}
	d := &dpmMultiSolver{solver}
	d.setOrders(c.LowerOrderFinal && p.Calls() < shortRun)
	if c.EulerAtFinal || c.FinalSigmasType == "zero" {
		d.orders[p.Calls()-1] = 1
	}
	p.solver = d
	return nil
}

func (d *dpmMultiSolver) step(_ *Plan, s State, output []float32, o Options) (State, []float32) {
	x0, m := d.evaluate(s, output)
	i, last := s.Index, len(s.Memory)-1
	order := min(d.orders[i], len(s.Memory)+1)
	c := termsOf(d.algorithm, d.levels[i+1], d.levels[i], d.heun || order == 3)
	next := d.begin(s, o)
	switch h := d.growth(i); order {
	case 1:
		c.first(next.X, s.X, m)
	case 2:
		c.second(next.X, s.X, m, s.Memory[last], h/d.growth(i-1))
	default:
		p, q := c.differences(h/d.growth(i-1), h/d.growth(i-2))
		c.third(next.X, s.X, m, s.Memory[last], s.Memory[last-1], p, q)
	}
	if d.order > 1 {
		next.Memory = remember(newest(s.Memory, d.order-2), m)
	}
	return next, x0
}

// differences are the factors of the differences of an output to the one before, and of
// that to the one before it, in third order. Over a step, lambda grows by near and far
// times what it grew by in the step before and the one before that.
func (c terms) differences(near, far float32) (p, q float32) {
	r0, r1 := 1/near, 1/far
	part, whole := r0/(r0+r1), 1/(r0+r1)
	change := float32(c.d1*part) + float32(c.d2*whole)
	return near * (c.d1 + change), -far * change
}
