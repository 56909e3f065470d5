package samplers

import (
	"fmt"
	"slices"
)

// plms is the linear multistep method of Liu et al. (arXiv 2202.09778, eq. 12) without
// Runge-Kutta steps before it: diffusers' PNDMScheduler with skip_prk_steps, as Stable
// Diffusion 1 is shipped. The first step takes two calls.
func plms() Sampler {
	s := pndm()
	s.Name, s.Summary = "plms", "linear multistep, what Stable Diffusion 1 comes with"
	s.method.fixed = func(c *params) { c.SkipPRKSteps = true }
	return s
}

// pndm is F-PNDM of the same paper (algorithm 2): three pseudo Runge-Kutta steps of four
// calls (eq. 13), then linear multistep. diffusers' PNDMScheduler without skip_prk_steps.
func pndm() Sampler {
	return Sampler{
		Name: "pndm", Class: "PNDMScheduler", Order: 4, CallsPerStep: 1,
		Summary: "as plms after 3 Runge-Kutta steps of 4 calls each",
		method: method{
			defaults: func() params { return commonDefaults(Leading) }, plan: planPNDM,
			fixed: func(c *params) { c.SkipPRKSteps = false },
		},
	}
}

// pndmSolver holds what each call does.
type pndmSolver struct {
	predictor
	prk   int // calls of Runge-Kutta steps, before the others
	moves []move
}

// move is from one level of alpha-bar to another.
type move struct{ from, to float32 }

// multistepCalls is how a run is laid out of which some steps take several calls: what
// the denoiser is called at, and how the latent moves then.
type multistepCalls struct {
	timesteps, stepOf []int
	moves             []move
}

func (c *multistepCalls) add(step, t int, from, to float32) {
	c.timesteps, c.stepOf = append(c.timesteps, t), append(c.stepOf, step)
	c.moves = append(c.moves, move{from, to})
}

func planPNDM(p *Plan, c params, n int) error {
	if c.PredictionType == "sample" {
		return fmt.Errorf("scheduler config: prediction_type %q has no noise for %s to step along, want epsilon or v_prediction", c.PredictionType, p.sampler.Name)
	}
	predictor, err := newPredictor(c.PredictionType, clipParams{})
	if err != nil {
		return err
	}
	ts, alphas, err := c.layout(n)
	if err != nil {
		return err
	}
	d := &pndmSolver{predictor: predictor}
	prev := c.prevAlphas(ts, alphas, n)
	stride := c.NumTrainTimesteps / n
	var calls multistepCalls
	switch {
	case c.SkipPRKSteps:
		calls.linear(ts, alphas, prev, c.firstOf(ts, stride))
	case len(ts) < prkSteps+1:
		return fmt.Errorf("steps is %d, want at least %d: %s takes %d Runge-Kutta steps before the first of its own (plms does without)", n, prkSteps+1, p.sampler.Name, prkSteps)
	default:
		calls.rungeKutta(ts, alphas, prev, stride/2)
		d.prk = 4 * prkSteps
	}
	if err := calls.check(); err != nil {
		return err
	}
	d.moves = calls.moves
	p.vary(calls.timesteps, alphas, prev[len(prev)-1])
	p.stepOf, p.solver = calls.stepOf, d
	return nil
}

// prkSteps is how many steps give the multistep method its first past values.
const prkSteps = 3

// firstOf is where the second call of plms goes again from. That is the first timestep,
// but diffusers gets it by arithmetic from the second, whatever the spacing.
func (c params) firstOf(ts []int, stride int) int {
	if c.TimestepSpacing == LDM || len(ts) == 1 {
		return ts[0]
	}
	return ts[1] + stride
}

// linear lays out steps of one call, but for the first, which is taken a second time
// with the mean of the noise at both ends. A single step is taken once.
func (c *multistepCalls) linear(ts []int, alphas, prev []float32, first int) {
	for i, t := range ts {
		c.add(i, t, alphas[t], prev[i])
		if i == 0 && len(ts) > 1 {
			c.add(0, ts[1], alphas[first], alphas[ts[1]])
		}
	}
}

// rungeKutta lays out the steps of four calls and the others after them: one at the
// step's start, two half-way, one at its end. Half a step is half of the stride, rounded
// down both from the start and from the end.
func (c *multistepCalls) rungeKutta(ts []int, alphas, prev []float32, half int) {
	for i, t := range ts[:prkSteps] {
		next := ts[i+1]
		start, middle, end := alphas[t], alphas[next+half], alphas[next]
		c.add(i, t, start, alphas[t-half])
		c.add(i, next+half, start, middle)
		c.add(i, next+half, start, end)
		c.add(i, next, start, end)
	}
	for i := prkSteps; i < len(ts); i++ {
		c.add(i, ts[i], alphas[ts[i]], prev[i])
	}
}

// check refuses levels that no call can move from, as it divides by the shares of signal
// and of noise.
func (c *multistepCalls) check() error {
	for i, m := range c.moves {
		if !(m.from >= minSignal && m.from < 1) {
			return fmt.Errorf("scheduler config: the betas give alpha-bar %g where call %d at timestep %d starts from, want more than 0 and less than 1", m.from, i, c.timesteps[i])
		}
	}
	return nil
}

