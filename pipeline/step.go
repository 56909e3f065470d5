package pipeline

import (
	"context"
	"errors"
	"time"

	"gorgonia.org/tensor"

	"ldx/samplers"
)

// Step is one place in a run: the latent x_k and, but at the end, what the
// denoiser makes of it there. It is immutable; a run is a tree of them, each
// knowing the one it came from. Its numbers may be on disk: see Tensors.
type Step struct {
	Parent   *Step    // the step before; nil at the start
	Settings Settings // what the outputs here were made under, and what the next step is taken under
	Leg      *Leg
	Served   Served // what the kept outputs were made for
	Figures  Figures
	Timing   Timing

	holder
	id    int // its number in a [Run]
	index int // its number on its path
	call  int // of the leg's plan
	noise samplers.Noise
	shape tensor.Shape
}

// Timing says where a step's time went: the sampler's arithmetic that led here,
// then encoding the prompts, the denoiser and guidance.
type Timing struct {
	Solve   time.Duration `json:"solve,omitempty"`
	Encode  time.Duration `json:"encode,omitempty"`
	Denoise time.Duration `json:"denoise,omitempty"`
	Combine time.Duration `json:"combine,omitempty"`
	Calls   int           `json:"calls,omitempty"` // denoiser calls this step cost
}

// ID is the step's number in its run, in the order in which steps were made.
func (s *Step) ID() int { return s.id }

// Index is the step's place on its path: 0 at the start, one more with each call.
func (s *Step) Index() int { return s.index }

// Call is the step's place in its leg's plan.
func (s *Step) Call() int { return s.call }

// End is the index of the run's end as the step's plan has it.
func (s *Step) End() int { return s.index + s.Leg.Plan.Calls() - s.call }

// Number is how many steps of the sampler are complete here. Some samplers call the
// denoiser more than once a step, and each call is a place of its own: see Whole.
func (s *Step) Number() int { return s.Leg.Before + s.Leg.Plan.StepOf(s.call) }

// Steps is how many steps the run has in all, as far as is known here.
func (s *Step) Steps() int { return s.Leg.Before + s.Leg.Plan.Steps() }

// Whole reports whether a step ends here, and not only one of its calls.
func (s *Step) Whole() bool {
	return s.call == 0 || s.Leg.Plan.StepOf(s.call) != s.Leg.Plan.StepOf(s.call-1)
}

// NextStep is the index of the place where the next step begins.
func (s *Step) NextStep() int {
	plan, next := s.Leg.Plan, s.call+1
	for next < plan.Calls() && plan.StepOf(next) == plan.StepOf(s.call) {
		next++
	}
	return s.index + next - s.call
}

// Done reports whether the run ends here.
func (s *Step) Done() bool { return s.call >= s.Leg.Plan.Calls() }

// Timestep is the training timestep at which the denoiser is called here. s must not
// be the end.
func (s *Step) Timestep() float32 { return s.Leg.Plan.Timestep(s.call) }

// AlphaBar is the signal's share of the variance here, 1 at the end.
func (s *Step) AlphaBar() float32 {
	if s.Done() {
		return 1
	}
	return s.Leg.Plan.AlphaBar(s.call)
}

// Sigma is the noise level here, as [samplers.Plan.Sigma].
func (s *Step) Sigma() float32 { return s.Leg.Plan.Sigma(s.call) }

// Latent is x_k as a tensor [1, C, H, W], on the scale that the model sees, whatever
// the sampler's; it may share memory with the step and must not be written to.
func (s *Step) Latent() (*tensor.Dense, error) {
	t, err := s.Tensors()
	if err != nil {
		return nil, err
	}
	return s.dense(s.Leg.Plan.Latent(t.State)), nil
}

// Original is the predicted original x0 as a tensor [1, C, H, W], likewise.
func (s *Step) Original() (*tensor.Dense, error) {
	t, err := s.Tensors()
	if err != nil {
		return nil, err
	}
	return s.dense(t.X0), nil
}

// Coming is the latent after the next step, as Latent gives it there: the sampler's
// arithmetic alone, without a denoiser call. s must not be the end.
func (s *Step) Coming() (*tensor.Dense, error) {
	state, _, err := s.solve()
	if err != nil {
		return nil, err
	}
	return s.dense(s.Leg.Plan.Latent(state)), nil
}

// solve takes the sampler's step from s.
func (s *Step) solve() (samplers.State, samplers.Noise, error) {
	t, err := s.Tensors()
	if err != nil {
		return samplers.State{}, nil, err
	}
	noise, err := s.later()
	if err != nil {
		return samplers.State{}, nil, err
	}
	state, _, err := s.Leg.Plan.Step(t.State, t.Eps(), samplers.Options{Eta: s.Settings.Eta, Noise: noise, Renoise: t.Guided.Renoise})
	return state, noise, err
}

