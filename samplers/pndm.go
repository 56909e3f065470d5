package samplers

import (
	"fmt"
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
	if _, _, err := c.layout(prkSteps + 1); err != nil && c.begins() && !c.SkipPRKSteps {
		return fmt.Errorf("from timestep %g down there are not enough for the %d Runge-Kutta steps that %s takes before the first of its own; plms would do, which takes none", c.wholeFrom(), prkSteps, p.sampler.Name)
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
		calls.rungeKutta(ts, alphas, prev, func(i int) int {
			if c.begins() {
				return (ts[i] - ts[i+1]) / 2
			}
			return stride / 2
		})
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
	if c.TimestepSpacing == LDM || len(ts) == 1 || c.begins() {
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
func (c *multistepCalls) rungeKutta(ts []int, alphas, prev []float32, halfOf func(int) int) {
	for i, t := range ts[:prkSteps] {
		next, half := ts[i+1], halfOf(i)
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

// slopes are outputs of the model, at most four, whose sum times a factor is the
// direction of a step.
type slopes struct {
	terms [4]term
	times float32
}

func slope(output []float32) slopes { return slopes{[4]term{{1, output}}, 1} }

// move goes from a latent along the slopes. Their sum comes first: in it, much cancels
// out.
func (s slopes) move(dst, from []float32, latent, along float32) {
	combineTimes(s.times, dst, s.terms[:])
	combine(dst, term{latent, from}, term{along, dst})
}

func (d *pndmSolver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	x0 := d.original(d.read(p.AlphaBar(s.Index)), s.X, output)
	next, by := s.still(), d.moves[s.Index]
	from, along := s.X, slope(output)
	switch {
	case p.astray(s, d.prk):
		by.from = p.AlphaBar(s.Index)
	case s.Index < d.prk:
		from, along, next.Memory = rungeKutta(s, output)
	default:
		from, along, next.Memory = adamsBashforth(s, output)
	}
	t := by.transfer()
	fraction := -t.numerator / t.denominator
	if d.kind == "v_prediction" { // noise is signal*v + noise*x
		t.latent += float32(t.noise * fraction)
		fraction *= t.signal
	}
	along.move(next.X, from, t.latent, fraction)
	return next, x0
}

// astray says that s is in the middle of a step without what the step's calls before,
// of Runge-Kutta or not, left in its memory. All there is to do then is to finish the
// step from s.X.
func (p *Plan) astray(s State, rungeKutta int) bool {
	if s.Index < rungeKutta {
		return s.Index%4 >= max(len(s.Memory), 1)
	}
	return s.Index > 0 && p.StepOf(s.Index) == p.StepOf(s.Index-1) && len(s.Memory) < 2
}

// rungeKutta gives what a call of a Runge-Kutta step moves, along what, and what to
// remember: the output at the start of each step so far and, within a step, the latent
// it started from and the outputs since.
func rungeKutta(s State, output []float32) (from []float32, along slopes, memory [][]float32) {
	calls := s.Index % 4 // of this step, before
	if calls == 0 {
		return s.X, slope(output), remember(s.Memory, output, s.X)
	}
	start := len(s.Memory) - calls // where the latent is, behind the step's first output
	from = s.Memory[start]
	if calls == 3 {
		along = slopes{[4]term{{1, s.Memory[start-1]}, {2, s.Memory[start+1]}, {2, s.Memory[start+2]}, {1, output}}, 1.0 / 6}
		return from, along, remember(s.Memory[:start])
	}
	return from, slope(output), remember(s.Memory, output)
}

// adamsBashforth is the linear multistep method on predicted noise (eq. 12), with up to
// three values of the past, fewer at the start: what a call moves, along what, and what
// to remember. The first two calls are one step, along the mean of the noise at both
// ends.
func adamsBashforth(s State, eps []float32) (from []float32, along slopes, memory [][]float32) {
	switch s.Index {
	case 0:
		return s.X, slope(eps), [][]float32{s.X, eps}
	case 1:
		return s.Memory[0], slopes{[4]term{{1, eps}, {1, s.Memory[1]}}, 0.5}, remember(s.Memory[1:])
	}
	past := newest(s.Memory, 3)
	rule := adamsRules[len(past)]
	along.terms[0], along.times = term{rule.weights[0], eps}, rule.times
	for k := range past {
		along.terms[k+1] = term{rule.weights[k+1], past[len(past)-1-k]}
	}
	return s.X, along, remember(newest(past, 2), eps)
}

// adamsRules weigh the newest value and the ones before, by how many there are before.
var adamsRules = [...]struct {
	weights [4]float32
	times   float32
}{
	{[4]float32{1}, 1},
	{[4]float32{3, -1}, 1.0 / 2},
	{[4]float32{23, -16, 5}, 1.0 / 12},
	{[4]float32{55, -59, 37, -9}, 1.0 / 24},
}
