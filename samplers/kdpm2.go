package samplers

import "math"

// kdpm2 is DPM-Solver-2 (Lu et al., arXiv 2206.00927, algorithm 1) at noise levels:
// the midpoint method, with the midpoint in the logarithm of sigma, as k-diffusion's
// dpm_2 and diffusers' KDPM2DiscreteScheduler step it.
func kdpm2() Sampler {
	return Sampler{
		Name: "dpm2", Class: "KDPM2DiscreteScheduler", Order: 2, CallsPerStep: 2, Sigmas: true,
		Summary: "DPM-Solver-2: second order, two calls a step",
		method:  method{defaults: kDefaultsSD, plan: planKDPM2},
	}
}

// kdpm2Solver makes the second call of a step at the plan's noise level for it, and
// goes to the next with that slope.
type kdpm2Solver struct{ kPredictor }

func planKDPM2(p *Plan, c params, n int) error {
	l, predictor, err := c.kdpm2Levels(p, n)
	if err != nil {
		return err
	}
	p.solver = &kdpm2Solver{predictor}
	mid := make([]float32, len(l.timesteps)-1)
	for j := range mid {
		mid[j] = midway(l.sigmas[j+1], l.sigmas[j])
	}
	return l.midpoints(p, mid)
}

// kdpm2Levels lays out the steps of both DPM-Solver-2 samplers. Karras's timesteps
// are whole in their classes.
func (c params) kdpm2Levels(p *Plan, n int) (kLevels, kPredictor, error) {
	c = c.withoutEuler()
	predictor, err := c.kPredictor(p, "epsilon", "v_prediction")
	if err != nil {
		return kLevels{}, predictor, err
	}
	l, err := c.layOut(n)
	if c.UseKarrasSigmas {
		for i, t := range l.timesteps {
			l.timesteps[i] = math.RoundToEven(t)
		}
	}
	return l, predictor, err
}

// midway is between two noise levels in their logarithm, in the order of rounding of
// torch's lerp.
func midway(start, end float32) float32 {
	from, to := float32(math.Log(float64(start))), float32(math.Log(float64(end)))
	return float32(math.Exp(float64(to - float32((to-from)*0.5))))
}

// midpoints sets the calls of p, the second of each step at mid.
func (l kLevels) midpoints(p *Plan, mid []float32) error {
	timesteps := make([]float64, len(mid))
	for j, s := range mid {
		timesteps[j] = timestepOf(float64(s), l.logs)
	}
	return l.pairs(p, timesteps, mid)
}

func (k *kdpm2Solver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	base, sigma, _ := second(p, s)
	return k.move(p, s, output, base, p.sigmas[s.Index+1]-sigma)
}

// move goes from base by dt along the slope at s.
func (k *kdpm2Solver) move(p *Plan, s State, output, base []float32, dt float32) (State, []float32) {
	f, next := k.at(p.sigmas[s.Index], s.X, output), s.still()
	f.glide(next.X, base, dt, 0)
	if i := s.Index; i%2 == 0 && i+1 < p.Calls() {
		next.Memory = [][]float32{s.X}
	}
	return next, f.x0
}
