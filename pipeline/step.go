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
// knowing the one it came from.
type Step struct {
	Parent   *Step    // the step before; nil at the start
	Settings Settings // what the outputs here were made under, and what the next step is taken under
	Plan     *samplers.Plan
	State    samplers.State // x_k and its number
	Outputs  Outputs        // what the denoiser gave here; empty at the end
	Eps      []float32      // the model's output with guidance applied; nil at the end
	X0       []float32      // the predicted original; at the end the latent itself
	Timing   Timing

	noise  samplers.Noise
	shape  tensor.Shape
	guided samplers.GuidedOutput // Eps, and what comes with it
}

// Outputs are what the denoiser gave at a step, before guidance, and for which
// prompts. Uncond is nil where guidance was off.
type Outputs struct {
	Cond, Uncond     []float32
	Prompt, Negative string
}

// serve reports whether the outputs at a place are all that settings to need there.
func (s *Step) serve(to Settings) bool {
	o := s.Outputs
	return to.Prompt == o.Prompt && (!to.guided(s.Plan, s.Index()) || o.Uncond != nil && to.Negative == o.Negative)
}

// Timing says where a step's time went: the sampler's arithmetic that led here,
// then encoding the prompts, the denoiser and guidance.
type Timing struct {
	Solve, Encode, Denoise, Combine time.Duration
	Calls                           int // denoiser calls this step cost
}

// Index is the step's number k: 0 at pure noise, Calls at the end.
func (s *Step) Index() int { return s.State.Index }

// Number is how many steps of the sampler are complete here. Some samplers call the
// denoiser more than once a step, and each call is a place of its own: see Whole.
func (s *Step) Number() int { return s.Plan.StepOf(s.Index()) }

// Whole reports whether a step ends here, and not only one of its calls.
func (s *Step) Whole() bool {
	k := s.Index()
	return k == 0 || s.Plan.StepOf(k) != s.Plan.StepOf(k-1)
}

// NextStep is the index of the place where the next step begins.
func (s *Step) NextStep() int {
	next := s.Index() + 1
	for next < s.Plan.Calls() && s.Plan.StepOf(next) == s.Number() {
		next++
	}
	return next
}

// Done reports whether the run ends here.
func (s *Step) Done() bool { return s.Plan.Done(s.State) }

// Latent is x_k as a tensor [1, C, H, W], on the scale that the model sees, whatever
// the sampler's; it may share memory with the step and must not be written to.
func (s *Step) Latent() *tensor.Dense { return s.dense(s.Plan.Latent(s.State)) }

// Original is the predicted original x0 as a tensor [1, C, H, W], likewise.
func (s *Step) Original() *tensor.Dense { return s.dense(s.X0) }

func (s *Step) dense(data []float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(s.shape...), tensor.WithBacking(data))
}

// Path lists the steps from the start of the run to s.
func (s *Step) Path() []*Step {
	path := make([]*Step, s.Index()+1)
	for at := s; at != nil; at = at.Parent {
		path[at.Index()] = at
	}
	return path
}

// Begin starts a run: it makes the noise x_T and evaluates the denoiser on it.
func (m *Model) Begin(ctx context.Context, s Settings) (*Step, error) {
	plan, err := m.info.Plan(s)
	if err != nil {
		return nil, err
	}
	shape := m.info.Latent.shape(s)
	noise, err := samplers.NewNoise(s.RNG, s.Seed, shape.TotalSize())
	if err != nil {
		return nil, err
	}
	step := &Step{Settings: s, Plan: plan, State: plan.Start(noise), noise: noise, shape: shape}
	return m.evaluate(ctx, step)
}

// Advance takes one step from s, as its settings say, and evaluates the denoiser
// there, unless it is the end.
func (m *Model) Advance(ctx context.Context, s *Step) (*Step, error) {
	start := time.Now()
	state, _, err := s.Plan.Step(s.State, s.Eps, samplers.Options{Eta: s.Settings.Eta, Noise: s.noise, Renoise: s.guided.Renoise})
	if err != nil {
		return nil, err
	}
	next := &Step{Parent: s, Settings: s.Settings, Plan: s.Plan, State: state, noise: s.noise, shape: s.shape}
	next.Timing.Solve = time.Since(start)
	if next.Done() {
		next.X0 = state.X
		return next, nil
	}
	return m.evaluate(ctx, next)
}

// Edit makes the step that s would be under other settings. Where the denoiser's
// kept outputs serve, it is not called; [Model.Cost] tells. Settings that make
// another run (seed, steps, size, sampler) start it from its beginning.
func (m *Model) Edit(ctx context.Context, s *Step, to Settings) (*Step, error) {
	if !s.Settings.sameRun(to) {
		return m.Begin(ctx, to)
	}
	if err := m.Check(to); err != nil {
		return nil, err
	}
	edited := &Step{Parent: s.Parent, Settings: to, Plan: s.Plan, State: s.State, X0: s.X0, noise: s.noise, shape: s.shape}
	if s.Done() {
		return edited, nil
	}
	if !s.serve(to) {
		return m.evaluate(ctx, edited)
	}
	edited.Outputs = s.Outputs
	edited.combine()
	return edited, nil
}

// Cost counts denoiser calls: Now to show the change, ToEnd from there on.
type Cost struct{ Now, ToEnd int }

// Cost tells what a change of settings at s would cost, before it is made.
func (m *Model) Cost(s *Step, to Settings) Cost {
	if !s.Settings.sameRun(to) {
		if plan, err := m.info.Plan(to); err == nil {
			return Cost{Now: 1, ToEnd: plan.Calls() - 1}
		}
		return Cost{}
	}
	if s.Done() {
		return Cost{}
	}
	cost := Cost{ToEnd: s.Plan.Calls() - s.Index() - 1}
	if !s.serve(to) {
		cost.Now = 1
	}
	return cost
}

// Cancelled reports whether err only says that somebody cancelled the work.
func Cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
