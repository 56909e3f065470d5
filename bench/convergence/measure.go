// Package convergence measures how fast each sampler comes near the exact solution as
// the steps get smaller. Its test holds every sampler to its order of accuracy; the
// program in plot draws docs/convergence.svg and writes docs/convergence.md.
//
// The data are normal, with one mean and one standard deviation. Then the best
// denoiser is linear in the latent, and where the reverse process should be at a noise
// level sigma is known: on the scale x0 + sigma*eps, at a standard deviation of
// sqrt(sd^2 + sigma^2). Deterministic samplers get there along the probability-flow ODE
// (Song et al., arXiv 2011.13456, eq. 13), stochastic ones in distribution, so that one
// measure does for both: how far off the standard deviation is (for stochastic ones,
// this is the weak order).
//
// It is not estimated from samples. Every sampler is linear too, so a latent is what
// each draw of noise adds to it, and those shares are found by giving each element of
// a latent one draw alone.
package convergence

import (
	"fmt"
	"math"

	"ldx/samplers"
)

// The data's mean and standard deviation.
const (
	mean = 0.7
	sd   = 0.5
)

// Case is how a sampler is measured.
type Case struct {
	Name    string // the sampler, or a variant of it
	Sampler string
	Eta     float64
	Keys    string // more keys of the scheduler config, as JSON
	// Intervals are the numbers of steps that show the order: few enough for single
	// precision, and enough for the asymptote.
	Intervals [3]int
	// Order is what the error falls with: as steps^-Order. 0 is for samplers of
	// consistency models: exact with any number of steps if the model is.
	Order int
}

// Point is one measurement.
type Point struct {
	Steps int
	Calls int     // of the denoiser, in the part that is measured
	Error float64 // relative, of the standard deviation
}

// impulses is noise of which draw k is 1 in element k and 0 in all others.
type impulses struct{ n int }

func (i impulses) Draw(k int) []float32 {
	out := make([]float32, i.n)
	if k < i.n-1 { // the last element has the mean alone
		out[k] = 1
	}
	return out
}

// spread is the exact standard deviation at a noise level, on the scale x0 + sigma*eps.
func spread(sigma float64) float64 { return math.Hypot(sd, sigma) }

// predict is the predicted noise of the best denoiser, or of the best consistency model
// (Song et al., arXiv 2303.01469): the end of the probability flow from here.
func (c Case) predict(p *samplers.Plan, s samplers.State) []float32 {
	sigma := float64(p.Sigma(s.Index))
	signal := 1 / math.Sqrt(1+sigma*sigma)
	share := sigma / (sd*sd + sigma*sigma) // of the noise in the distance from the mean
	if c.Order == 0 {
		share = (1 - sd/spread(sigma)) / sigma
	}
	x := p.Latent(s)
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(share * (float64(v)/signal - mean))
	}
	return out
}

// start is x_T with exactly the right distribution.
func start(p *samplers.Plan, n int) samplers.State {
	scale := shareOf(p, 0)
	x := impulses{n}.Draw(0)
	for i, z := range x {
		x[i] = float32(scale * (mean + float64(z)*spread(float64(p.Sigma(0)))))
	}
	return samplers.State{X: x, Draws: 1}
}

// shareOf is what the solver's scale has of x0 at call i: 1 or sqrt(alpha-bar).
func shareOf(p *samplers.Plan, i int) float64 {
	return float64(p.AddNoise([]float32{1}, []float32{0}, i)[0])
}

// Measure runs the case over a number of intervals.
func (c Case) Measure(intervals int) (Point, error) {
	p, end, err := c.plan(intervals)
	if err != nil {
		return Point{}, fmt.Errorf("%s over %d intervals: %w", c.Name, intervals, err)
	}
	n := p.Calls() + 2
	s := start(p, n)
	for s.Index < end {
		if s, _, err = p.Step(s, c.predict(p, s), samplers.Options{Eta: c.Eta, Noise: impulses{n}}); err != nil {
			return Point{}, fmt.Errorf("%s over %d intervals: %w", c.Name, intervals, err)
		}
	}
	return Point{Steps: intervals, Calls: end, Error: errorOf(p, s)}, nil
}

// errorOf is the relative error of the standard deviation, or of the mean in terms of
// it if that is larger.
func errorOf(p *samplers.Plan, s samplers.State) float64 {
	scale := shareOf(p, s.Index)
	last := len(s.X) - 1
	center, variance := float64(s.X[last]), 0.0
	for _, v := range s.X[:last] {
		d := (float64(v) - center) / scale
		variance += d * d
	}
	exact := spread(float64(p.Sigma(s.Index)))
	return max(math.Abs(math.Sqrt(variance)/exact-1), math.Abs(center/scale-mean)/exact)
}

// OrderBetween is the order of accuracy that two points show.
func OrderBetween(a, b Point) float64 {
	return math.Log(a.Error/b.Error) / math.Log(float64(b.Steps)/float64(a.Steps))
}
