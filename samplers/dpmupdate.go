package samplers

import (
	"fmt"
	"slices"
	"strings"
)

// Algorithms of DPM-Solver: over the predicted noise (arXiv 2206.00927), over x0
// ("++", arXiv 2211.01095), and both as an SDE.
const (
	dpmNoise    = "dpmsolver"
	dpmData     = "dpmsolver++"
	dpmNoiseSDE = "sde-dpmsolver"
	dpmDataSDE  = "sde-dpmsolver++"
)

func dpmDefaults() params {
	c := commonDefaults(Linspace)
	c.AlgorithmType, c.SolverType = dpmData, "midpoint"
	return c
}

// dpmFixed is what a name of DPM-Solver says. Over noise, a run cannot end on noise
// level 0 (diffusers refuses to), so that those names end on the table's lowest.
func dpmFixed(algorithm string, order int) func(*params) {
	return func(c *params) {
		c.AlgorithmType, c.SolverOrder = algorithm, order
		if !strings.HasSuffix(algorithm, "++") {
			c.FinalSigmasType = "sigma_min"
		}
	}
}

// checkDPM takes the values that other classes have in the same keys for those that
// diffusers does, and refuses the rest.
func (c *params) checkDPM(algorithms ...string) error {
	if c.AlgorithmType == "deis" {
		c.AlgorithmType = dpmData
	}
	if slices.Contains([]string{"logrho", "bh1", "bh2"}, c.SolverType) {
		c.SolverType = "midpoint"
	}
	if err := oneOf("algorithm_type", c.AlgorithmType, algorithms...); err != nil {
		return err
	}
	if err := oneOf("solver_type", c.SolverType, "midpoint", "heun"); err != nil {
		return err
	}
	if c.FinalSigmasType == "zero" && !strings.HasSuffix(c.AlgorithmType, "++") {
		return fmt.Errorf("scheduler config: final_sigmas_type is zero, which algorithm_type %s cannot end on, want sigma_min", c.AlgorithmType)
	}
	return c.checkOrder(3)
}

func (c *params) checkOrder(most int) error {
	if c.SolverOrder < 1 || c.SolverOrder > most {
		return fmt.Errorf("scheduler config: solver_order is %d, want 1 to %d", c.SolverOrder, most)
	}
	return nil
}

// dpmSolver is one algorithm of DPM-Solver, over several calls or single steps.
type dpmSolver struct {
	dpm
	algorithm string
	heun      bool // takes the differences' own integrals, not half the output's
}

func (c params) dpmSolver(p *Plan, n int, class dpmClass) (dpmSolver, error) {
	family, err := c.dpm(p, n, class)
	d := dpmSolver{dpm: family, algorithm: c.AlgorithmType, heun: c.SolverType == "heun"}
	d.overNoise = !strings.HasSuffix(d.algorithm, "++")
	d.noiseOfX0 = d.overNoise && c.Thresholding
	p.sampler.Order, p.sampler.Stochastic = c.SolverOrder, d.sde()
	return d, err
}

func (d *dpmSolver) sde() bool { return strings.HasPrefix(d.algorithm, "sde-") }

// begin begins the state after s: with noise for an SDE, of which the step takes its
// share.
func (d *dpmSolver) begin(s State, o Options) State {
	if d.sde() {
		return s.drawn(o)
	}
	return s.still()
}

// terms are the factors of x, of the model's output, of its first and second
// differences, and of noise in one step.
type terms struct{ x, d0, d1, d2, z float32 }

// termsOf are the terms of a step from s to t; where t has no noise, those of
// the differences are undefined. heun is for third order too.
func termsOf(algorithm string, t, s level, heun bool) (c terms) {
	h := t.lambda - s.lambda
	switch algorithm {
	case dpmData:
		e := expOf(-h) - 1
		c = terms{x: t.sigma / s.sigma, d0: -float32(t.alpha * e), d2: -float32(t.alpha * ((e+h)/float32(h*h) - 0.5))}
		if c.d1 = 0.5 * c.d0; heun {
			c.d1 = t.alpha * (e/h + 1)
		}
	case dpmNoise:
		e := expOf(h) - 1
		c = terms{x: t.alpha / s.alpha, d0: -float32(t.sigma * e), d2: -float32(t.sigma * ((e-h)/float32(h*h) - 0.5))}
		if c.d1 = 0.5 * c.d0; heun {
			c.d1 = -float32(t.sigma * (e/h - 1))
		}
	case dpmDataSDE:
		twice := 2 * h
		e := 1 - expOf(-twice)
		c = terms{x: t.sigma / s.sigma * expOf(-h), d0: t.alpha * e, d2: t.alpha * ((e-twice)/float32(twice*twice) - 0.5), z: t.sigma * sqrt32(e)}
		if c.d1 = 0.5 * c.d0; heun {
			c.d1 = t.alpha * (1 - e/twice)
		}
	case dpmNoiseSDE:
		e := expOf(h) - 1
		c = terms{x: t.alpha / s.alpha, d0: -2 * float32(t.sigma*e), d1: -float32(t.sigma * e), z: t.sigma * sqrt32(expOf(2*h)-1)}
		if heun {
			c.d1 = -2 * float32(t.sigma*(e/h-1))
		}
	}
	return c
}

// first is the step of first order from x, with output m. dst holds noise, and takes
// the result, as in those of higher orders.
func (c terms) first(dst, x, m []float32) {
	combine(dst, term{c.z, dst}, term{c.x, x}, term{c.d0, m})
}

// second is the step of second order from x: m0 is the output there, m1 the one before
// or since; inverse is 1 over how far that is from x, in terms of the step, and negative
// where it is since.
func (c terms) second(dst, x, m0, m1 []float32, inverse float32) {
	d1 := float32(c.d1 * inverse)
	combine(dst, term{c.z, dst}, term{c.x, x}, term{c.d0 + d1, m0}, term{-d1, m1})
}

// third is the step of third order, with outputs m0 at x and two others; p and q are the
// factors of m0 - m1 and m1 - m2.
func (c terms) third(dst, x, m0, m1, m2 []float32, p, q float32) {
	combine(dst, term{c.z, dst}, term{c.x, x}, term{c.d0 + p, m0}, term{q - p, m1}, term{-q, m2})
}
