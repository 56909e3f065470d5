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
		d.orders[p.Calls()-1] = 1
	}
	p.solver = d
	return nil
}

func (d *dpmSingleSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	x0, m := d.evaluate(s, output)
	// Memory is the x that the step began with, and the outputs since.
	i := s.Index
	order := min(d.orders[i], max(len(s.Memory), 1))
	from, at := d.levels[i+1-order], d.levels[i]
	c := termsOf(d.algorithm, d.levels[i+1], from, d.heun || order == 3)
	next := d.begin(s, o)
	h := d.levels[i+1].lambda - from.lambda
	begun := s.Memory
	switch r0 := (at.lambda - from.lambda) / h; {
	case order == 1:
		begun = [][]float32{s.X}
		c.first(next.X, s.X, m)
	case order == 2 || !d.heun: // midpoint takes no second difference in third order either
		c.second(next.X, begun[0], begun[1], m, -1/r0)
	default:
		p, q := c.since(r0, (d.levels[i-1].lambda-from.lambda)/h)
		c.third(next.X, begun[0], begun[1], begun[2], m, p, q)
	}
	if i+1 < p.Calls() && d.orders[i+1] > 1 {
		next.Memory = remember(begun, m)
	}
	return next, x0
}

// since is as differences, in third order over single steps: of the output at the step's
// start to the first since, and of that to the newest. r0 and r1 are how far into the
// step the newest and the first are.
func (c terms) since(r0, r1 float32) (p, q float32) {
	// d1 = (r0*a - r1*b)/(r0-r1) and d2 = 2*(b-a)/(r0-r1), where a = (m1-m0)/r1 and
	// b = (m2-m0)/r0.
	apart := r0 - r1
	a := (float32(c.d1*r0) - 2*c.d2) / apart / r1
	b := (2*c.d2 - float32(c.d1*r1)) / apart / r0
	return -a - b, -b
}
