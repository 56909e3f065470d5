package samplers

import (
	"fmt"
	"math"
	"strings"
)

// Request says which plan to make. The zero Spacing is the config's.
type Request struct {
	Sampler string  // a name from [Samplers]
	Config  Config  // the model's scheduler config
	Steps   int     // number of steps
	Spacing Spacing // overrides the config's timestep_spacing
	Sigmas  string  // a sigma schedule; "" or "normal" is the sampler's own
}

// Plan is a sampler laid out over the timesteps of one run. It is immutable and
// safe for use by several goroutines. Calls count the evaluations of the
// denoiser; call i happens at Timestep(i) on State{Index: i}.
type Plan struct {
	sampler   Sampler
	steps     int
	timesteps []int
	alphas    []float32 // alpha-bar a training timestep
	solver    solver
}

// solver is one sampling method with its parameters resolved.
type solver interface {
	// predict splits the model's output at s into the predicted original and
	// the predicted noise.
	predict(p *Plan, s State, output []float32) (x0, eps []float32)
	// step goes from s to the next state.
	step(p *Plan, s State, output []float32, o Options) (next State, x0 []float32)
}

// State is where a run stands: before call Index, at latent X. It is a value:
// nothing writes to X once it is in a State.
type State struct {
	Index int       // calls made so far
	X     []float32 // the latent x_t, flat
	Draws int       // draws of noise used so far, the start noise included
}

// Options are what may change from one step to the next.
type Options struct {
	Eta   float64 // DDIM's eta: 0 deterministic, 1 as noisy as DDPM
	Noise Noise   // where draws come from; may be nil when none is needed
	// UseClippedOutput takes the noise from the clipped x0 (diffusers'
	// use_clipped_model_output).
	UseClippedOutput bool
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
	p := &Plan{sampler: s, steps: r.Steps}
	if err := s.plan(p, r); err != nil {
		return nil, err
	}
	return p, nil
}

// Sampler is the sampler the plan was made for.
func (p *Plan) Sampler() Sampler { return p.sampler }

// Calls is the number of evaluations of the denoiser a whole run makes.
func (p *Plan) Calls() int { return len(p.timesteps) }

// Timestep is the training timestep of call i, 0 <= i < Calls().
func (p *Plan) Timestep(i int) int { return p.timesteps[i] }

// AlphaBar is alpha-bar (the share of the signal's variance) at call i.
func (p *Plan) AlphaBar(i int) float32 { return p.alphas[p.timesteps[i]] }

// Sigma is the noise level sqrt((1-alpha-bar)/alpha-bar) at call i.
func (p *Plan) Sigma(i int) float32 {
	a := float64(p.AlphaBar(i))
	return float32(math.Sqrt((1 - a) / a))
}

// Done reports whether s is the end of the run.
func (p *Plan) Done(s State) bool { return s.Index >= p.Calls() }

// Start is the state x_T made of the generator's first draw.
func (p *Plan) Start(n Noise) State { return State{X: n.Draw(0), Draws: 1} }

// Input is what the denoiser is to be given at s: the latent and the timestep.
func (p *Plan) Input(s State) (x []float32, t int) { return s.X, p.timesteps[s.Index] }

// Predict gives the predicted original x0 (clipped as the config says) and the
// predicted noise eps that output, the model's output at s, stands for.
func (p *Plan) Predict(s State, output []float32) (x0, eps []float32) {
	return p.solver.predict(p, s, output)
}

// Step takes one step from s with output, the model's output at s (guidance
// applied). It writes to neither and returns the next state and x0, as diffusers'
// step returns prev_sample and pred_original_sample. The end of the run, an
// output of the wrong length and an eta outside 0..1 are errors.
func (p *Plan) Step(s State, output []float32, o Options) (next State, x0 []float32, err error) {
	switch {
	case p.Done(s):
		return State{}, nil, fmt.Errorf("the run has ended: all %d calls are made", p.Calls())
	case len(output) != len(s.X):
		return State{}, nil, fmt.Errorf("the model's output has %d values, the latent %d", len(output), len(s.X))
	case !(o.Eta >= 0 && o.Eta <= 1):
		return State{}, nil, fmt.Errorf("eta is %g, want 0 to 1", o.Eta)
	}
	next, x0 = p.solver.step(p, s, output, o)
	return next, x0, nil
}

// Sampler describes one sampling method.
type Sampler struct {
	Name         string // as --sampler takes it
	Class        string // diffusers' class
	Summary      string // one line
	Order        int    // order of accuracy
	CallsPerStep int    // evaluations of the denoiser a step
	Eta          bool   // whether eta applies
	Sigmas       bool   // whether it takes a sigma schedule

	plan func(*Plan, Request) error
}

// Samplers lists the samplers in the order in which they are offered. A new one
// is a file of its own and a line here.
func Samplers() []Sampler {
	return []Sampler{ddim()}
}

// ByName finds a sampler; the error lists the names there are.
func ByName(name string) (Sampler, error) {
	var names []string
	for _, s := range Samplers() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Sampler{}, fmt.Errorf("sampler %q is unknown, want %s", name, strings.Join(names, ", "))
}
