package samplers

import (
	"fmt"
	"math"
	"reflect"
	"slices"
)

// Request says which plan to make. The zero Spacing and the zero Sigmas are the
// config's.
type Request struct {
	Sampler string  // a name from [Samplers], or a scheduler class of diffusers
	Config  Config  // the model's scheduler config
	Steps   int     // number of steps
	Spacing Spacing // overrides the config's timestep_spacing
	Sigmas  string  // a name from [SigmaSchedules], or falling noise levels with commas
	// Timesteps are the training timesteps of each step, falling, in place of Steps and
	// Spacing; for samplers with Timesteps.
	Timesteps []int
	// From is the training timestep to start from, in mid-schedule, with Steps steps from
	// there to the end; [Plan.Enter] makes the first state. 0 is from the noise; for a
	// start at timestep 0 itself, any smaller fraction does, such as 1e-3. It may lie
	// between two timesteps; samplers of whole ones round it, and start from the noise
	// level there unless their sigma schedule has levels between (see [Plan.Sigma]). Of a
	// list, Sigmas or Timesteps, what is below is taken.
	From float32
}

// Plan is a sampler laid out over the timesteps of one run. It is immutable and
// safe for use by several goroutines. Calls count the evaluations of the
// denoiser; call i happens at Timestep(i) on State{Index: i}.
type Plan struct {
	sampler   Sampler
	steps     int
	timesteps []float32 // of each call
	bars      []float32 // alpha-bar at each call
	sigmas    []float32 // noise level at each call, and at the end
	stepOf    []int     // the step that each call is part of; nil where each is its own
	// exploding says that the solver's x is x0 + sigma*eps ("variance exploding"),
	// not sqrt(alpha-bar)*x0 + sqrt(1-alpha-bar)*eps.
	exploding bool
	init      float32 // what the start noise is multiplied with
	// prediction is what the model outputs, as the config says.
	prediction string
	solver     solver
}

// solver is one sampling method with its parameters resolved.
type solver interface {
	// predict splits the model's output at s into the predicted original and
	// the predicted noise.
	predict(p *Plan, s State, output []float32) (x0, eps []float32)
	// step goes from s to the next state, and returns x0 too.
	step(p *Plan, s State, output []float32, o Options) (next State, x0 []float32)
}

// State is where a run stands: before call Index, at latent X. It is a value: nothing
// writes to X or Memory once they are in a State, and Memory may hold outputs of the
// model as they were given to Step.
type State struct {
	Index int       // calls made so far
	X     []float32 // the latent, flat, on the solver's own scale: see [Plan.Latent]
	Draws int       // draws of noise used so far, the start noise included
	// Memory is what the solver keeps of the calls before, newest last; only the
	// plan's own solver reads it. Empty, the solver starts afresh from X.
	Memory [][]float32
}

// Options are what may change from one step to the next.
type Options struct {
	Eta   float64 // 0 deterministic, 1 as noisy as can be; for samplers with Eta
	Noise Noise   // where draws come from; may be nil when none is needed
	// UseClippedOutput takes the noise from the clipped x0 (diffusers'
	// use_clipped_model_output; DDIM only).
	UseClippedOutput bool
	// Renoise is the predicted noise to go on with, where it is not that of the
	// model's output: CFG++ goes to the guided x0 with the unguided noise. Nil is
	// the output's own; only samplers with Renoise take another.
	Renoise []float32
	Churn   Churn // Euler only
}

// Churn is the noise that Karras et al. (arXiv 2206.00364, algorithm 2) add before a
// step. The zero Churn adds none; TMax 0 is no limit, Noise 0 is 1.
type Churn struct{ Amount, TMin, TMax, Noise float64 }

// check reports churn that is out of range, or that s has no use for.
func (c Churn) check(s Sampler) error {
	for _, v := range []struct {
		name  string
		value float64
	}{{"amount", c.Amount}, {"tmin", c.TMin}, {"tmax", c.TMax}, {"noise", c.Noise}} {
		if !(v.value >= 0) || math.IsInf(v.value, 1) {
			return fmt.Errorf("churn %s is %g, want 0 or more", v.name, v.value)
		}
	}
	if c.Amount > 0 && s.Class != "EulerDiscreteScheduler" {
		return fmt.Errorf("%s has no churn, only euler has", s.Name)
	}
	return nil
}