// transfer has the factors of the transfer part (eq. 9): the latent's, and the noise's
// as a fraction; and those that make noise of a v-prediction.
type transfer struct{ latent, numerator, denominator, signal, noise float32 }

func (m move) transfer() transfer {
	left, leftTo := 1-m.from, 1-m.to
	return transfer{
		latent:      sqrt32(m.to / m.from),
		numerator:   m.to - m.from,
		denominator: float32(m.from*sqrt32(leftTo)) + sqrt32(m.from*left*m.to),
		signal:      sqrt32(m.from), noise: sqrt32(left),
	}
}

// apply writes to dst what x becomes along output; dst may be output.
func (t transfer) apply(dst, x, output []float32, kind string) {
	if kind == "v_prediction" {
		for i, v := range output {
			eps := float32(t.signal*v) + float32(t.noise*x[i])
			dst[i] = float32(t.latent*x[i]) - float32(t.numerator*eps)/t.denominator
		}
		return
	}
	for i, eps := range output {
		dst[i] = float32(t.latent*x[i]) - float32(t.numerator*eps)/t.denominator
	}
}

func (d *pndmSolver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	x0 := d.original(p.AlphaBar(s.Index), s.X, output)
	next := State{X: make([]float32, len(s.X)), Draws: s.Draws}
	from, along, by := s.X, output, d.moves[s.Index]
	switch {
	case p.astray(s):
		by.from = p.AlphaBar(s.Index)
	case s.Index < d.prk:
		from, along, next.Memory = rungeKutta(next.X, s, output)
	default:
		from, along, next.Memory = adams{times: 1.0 / 24, over: 1}.combine(next.X, s, output)
	}
	by.transfer().apply(next.X, from, along, d.kind)
	return next, x0
}

// astray says that s is in the middle of a step without what the step's first call left
// in its memory. All there is to do then is to finish the step from s.X.
func (p *Plan) astray(s State) bool {
	return s.Index > 0 && p.StepOf(s.Index) == p.StepOf(s.Index-1) && len(s.Memory) < 2
}

// rungeKutta gives what a call of a Runge-Kutta step moves, along what, and what to
// remember: the outputs at the start of each step so far and, within a step, the latent
// it started from and the weighted sum of the outputs. dst is there to be written to.
func rungeKutta(dst []float32, s State, output []float32) (from, along []float32, memory [][]float32) {
	const outer, inner = 1.0 / 6, 1.0 / 3
	if s.Index%4 == 0 {
		sum := make([]float32, len(output))
		for i, v := range output {
			sum[i] = outer * v
		}
		return s.X, output, slices.Concat(s.Memory, [][]float32{slices.Clone(output), s.X, sum})
	}
	kept := len(s.Memory) - 2
	from, sum := s.Memory[kept], s.Memory[kept+1]
	if s.Index%4 == 3 {
		for i, v := range output {
			dst[i] = sum[i] + float32(outer*v)
		}
		return from, dst, s.Memory[:kept:kept]
	}
	more := make([]float32, len(output))
	for i, v := range output {
		more[i] = sum[i] + float32(inner*v)
	}
	return from, output, append(s.Memory[:kept+1:kept+1], more)
}

// adams is the linear multistep method of Adams and Bashforth on predicted noise
// (eq. 12), with up to three values of the past, fewer at the start. Its fourth order
// ends on a factor in diffusers and on a divisor in CompVis.
type adams struct{ times, over float32 }

// combine gives what a call moves, along what, and what to remember. The first two calls
// are one step, along the mean of the noise at both ends. dst is there to be written
// to, and may be eps.
func (a adams) combine(dst []float32, s State, eps []float32) (from, along []float32, memory [][]float32) {
	switch s.Index {
	case 0:
		return s.X, eps, [][]float32{s.X, slices.Clone(eps)}
	case 1:
		from, first := s.Memory[0], s.Memory[1]
		for i, v := range eps {
			dst[i] = (v + first[i]) / 2
		}
		return from, dst, [][]float32{first}
	}
	past := s.Memory[max(0, len(s.Memory)-3):]
	memory = slices.Concat(past[max(0, len(past)-2):], [][]float32{slices.Clone(eps)})
	return s.X, a.extrapolate(dst, eps, past), memory
}

// extrapolate is the weighted sum of eps and what was before it, newest last.
func (a adams) extrapolate(dst, eps []float32, past [][]float32) []float32 {
	switch n := len(past); n {
	case 0:
		return eps
	case 1:
		one := past[0]
		for i, v := range eps {
			dst[i] = (float32(3*v) - one[i]) / 2
		}
	case 2:
		two, one := past[0], past[1]
		for i, v := range eps {
			dst[i] = (float32(23*v) - float32(16*one[i]) + float32(5*two[i])) / 12
		}
	default:
		three, two, one := past[n-3], past[n-2], past[n-1]
		for i, v := range eps {
			sum := float32(55*v) - float32(59*one[i]) + float32(37*two[i]) - float32(9*three[i])
			dst[i] = float32(a.times*sum) / a.over
		}
	}
	return dst
}
