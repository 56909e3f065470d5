package samplers

// kdpm2Ancestral is [kdpm2] with fresh noise at the end of every step (Song et al.,
// arXiv 2011.13456, appendix F), as k-diffusion's dpm_2_ancestral and diffusers'
// KDPM2AncestralDiscreteScheduler step it.
func kdpm2Ancestral() Sampler {
	return Sampler{
		Name: "dpm2-a", Class: "KDPM2AncestralDiscreteScheduler", Order: 2, CallsPerStep: 2, Sigmas: true, Stochastic: true,
		Summary: "DPM-Solver-2 with fresh noise at every step",
		method:  method{defaults: kDefaultsSD, plan: planKDPM2Ancestral},
	}
}

type kdpm2AncestralSolver struct {
	kdpm2Solver
	down, up []float32 // of each step but the last
}

func planKDPM2Ancestral(p *Plan, c params, n int) error {
	l, predictor, err := c.kdpm2Levels(p, n)
	if err != nil {
		return err
	}
	k := &kdpm2AncestralSolver{kdpm2Solver: kdpm2Solver{predictor}}
	var mid []float32
	for j, to := range l.sigmas[1:len(l.timesteps)] {
		down, up := ancestral(l.sigmas[j], to)
		k.down, k.up = append(k.down, down), append(k.up, up)
		mid = append(mid, midway(l.sigmas[j], down))
	}
	p.solver = k
	return l.midpoints(p, mid)
}

// step draws at a second call; the last step has none.
func (k *kdpm2AncestralSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	if s.Index%2 == 0 {
		return k.kdpm2Solver.step(p, s, output, o)
	}
	base, sigma, _ := second(p, s)
	j := s.Index / 2
	f, next := k.at(p.sigmas[s.Index], s.X, output), s.drawn(o)
	f.glide(next.X, base, k.down[j]-sigma, k.up[j])
	return next, f.x0
}