// NewPlan lays out a run. Its errors name the setting that does not fit and what
// would.
func NewPlan(r Request) (*Plan, error) {
	s, err := ByName(r.Sampler)
	if err != nil {
		return nil, err
	}
	if r.Sigmas != "" && r.Sigmas != "normal" && !s.Sigmas {
		return nil, fmt.Errorf("sigmas is %q, but %s has no sigma schedule, want normal", r.Sigmas, s.Name)
	}
	if s.OwnSpacing && r.Spacing != "" {
		return nil, fmt.Errorf("spacing is %q, but %s lays out its timesteps in its own way: leave spacing out", r.Spacing, s.Name)
	}
	c, err := s.method.resolve(r)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	n, err := r.steps(s, &c)
	if err != nil {
		return nil, err
	}
	p := &Plan{sampler: s, steps: n, init: 1, prediction: c.PredictionType}
	if err := s.method.plan(p, c, n); err != nil {
		return nil, err
	}
	return p, p.check()
}

// steps is how many there are, by the request or by one of the lists in it.
func (r Request) steps(s Sampler, c *params) (n int, err error) {
	if err := r.checkFrom(c.NumTrainTimesteps); err != nil {
		return 0, err
	}
	n = r.Steps
	if c.list != nil {
		n = len(c.list)
	}
	if r.Timesteps != nil {
		if err := r.checkTimesteps(s, c.NumTrainTimesteps); err != nil {
			return 0, err
		}
		if c.begins() {
			c.given = below(c.given, int(c.wholeFrom()))
		}
		n = len(c.given)
	}
	if n < 1 || n > c.NumTrainTimesteps {
		return 0, fmt.Errorf("steps is %d, want 1 to %d (the model's training timesteps)", n, c.NumTrainTimesteps)
	}
	return n, nil
}

// check reports a plan that no run could follow.
func (p *Plan) check() error {
	for i, s := range p.sigmas {
		if s < 0 || math.IsNaN(float64(s)) {
			return fmt.Errorf("%s with %d steps has noise level %g at call %d, want 0 or more: other sigmas or fewer steps would do", p.sampler.Name, p.steps, s, i)
		}
	}
	return nil
}

// vary sets the calls of a variance-preserving plan: integer timesteps of a table of
// alpha-bar, and alpha-bar at the end.
func (p *Plan) vary(timesteps []int, alphas []float32, final float32) {
	for _, t := range timesteps {
		p.timesteps = append(p.timesteps, float32(t))
		p.bars = append(p.bars, alphas[t])
	}
	p.sigmas = sigmasOf(append(slices.Clone(p.bars), final))
}

// barOf is alpha-bar at a noise level.
func barOf(sigma float32) float32 { return 1 / (float32(sigma*sigma) + 1) }

// explode sets the calls of a plan over noise levels: one more level than calls.
func (p *Plan) explode(timesteps, sigmas []float32) {
	p.timesteps, p.sigmas = timesteps, sigmas
	for _, s := range sigmas[:len(timesteps)] {
		p.bars = append(p.bars, barOf(s))
	}
}

// Sampler is the sampler the plan was made for.
func (p *Plan) Sampler() Sampler { return p.sampler }

// Calls is the number of evaluations of the denoiser a whole run makes.
func (p *Plan) Calls() int { return len(p.timesteps) }

// Steps is the number of steps, each of one or more calls.
func (p *Plan) Steps() int {
	if n := len(p.stepOf); n > 0 {
		return p.stepOf[n-1] + 1
	}
	return p.Calls()
}

// StepOf is the number of the step, from 0, that call i is part of.
func (p *Plan) StepOf(i int) int {
	switch {
	case p.stepOf == nil:
		return i
	case i >= len(p.stepOf):
		return p.Steps()
	}
	return p.stepOf[i]
}

// Timestep is the training timestep of call i, 0 <= i < Calls(). Some samplers go
// between two; a model that takes whole timesteps gets it without its fraction.
func (p *Plan) Timestep(i int) float32 { return p.timesteps[i] }

// AlphaBar is alpha-bar (the share of the signal's variance) at call i.
func (p *Plan) AlphaBar(i int) float32 { return p.bars[i] }

// Sigma is the noise level sqrt((1-alpha-bar)/alpha-bar) at call i, and at the end
// for i = Calls().
func (p *Plan) Sigma(i int) float32 { return p.sigmas[i] }

// Prediction is what the model outputs: epsilon, v_prediction or sample.
func (p *Plan) Prediction() string {
	if p.prediction == "original_sample" { // diffusers' Euler has this name for it too
		return "sample"
	}
	return p.prediction
}

