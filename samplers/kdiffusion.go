package samplers

import (
	"fmt"
	"math"
	"slices"
)

// What the samplers of k-diffusion share. Their latent is x0 + sigma*eps
// ("variance exploding"), and in terms of the noise level sigma the probability
// flow is the ODE dx/dsigma = (x - x0)/sigma (Karras et al., arXiv 2206.00364,
// eq. 1 with sigma(t) = t and s(t) = 1).

// kDefaults are the defaults of Euler, Euler ancestral and LMS.
func kDefaults() params { return commonDefaults(Linspace) }

// kDefaultsSD are the defaults of Heun and the two of DPM-Solver-2: Stable Diffusion's
// betas, but linear.
func kDefaultsSD() params {
	c := commonDefaults(Linspace)
	c.BetaStart, c.BetaEnd = 0.00085, 0.012
	return c
}

// kLevels are the noise levels of a number of steps, and the timesteps of each.
type kLevels struct {
	timesteps []float64
	sigmas    []float32 // one more than timesteps: the last is the end
	logs      []float32 // logarithms of the training noise levels, rising
	init      float32   // what the start noise is multiplied with
}

// layOut lays out n steps. The noise levels are float64 until all is done, as in
// numpy, and so are timesteps between two.
func (c params) layOut(n int) (kLevels, error) {
	alphas, err := c.alphasCumprod()
	if err != nil {
		return kLevels{}, err
	}
	if !c.requested {
		c.UseLuLambdas = false // no key of these classes
	}
	mode, err := c.mode()
	if err != nil {
		return kLevels{}, err
	}
	table := sigmasOf(alphas)
	l := kLevels{logs: logsOf(table)}
	levels, err := c.lay(&l, mode, table, n)
	if err != nil {
		return kLevels{}, err
	}
	final := 0.0
	if c.FinalSigmasType == "sigma_min" && mode != "list" {
		final = float64(table[0])
	}
	for _, s := range append(levels, final) {
		l.sigmas = append(l.sigmas, float32(s))
	}
	l.init = c.initSigma(l.sigmas)
	return l, l.check()
}

// lay sets the timesteps of l and returns the noise level of each.
func (c params) lay(l *kLevels, mode string, table []float32, n int) (levels []float64, err error) {
	from := c.levelFrom(table, l.logs)
	switch mode {
	case "list":
		levels = c.listFrom(from, l.logs)
	case "ays":
		levels, err = alignYourSteps(c.ays, table, n, from)
	case "":
		return c.laySpaced(l, table, n)
	default:
		if levels, err = c.laySpaced(l, table, n); err == nil {
			levels, err = c.converted(mode, levels, from)
		}
	}
	if err != nil {
		return nil, err
	}
	l.timesteps = make([]float64, len(levels))
	for i, s := range levels {
		l.timesteps[i] = timestepOf(s, l.logs)
	}
	if c.begins() {
		l.timesteps[0] = c.from
	}
	return levels, nil
}

// laySpaced is lay by the spacing of timesteps.
func (c params) laySpaced(l *kLevels, table []float32, n int) (levels []float64, err error) {
	if l.timesteps, err = c.fractional(n, c.NumTrainTimesteps); err != nil {
		return nil, err
	}
	if levels = interpolate(l.timesteps, table); c.InterpolationType == "log_linear" {
		high := float64(table[len(table)-1]) // whatever the spacing
		if c.begins() {
			high = levels[0]
		}
		levels = logLinear(high, float64(table[0]), len(levels)+1)
	}
	return levels, nil
}

// converted are as many noise levels between the ends of those given, or those that
// the config or a start in mid-schedule has, as a mode lays them.
func (c params) converted(mode string, levels []float64, from float64) ([]float64, error) {
	high, low := levels[0], levels[len(levels)-1]
	switch {
	case c.begins():
		high = from
	case c.SigmaMax != nil:
		high = *c.SigmaMax
	}
	if c.SigmaMin != nil {
		low = *c.SigmaMin
	}
	if !(low >= lowestSigma && high <= highestSigma) {
		return nil, fmt.Errorf("%s noise levels from %g down to %g are not within %g to %g: other betas, sigma_min or sigma_max would do", mode, high, low, lowestSigma, highestSigma)
	}
	return convert(mode, high, low, len(levels)), nil
}

// fractional is [spacingParams.timesteps], but linspace keeps its fractions: these
// samplers interpolate the table.
func (c spacingParams) fractional(n, total int) ([]float64, error) {
	if c.begins() {
		out, err := c.remaining(c.from, n, false, c.TimestepSpacing != Linspace)
		for i, t := range out {
			out[i] = float64(float32(t))
		}
		return out, err
	}
	out := make([]float64, n)
	if c.TimestepSpacing == Linspace {
		for i := 1; i < n; i++ {
			step := float64(total-1) / float64(n-1)
			out[n-1-i] = float64(float32(float64(i) * step))
		}
		return out, nil
	}
	whole, err := c.timesteps(n, total)
	if err != nil {
		return nil, err
	}
	out = out[:0] // LDM spacing may give more
	for _, t := range whole {
		out = append(out, float64(t))
	}
	return out, nil
}

// logLinear is n levels that are even in their logarithm, from high to low.
func logLinear(high, low float64, n int) []float64 {
	levels := make([]float64, n)
	for i, l := range linspace32(math.Log(high), math.Log(low), n) {
		levels[i] = float64(float32(math.Exp(float64(l))))
	}
	return levels
}

// initSigma is the scale of the start noise: diffusers takes leading spacing to
// start from a latent that has signal too.
func (c spacingParams) initSigma(sigmas []float32) float32 {
	high := slices.Max(sigmas)
	if c.TimestepSpacing == Linspace || c.TimestepSpacing == Trailing {
		return high
	}
	return sqrt32(float32(high*high) + 1)
}

