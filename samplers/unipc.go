package samplers

import (
	"fmt"
	"math"
	"slices"
)

// uniPC is the predictor-corrector of Zhao et al. (arXiv 2302.04867, theorem 3.1 and
// corollary 3.2), as diffusers' UniPCMultistepScheduler steps it: with the output at a
// call, the step that led to it is taken again (the corrector), then the next one (the
// predictor). x at a call is the predictor's.
func uniPC() Sampler {
	return Sampler{
		Name: "unipc", Class: "UniPCMultistepScheduler", Order: 2, CallsPerStep: 1, Sigmas: true,
		Summary: "predictor and corrector in one call; good below 10 steps",
		method:  method{defaults: uniPCDefaults, plan: planUniPC, zeroSNR: boundsZeroSNR},
	}
}

func uniPCDefaults() params {
	c := commonDefaults(Linspace)
	c.SolverType, c.PredictX0 = "bh2", true
	return c
}

// uniPCOrder is the highest order: with more nodes, single precision leaves their
// differences no digits.
const uniPCOrder = 5

type uniPCSolver struct {
	dpm
	linear      bool  // B(h) is h ("bh1"), not exp(h) - 1 ("bh2")
	uncorrected []int // calls after which the corrector is left out
}

func planUniPC(p *Plan, c params, n int) error {
	if slices.Contains([]string{"midpoint", "heun", "logrho"}, c.SolverType) {
		c.SolverType = "bh2"
	}
	if err := oneOf("solver_type", c.SolverType, "bh1", "bh2"); err != nil {
		return err
	}
	if c.SolverP != nil {
		return fmt.Errorf("scheduler config: solver_p is %v, and unipc here predicts by itself only, want null", c.SolverP)
	}
	if err := c.checkOrder(uniPCOrder); err != nil {
		return err
	}
	if err := c.checkUniPCEnd(n); err != nil {
		return err
	}
	c.LambdaMinClipped = nil // no key of this class
	if !c.PredictX0 {
		c.Thresholding = false // only for x0
	}
	family, err := c.dpm(p, n, dpmClass{stays: true})
	if err != nil {
		return err
	}
	u := &uniPCSolver{dpm: family, linear: c.SolverType == "bh1", uncorrected: c.DisableCorrector}
	u.overNoise = !c.PredictX0
	u.setOrders(c.LowerOrderFinal)
	p.sampler.Order, p.solver = u.order, u
	return nil
}

// checkUniPCEnd refuses what divides by an infinite step on noise level 0, where the
// reference gives NaN.
func (c params) checkUniPCEnd(n int) error {
	switch {
	case c.FinalSigmasType != "zero":
	case c.SolverType == "bh1":
		return fmt.Errorf("scheduler config: final_sigmas_type is zero, which solver_type bh1 cannot end on, want sigma_min, or solver_type bh2")
	case !c.PredictX0:
		return fmt.Errorf("scheduler config: final_sigmas_type is zero, which predict_x0 false cannot end on, want sigma_min, or predict_x0 true")
	case !c.LowerOrderFinal && min(c.SolverOrder, n) > 1:
		return fmt.Errorf("scheduler config: final_sigmas_type is zero, which needs lower_order_final true, want that or sigma_min")
	}
	return nil
}

// step keeps in Memory the corrected x and the outputs so far, at most as many as
// the order.
func (u *uniPCSolver) step(_ *Plan, s State, output []float32, _ Options) (State, []float32) {
	i := s.Index
	x0, m := u.evaluate(s, output)
	x := s.X
	var before [][]float32
	if i > 0 && len(s.Memory) > 1 {
		before = s.Memory[1:]
		if !slices.Contains(u.uncorrected, i-1) {
			c := u.update(i-1, min(u.orders[i-1], len(before)), true)
			x = make([]float32, len(s.X))
			c.apply(x, s.Memory[0], before, m)
		}
	}
	next := s.still()
	next.Memory = append(append(append(make([][]float32, 0, u.order+1), x), newest(before, u.order-1)...), m)
	c := u.update(i, min(u.orders[i], len(next.Memory)-1), false)
	c.apply(next.X, x, next.Memory[1:], nil)
	return next, x0
}