// Equal reports whether p and o are laid out alike, so that equal states and outputs go on
// to equal states. It may say no of plans of one sampler under two names.
func (p *Plan) Equal(o *Plan) bool {
	return p.sampler.Name == o.sampler.Name && p.steps == o.steps && p.exploding == o.exploding &&
		p.init == o.init && p.prediction == o.prediction &&
		slices.Equal(p.timesteps, o.timesteps) && slices.Equal(p.bars, o.bars) && slices.Equal(p.sigmas, o.sigmas) &&
		slices.Equal(p.stepOf, o.stepOf) && reflect.DeepEqual(p.solver, o.solver)
}

// Done reports whether s is the end of the run.
func (p *Plan) Done(s State) bool { return s.Index >= p.Calls() }

// Start is the state x_T made of the generator's first draw. A plan from mid-schedule
// starts from a latent instead: [Plan.Enter].
func (p *Plan) Start(n Noise) State {
	x := n.Draw(0)
	combine(x, term{p.init, x})
	return State{X: x, Draws: 1}
}

// Input is what the denoiser is to be given at s: the latent on the model's scale and
// the timestep.
func (p *Plan) Input(s State) (x []float32, t float32) {
	return p.Latent(s), p.timesteps[s.Index]
}

// Latent is s.X on the scale that models are trained on, signal and noise together of
// variance 1. It may share memory with s.
func (p *Plan) Latent(s State) []float32 {
	scale := p.scaleAt(s.Index)
	if scale == 1 {
		return s.X
	}
	x := make([]float32, len(s.X))
	for i, v := range s.X {
		x[i] = v / scale
	}
	return x
}

// Predict gives the predicted original x0 (clipped as the config says) and the
// predicted noise eps that output, the model's output at s, stands for.
func (p *Plan) Predict(s State, output []float32) (x0, eps []float32) {
	return p.solver.predict(p, s, output)
}

// Step takes one step from s with output, the model's output at s (guidance
// applied). It writes to neither and returns the next state and x0, as diffusers'
// step returns prev_sample and pred_original_sample. The next state may refer to s.X, to
// output and to x0: none of them is to be written to any more. The end of the run, an
// output of the wrong length and options that the sampler does not have are errors.
func (p *Plan) Step(s State, output []float32, o Options) (next State, x0 []float32, err error) {
	switch {
	case p.Done(s):
		return State{}, nil, fmt.Errorf("the run has ended: all %d calls are made", p.Calls())
	case len(output) != len(s.X):
		return State{}, nil, fmt.Errorf("the model's output has %d values, the latent %d", len(output), len(s.X))
	case !(o.Eta >= 0 && o.Eta <= 1):
		return State{}, nil, fmt.Errorf("eta is %g, want 0 to 1", o.Eta)
	case o.Renoise != nil && !p.sampler.Renoise:
		return State{}, nil, fmt.Errorf("%s goes on with the model's own noise only; %s take another", p.sampler.Name, Names(func(o Sampler) bool { return o.Renoise }))
	case o.Renoise != nil && len(o.Renoise) != len(s.X):
		return State{}, nil, fmt.Errorf("the noise to go on with has %d values, the latent %d", len(o.Renoise), len(s.X))
	}
	if err := o.Churn.check(p.sampler); err != nil {
		return State{}, nil, err
	}
	var none *missingNoise
	if o.Noise == nil {
		none = &missingNoise{n: len(s.X)}
		o.Noise = none
	}
	next, x0 = p.solver.step(p, s, output, o)
	if none != nil && none.asked {
		return State{}, nil, fmt.Errorf("%s draws noise at call %d, and there is none to draw from", p.sampler.Name, s.Index)
	}
	next.Index = s.Index + 1
	return next, x0, nil
}

// still begins the state after s, with a latent to be written to.
func (s State) still() State { return State{X: make([]float32, len(s.X)), Draws: s.Draws} }

// drawn begins the state after s with a draw of noise, to be made part of the latent in
// its place.
func (s State) drawn(o Options) State {
	return State{X: o.Noise.Draw(s.Draws)[:len(s.X)], Draws: s.Draws + 1}
}

// missingNoise stands in for noise that a step was not given.
type missingNoise struct {
	n     int
	asked bool
}

// Draw implements [Noise].
func (m *missingNoise) Draw(int) []float32 {
	m.asked = true
	return make([]float32, m.n)
}