// Shape is that of the latent: [1, C, H, W].
func (s *Step) Shape() tensor.Shape { return s.shape.Clone() }

func (s *Step) dense(data []float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(s.shape...), tensor.WithBacking(data))
}

// Path lists the steps from the start of the run to s.
func (s *Step) Path() []*Step {
	path := make([]*Step, s.index+1)
	for at := s; at != nil; at = at.Parent {
		path[at.index] = at
	}
	return path
}

// Begin starts a run: it makes the noise x_T and evaluates the denoiser on it.
func (m *Model) Begin(ctx context.Context, s Settings) (*Step, error) {
	first, made, err := m.start(ctx, s)
	if err != nil {
		return nil, err
	}
	return m.evaluate(ctx, first, made)
}

// start makes the first step of a run, before the denoiser is called.
func (m *Model) start(ctx context.Context, s Settings) (*Step, *Tensors, error) {
	leg, err := m.info.layOut(s)
	if err != nil {
		return nil, nil, err
	}
	shape := m.info.Latent.shape(s)
	noise, err := s.noise(shape)
	if err != nil {
		return nil, nil, err
	}
	state, err := m.startState(ctx, s, leg.Plan, noise)
	if err != nil {
		return nil, nil, err
	}
	return &Step{Settings: s, Leg: leg, call: state.Index, shape: shape}, &Tensors{State: state}, nil
}

// Advance takes one step from s, as its settings say, and evaluates the denoiser
// there, unless it is the end.
func (m *Model) Advance(ctx context.Context, s *Step) (*Step, error) {
	start := time.Now()
	state, noise, err := s.solve()
	if err != nil {
		return nil, err
	}
	next := &Step{Parent: s, Settings: s.Settings, Leg: s.Leg, index: s.index + 1, call: state.Index, noise: noise, shape: s.shape}
	next.Timing.Solve = time.Since(start)
	made := &Tensors{State: state}
	if next.Done() {
		made.X0 = state.X
		next.keep(made)
		return next, nil
	}
	return m.evaluate(ctx, next, made)
}

// later is where draws after the start noise come from.
func (s *Step) later() (samplers.Noise, error) {
	if s.noise != nil {
		return s.noise, nil
	}
	return s.Settings.later(s.shape)
}

// Edit makes the step that s would be under other settings. Where the denoiser's kept
// outputs serve, it is not called; [Model.Cost] tells. Another sampler, schedule or
// number of steps goes on from the noise level of s. Settings that make another run
// (seed, size) start it from its beginning, and so does a change of the schedule at the
// start or at the end.
func (m *Model) Edit(ctx context.Context, s *Step, to Settings) (*Step, error) {
	if err := m.Check(to); err != nil {
		return nil, err
	}
	p, err := m.info.place(s, to)
	switch {
	case errors.Is(err, errFresh):
		return m.Begin(ctx, to)
	case err != nil:
		return nil, err
	}
	t, err := s.Tensors()
	if err != nil {
		return nil, err
	}
	edited := &Step{Parent: s.Parent, Settings: to, Leg: p.leg, index: s.index, call: p.call, shape: s.shape}
	made := &Tensors{State: p.state(s, t), Cond: t.Cond, Uncond: t.Uncond, X0: t.X0}
	switch {
	case s.Done():
		edited.keep(made)
	case p.moved || !edited.servedBy(s):
		made.Cond, made.Uncond = nil, nil
		return m.evaluate(ctx, edited, made)
	default:
		edited.Served = s.Served
		return edited, edited.combine(made)
	}
	return edited, nil
}

// Cost counts denoiser calls: Now to show the change, ToEnd from there on.
type Cost struct{ Now, ToEnd int }

// Cost tells what a change of settings at s would cost, before it is made. A change
// that is refused costs nothing.
func (m *Model) Cost(s *Step, to Settings) Cost {
	p, err := m.info.place(s, to)
	if errors.Is(err, errFresh) {
		leg, err := m.info.Leg(to.spec())
		if err != nil {
			return Cost{}
		}
		first, _ := to.startCall(leg.Plan) // a start that is refused costs nothing either
		return Cost{Now: 1, ToEnd: leg.Plan.Calls() - first - 1}
	}
	if err != nil || s.Done() {
		return Cost{}
	}
	cost := Cost{ToEnd: p.leg.Plan.Calls() - p.call - 1}
	if edited := (&Step{Settings: to, Leg: p.leg, call: p.call}); p.moved || !edited.servedBy(s) {
		cost.Now = 1
	}
	return cost
}

// Cancelled reports whether err only says that somebody cancelled the work.
func Cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
