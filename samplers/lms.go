package samplers

import (
	"fmt"
	"math"
)

// lms is the Adams-Bashforth method of order 4 on uneven steps (Hairer et al.,
// Solving Ordinary Differential Equations I, sec. III.5) on the probability flow ODE,
// as k-diffusion's lms and diffusers' LMSDiscreteScheduler step it.
func lms() Sampler {
	return Sampler{
		Name: "lms", Class: "LMSDiscreteScheduler", Order: 4, CallsPerStep: 1, Sigmas: true,
		Summary: "linear multistep: fourth order at one call a step",
		method:  method{defaults: kDefaults, plan: planLMS},
	}
}

const lmsOrder = 4

type lmsSolver struct{ kPredictor }

// lmsLimit is the most that a step may weigh a slope by, on the scale of the latent.
// Noise levels that are close together beside the step that they predict have weights
// large and of both signs: 1e5 times the rounding error of a slope is a hundredth.
const lmsLimit = 1e5

func planLMS(p *Plan, c params, n int) error {
	c = c.withoutEuler()
	predictor, err := c.kPredictor(p, "epsilon", "v_prediction", "sample")
	if err != nil {
		return err
	}
	l, err := c.layOut(n)
	if err != nil {
		return err
	}
	if err := l.checkWeights(); err != nil {
		return err
	}
	p.solver = &lmsSolver{predictor}
	return l.steps(p)
}

// checkWeights refuses noise levels too close together.
func (l kLevels) checkWeights() error {
	for i := range l.timesteps {
		order := min(i+1, lmsOrder)
		for _, w := range lmsWeights(l.sigmas, i, order) {
			if !(math.Abs(w) <= lmsLimit*(1+float64(l.sigmas[i]))) {
				return fmt.Errorf("noise levels %v are too close together for lms; other sigmas, another spacing or fewer steps would do", l.sigmas[i+1-order:i+1])
			}
		}
	}
	return nil
}

// lmsWeights are the integrals from noise level i to the next of the Lagrange
// polynomials over the levels i, i-1 ..., order of them: the weights of the slopes
// there. diffusers integrates numerically; this is exact.
func lmsWeights(sigmas []float32, i, order int) (weights [lmsOrder]float64) {
	var nodes [lmsOrder]float64
	start := float64(sigmas[i])
	for k := range order {
		nodes[k] = float64(sigmas[i-k]) - start
	}
	h := float64(sigmas[i+1]) - start
	for j := range order {
		poly := [lmsOrder]float64{1} // coefficients of the Lagrange polynomial, lowest first
		for k := range order {
			if k == j {
				continue
			}
			for d := lmsOrder - 1; d >= 0; d-- {
				c := -float64(nodes[k] * poly[d])
				if d > 0 {
					c += poly[d-1]
				}
				poly[d] = c / (nodes[j] - nodes[k])
			}
		}
		power := h
		for d := range order {
			weights[j] += float64(poly[d]*power) / float64(d+1)
			power *= h
		}
	}
	return weights
}

// step keeps the slopes of the last calls; as many as there are make the order.
func (l *lmsSolver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	i := s.Index
	order := min(len(s.Memory)+1, lmsOrder, i+1)
	x0, slope := l.predict(p, s, output)
	terms := [lmsOrder + 1]term{{1, s.X}}
	for j, w := range lmsWeights(p.sigmas, i, order) {
		if terms[j+1] = (term{float32(w), slope}); j > 0 && j < order {
			terms[j+1].values = s.Memory[len(s.Memory)-j]
		}
	}
	next := s.still()
	combine(next.X, terms[:]...)
	next.Memory = remember(newest(s.Memory, lmsOrder-2), slope)
	return next, x0
}