// check refuses levels that no step can start from. The end may lie higher, where
// sigma_min is below the table's.
func (l kLevels) check() error {
	starts := l.sigmas[:len(l.sigmas)-1]
	for i, s := range starts {
		if !(s >= lowestSigma && s <= highestSigma) {
			return fmt.Errorf("noise level %g of step %d is not within %g to %g: other betas, sigma_min, sigma_max or sigmas would do", s, i, lowestSigma, highestSigma)
		}
		if i > 0 && s > starts[i-1] {
			return fmt.Errorf("noise levels rise from %g to %g at step %d, want falling ones: other betas, sigma_min or sigma_max would do", starts[i-1], s, i)
		}
	}
	return nil
}

// explodeOver sets the calls of p: one a timestep, at noise levels of which there is
// one more.
func (l kLevels) explodeOver(p *Plan, timesteps []float64, sigmas []float32) error {
	calls := make([]float32, len(timesteps))
	for i, t := range timesteps {
		if math.IsNaN(t) {
			return fmt.Errorf("noise level %g of call %d has no timestep: the betas leave the noise of some timesteps the same, or none", sigmas[i], i)
		}
		calls[i] = float32(t)
	}
	p.exploding, p.init = true, l.init
	p.explode(calls, sigmas[:len(calls)+1])
	return nil
}

// steps sets the calls of p: one a step.
func (l kLevels) steps(p *Plan) error { return l.explodeOver(p, l.timesteps, l.sigmas) }

// pairs sets the calls of p: two a step, the second at mid, but the last one, which
// ends without noise: a second call there would divide by sigma 0.
func (l kLevels) pairs(p *Plan, midTimesteps []float64, mid []float32) error {
	last := len(l.timesteps) - 1
	var timesteps []float64
	var sigmas []float32
	for j := range last {
		timesteps = append(timesteps, l.timesteps[j], midTimesteps[j])
		sigmas = append(sigmas, l.sigmas[j], mid[j])
		p.stepOf = append(p.stepOf, j, j)
	}
	p.stepOf = append(p.stepOf, last)
	return l.explodeOver(p, append(timesteps, l.timesteps[last]), append(sigmas, l.sigmas[last:]...))
}

// second says whether the call at s is a step's second, and gives what a step counts
// from then: x and sigma at its first call. A second call that remembers no first
// one is a step of its own.
func second(p *Plan, s State) (x []float32, sigma float32, is bool) {
	if s.Index%2 == 0 || len(s.Memory) == 0 {
		return s.X, p.sigmas[s.Index], false
	}
	return s.Memory[0], p.sigmas[s.Index-1], true
}

// kPredictor turns what a model outputs into x0 and eps.
type kPredictor struct {
	kind  string
	bound float32 // of x0: clip_sample_range; 0 is no bound
}

// kPredictor takes the prediction types that sampler p has.
func (c params) kPredictor(p *Plan, kinds ...string) (kPredictor, error) {
	if !slices.Contains(kinds, c.PredictionType) {
		return kPredictor{}, fmt.Errorf("scheduler config: prediction_type %q is not one of %s, want %s", c.PredictionType, p.sampler.Name, join(kinds))
	}
	return kPredictor{kind: c.PredictionType}, nil
}

// flow is the ODE's direction at x of noise level sigma, (x - x0)/sigma.
type flow struct {
	x, x0 []float32
	sigma float32
}

// read is the reading of an output at noise level sigma: Karras et al., eq. 7, with the
// shares c_skip and c_out.
func (k kPredictor) read(sigma float32) reading {
	if k.kind != "v_prediction" {
		return readingOf(k.kind, 1, sigma)
	}
	square := float32(sigma*sigma) + 1
	root := sqrt32(square)
	return reading{x0: shares{1 / square, -sigma / root, 1}, eps: shares{sigma / square, 1 / root, 1}}
}

// at is the flow at x, with its x0 bounded.
func (k kPredictor) at(sigma float32, x, output []float32) flow {
	x0 := k.read(sigma).x0.latent(x, output)
	if k.bound > 0 {
		clamp(x0, k.bound)
	}
	return flow{x: x, x0: x0, sigma: sigma}
}

// predict bounds x0, but not the noise, as DDIM's does.
func (k kPredictor) predict(p *Plan, s State, output []float32) (x0, eps []float32) {
	sigma := p.sigmas[s.Index]
	x0, eps = k.at(sigma, s.X, output).x0, output
	if k.kind != "epsilon" {
		eps = k.read(sigma).eps.latent(s.X, output)
	}
	return x0, eps
}

// over are the terms of the flow over a distance dt in sigma.
func (f flow) over(dt float32) (x, x0 term) {
	slope := dt / f.sigma
	return term{slope, f.x}, term{-slope, f.x0}
}

// glide goes from base by dt along the flow. next holds noise, of which up is added,
// and takes the result; it may be base where up is 0.
func (f flow) glide(next, base []float32, dt, up float32) {
	a, b := f.over(dt)
	if len(base) > 0 && &base[0] == &f.x[0] {
		combine(next, term{up, next}, term{1 + a.weight, base}, b)
		return
	}
	combine(next, term{up, next}, term{1, base}, a, b)
}

// renoise goes to x0 + sigma*eps, the step of CFG++ (arXiv 2406.08070, algorithm 2)
// at noise levels; next is as glide's.
func (f flow) renoise(next, eps []float32, sigma, up float32) {
	combine(next, term{up, next}, term{1, f.x0}, term{sigma, eps})
}
