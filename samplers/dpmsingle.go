package samplers

import "fmt"

// The singlestep DPM-Solvers (Lu et al., arXiv 2206.00927, algorithms 1 and 2, and
// arXiv 2211.01095 over x0), as diffusers' DPMSolverSinglestepScheduler steps them:
// it counts every call of the denoiser as a step, and orders go 1, 2 (, 3), 1, 2 ...
// A call of order 1 begins anew; those after it go on from where that began, with the
// outputs since.

func dpmpp2S() Sampler {
	return dpmSingle("dpm++2s", 2, "second order in pairs of calls; each counts as a step")
}

func dpmpp3S() Sampler {
	return dpmSingle("dpm++3s", 3, "third order in threes of calls; each counts as a step")
}

func dpmSingle(name string, order int, summary string) Sampler {
	return Sampler{
		Name: name, Class: "DPMSolverSinglestepScheduler", Summary: summary, Order: order, CallsPerStep: 1, Sigmas: true, OwnSpacing: true,
		method: method{defaults: dpmSingleDefaults, plan: planDPMSingle, fixed: dpmFixed(dpmData, order)},
	}
}

func dpmSingleDefaults() params {
	c := dpmDefaults()
	c.LowerOrderFinal = false
	return c
}

type dpmSingleSolver struct{ dpmSolver }

func planDPMSingle(p *Plan, c params, n int) error {
	if err := c.checkDPM(dpmData, dpmNoise, dpmDataSDE); err != nil {
		return err
	}
	if c.AlgorithmType == dpmNoise && c.Thresholding {
		return fmt.Errorf("scheduler config: thresholding is true, which singlestep %s does not have, want false or algorithm_type %s", dpmNoise, dpmData)
	}
	c.SigmaMin, c.SigmaMax = nil, nil // no keys of this class
	c.TimestepSpacing = Linspace      // nor is timestep_spacing
	solver, err := c.dpmSolver(p, n, dpmClass{})
	if err != nil {
		return err
	}
	d := &dpmSingleSolver{solver}
	for i := range d.orders {
		if d.orders[i] = i%d.order + 1; i > 0 && d.growth(i-1) == 0 {
			d.orders[i] = 1
		}
	}
	if c.FinalSigmasType == "zero" || c.LowerOrderFinal && n%d.order == 0 {
		d.orders[n-1] = 1
	}
	p.solver = d
	return nil
}

func (d *dpmSingleSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	x0, m := d.evaluate(s, output)
	// Memory is the x that the step began with, and the outputs since.
	order := min(d.orders[s.Index], max(len(s.Memory), 1))
	begin := [][]float32{s.X}
	var since [][]float32
	if order > 1 {
		begin, since = s.Memory[:1], s.Memory[1:]
	}
	from, at, t := d.levels[s.Index+1-order], d.levels[s.Index], d.levels[s.Index+1]
	c := termsOf(d.algorithm, t, from, d.heun || order == 3)
	h := t.lambda - from.lambda
	r0 := (at.lambda - from.lambda) / h
	var x []float32
	switch {
	case order == 1:
		x = c.first(s.X, m)
	case order == 2 || !d.heun: // midpoint takes no second difference in third order either
		x = c.second(begin[0], since[0], m, since[0], 1/r0)
	default:
		x = c.single(begin[0], m, since, r0, (d.levels[s.Index-1].lambda-from.lambda)/h)
	}
	var memory [][]float32
	if next := s.Index + 1; next < p.Calls() && d.orders[next] > 1 {
		memory = remember(begin, since, m, order)
	}
	return d.finish(c, s, x, memory, o), x0
}

// single is the step of third order from x, with output m and the two since x; r0 and
// r1 are how far into the step those at m and before it are.
func (c terms) single(x, m []float32, since [][]float32, r0, r1 float32) []float32 {
	m2, m1 := since[0], since[1]
	inverse0, inverse1, apart := 1/r0, 1/r1, r0-r1
	out := make([]float32, len(x))
	for i, v := range x {
		p, q := float32(inverse1*(m1[i]-m2[i])), float32(inverse0*(m[i]-m2[i]))
		d1, d2 := (float32(r0*p)-float32(r1*q))/apart, 2*(q-p)/apart
		out[i] = float32(c.x*v) + float32(c.d0*m2[i]) + float32(c.d1*d1) + float32(c.d2*d2)
	}
	return out
}
