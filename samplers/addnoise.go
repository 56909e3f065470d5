package samplers

import "math"

// AddNoise is x0 with noise at the level of call i, or of the end for i = Calls(), on
// the solver's own scale: State{Index: i, X: p.AddNoise(x0, noise, i)} starts a run
// from there (SDEdit, arXiv 2108.01073; diffusers' add_noise). noise has the length
// of x0; neither is written to.
func (p *Plan) AddNoise(x0, noise []float32, i int) []float32 {
	signal, level := p.shares(i)
	return combined(term{signal, x0}, term{level, noise})
}

// shares are what x0 and the noise are multiplied with at call i.
func (p *Plan) shares(i int) (signal, noise float32) {
	sigma := p.sigmas[i]
	switch {
	case p.exploding:
		return 1, sigma
	case math.IsInf(float64(sigma), 1):
		return 0, 1
	}
	signal = 1 / sqrt32(float32(sigma*sigma)+1)
	return signal, sigma * signal
}
