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
	order := min(d.orders[s.Index], len(s.Memory)+1)
	t, at := d.levels[s.Index+1], d.levels[s.Index]
	c := termsOf(d.algorithm, t, at, d.heun || order == 3)
	var x []float32
	switch h := t.lambda - at.lambda; order {
	case 1:
		x = c.first(s.X, m)
	case 2:
		before := s.Memory[len(s.Memory)-1]
		r0 := (at.lambda - d.levels[s.Index-1].lambda) / h
		x = c.second(s.X, m, m, before, 1/r0)
	default:
		r0 := (at.lambda - d.levels[s.Index-1].lambda) / h
		r1 := (d.levels[s.Index-1].lambda - d.levels[s.Index-2].lambda) / h
		x = c.third(s.X, m, s.Memory, r0, r1)
	}
	return d.finish(c, s, x, remember(nil, s.Memory, m, d.order-1), o), x0
}

// third is the step of third order, with output m and the two before; r0 and r1 are
// the lengths of the two steps before in terms of this one's.
func (c terms) third(x, m []float32, before [][]float32, r0, r1 float32) []float32 {
	m1, m2 := before[len(before)-1], before[len(before)-2]
	inverse0, inverse1 := 1/r0, 1/r1
	part, whole := r0/(r0+r1), 1/(r0+r1)
	out := make([]float32, len(x))
	for i, v := range x {
		p := float32(inverse0 * (m[i] - m1[i]))
		change := p - float32(inverse1*(m1[i]-m2[i]))
		d1, d2 := p+float32(part*change), float32(whole*change)
		out[i] = float32(c.x*v) + float32(c.d0*m[i]) + float32(c.d1*d1) + float32(c.d2*d2)
	}
	return out
}