// uniPCUpdate are the factors of a step from x with outputs m0 at x, m1 ... before it,
// and m at its end for the corrector:
// x*X - m0*M - residue * (sum weights[k] (m_k - m0)/nodes[k] + weights[last] (m - m0)).
type uniPCUpdate struct {
	x, m, residue  float32
	nodes, weights [uniPCOrder]float32
	before         int     // number of outputs before m0
	correction     float32 // the weight of m - m0
}

// update is the step from call i.
func (u *uniPCSolver) update(i, order int, corrects bool) uniPCUpdate {
	t, s := u.levels[i+1], u.levels[i]
	h := t.lambda - s.lambda
	c := uniPCUpdate{before: order - 1}
	for k := range c.before {
		c.nodes[k] = (u.levels[i-1-k].lambda - s.lambda) / h
	}
	c.nodes[c.before] = 1
	scale := t.alpha
	if c.x = t.sigma / s.sigma; u.overNoise {
		scale, c.x = t.sigma, t.alpha/s.alpha
	} else {
		h = -h
	}
	phi := float32(math.Expm1(float64(h)))
	b := phi
	if u.linear {
		b = h
	}
	c.m, c.residue = float32(scale*phi), float32(scale*b)
	switch {
	case corrects && order == 1:
		c.correction = 0.5
	case corrects:
		c.solve(order, phi, h, b)
		c.correction = c.weights[order-1]
	case order == 2:
		c.weights[0] = 0.5
	case order > 2:
		c.solve(order-1, phi, h, b)
	}
	return c
}

// solve finds the weights with which the first n nodes' powers give the integrals
// phi_k(h) k! / B(h), k = 1 to n.
func (c *uniPCUpdate) solve(n int, phi, h, b float32) {
	var rows [uniPCOrder][uniPCOrder + 1]float64
	integral, factorial := phi/h-1, float32(1)
	var powers [uniPCOrder]float32
	for k := range n {
		powers[k] = 1
	}
	for q := range n {
		for k := range n {
			rows[q][k] = float64(powers[k])
			powers[k] *= c.nodes[k]
		}
		rows[q][n] = float64(float32(integral*factorial) / b)
		factorial *= float32(q + 2)
		integral = integral/h - 1/factorial
	}
	// Gauss-Jordan with pivots: nodes differ, so the matrix is regular.
	for col := range n {
		pivot := col
		for q := col; q < n; q++ {
			if math.Abs(rows[q][col]) > math.Abs(rows[pivot][col]) {
				pivot = q
			}
		}
		rows[col], rows[pivot] = rows[pivot], rows[col]
		for q := range n {
			if q == col {
				continue
			}
			factor := rows[q][col] / rows[col][col]
			for k := col; k <= n; k++ {
				rows[q][k] -= float64(factor * rows[col][k])
			}
		}
	}
	for k := range n {
		c.weights[k] = float32(rows[k][n] / rows[k][k])
	}
}

// apply writes to dst where the step from x with outputs newest last goes, with the
// corrector's at its end.
func (c uniPCUpdate) apply(dst, x []float32, outputs [][]float32, end []float32) {
	last := len(outputs) - 1
	correction := float32(c.residue * c.correction)
	terms := [uniPCOrder + 2]term{{c.x, x}, {correction - c.m, outputs[last]}, {-correction, end}}
	for k, node := range c.nodes[:c.before] {
		weight := c.residue * c.weights[k] / node
		terms[1].weight += weight
		terms[3+k] = term{-weight, outputs[last-1-k]}
	}
	combine(dst, terms[:]...)
}
