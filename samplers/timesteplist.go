package samplers

import "fmt"

// checkTimesteps refuses timesteps asked for one by one that a run cannot go through,
// as diffusers does where it takes them (set_timesteps with timesteps).
func (r Request) checkTimesteps(s Sampler, total int) error {
	switch {
	case !s.Timesteps:
		return fmt.Errorf("timesteps are given, but %s lays out its own, want none; ddpm, lcm and tcd take them", s.Name)
	case len(r.Timesteps) == 0:
		return fmt.Errorf("timesteps is empty, want at least one, from 0 to %d", total-1)
	case r.Steps != 0:
		return fmt.Errorf("steps is %d, and timesteps are given, want one of the two", r.Steps)
	case r.Spacing != "":
		return fmt.Errorf("spacing is %s, and timesteps are given, want one of the two", r.Spacing)
	}
	before := total
	for _, t := range r.Timesteps {
		if t < 0 || t >= total {
			return fmt.Errorf("timestep %d is outside the model's training timesteps, want 0 to %d", t, total-1)
		}
		if t >= before {
			return fmt.Errorf("timesteps go from %d to %d, want a falling list", before, t)
		}
		before = t
	}
	return nil
}
