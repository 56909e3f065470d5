package pipeline

import (
	"context"
	"math"
	"slices"

	"ldx/samplers"
)

// Need is what a call of a run, and the sampler's step from there, depend on beside the
// latent and the leg's plan. It is a comparable value: where two runs have come to the
// same latent under equal plans, equal needs lead to the same bits.
type Need struct {
	Served
	Guiding   samplers.Guidance // as it works at this call, schedule and interval resolved
	Eta       float64
	LaterSeed uint64
}

// Needs are those of the calls of a run under s, which [Info.Check] has passed, from its
// first to its last; leg is laid out by s.
func (i Info) Needs(s Settings, leg *Leg) ([]Need, error) {
	first, err := s.startCall(leg.Plan)
	if err != nil {
		return nil, err
	}
	needs := make([]Need, 0, leg.Plan.Calls()-first)
	for call := first; call < leg.Plan.Calls(); call++ {
		at := &Step{Settings: s, Leg: leg, call: call}
		n := Need{Served: Served{words: at.words(), Guided: at.guided()}, Guiding: s.guidance(), Eta: s.Eta, LaterSeed: s.LaterSeed}
		if n.Guided {
			n.Guiding.Scale = n.Guiding.ScaleAt(at.Number(), at.Steps())
			n.Guiding.Schedule, n.Guiding.Interval = "", samplers.GuidanceInterval{}
		} else {
			n.Guiding = samplers.Guidance{APG: n.Guiding.APG} // which hands its momentum on
			if n.Syntax == "" {
				n.Negative = ""
			}
		}
		needs = append(needs, n)
	}
	return needs, nil
}

// ServedBy reports whether outputs made for o serve n too.
func (n Need) ServedBy(o Served) bool {
	return (!n.Guided || o.Guided) && o.serve(n.words, n.Guided)
}

// Outset is the leg that s lays out from the start.
func (i Info) Outset(s Settings) (*Leg, error) { return i.Leg(s.spec()) }

// FirstInput is what the denoiser is given first in a run under s that starts from noise
// alone: the latent on the model's scale, flat, and the timestep.
func (i Info) FirstInput(s Settings, leg *Leg) ([]float32, float32, error) {
	shape := i.Latent.shape(s)
	noise, err := s.noise(shape)
	if err != nil {
		return nil, 0, err
	}
	if noise, err = s.varied(noise, shape); err != nil {
		return nil, 0, err
	}
	x, t := leg.Plan.Input(leg.Plan.Start(noise))
	return x, t, nil
}

// BeginBeside is [Model.Begin], but where the start of another run has the denoiser's
// outputs for the very same input, they are taken and the denoiser is not called.
func (m *Model) BeginBeside(ctx context.Context, s Settings, o *Step) (*Step, error) {
	first, made, err := m.start(ctx, s)
	if err != nil {
		return nil, err
	}
	kept, err := o.Tensors()
	if err != nil {
		return nil, err
	}
	x, t := first.Leg.Plan.Input(made.State)
	ox, ot := o.Leg.Plan.Input(kept.State)
	same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
	if t != ot || !slices.EqualFunc(x, ox, same) || !first.servedBy(o) {
		return m.evaluate(ctx, first, made)
	}
	made.Cond, made.Uncond, first.Served = kept.Cond, kept.Uncond, o.Served
	return first, first.combine(made)
}

// Alone is s without the steps before it, for runs of which only the end is wanted:
// [Model.Advance] goes on from it as from s. It shares the numbers of s, and has no
// [Step.Path].
func (s *Step) Alone() (*Step, error) {
	t, err := s.Tensors()
	if err != nil {
		return nil, err
	}
	alone := &Step{
		Settings: s.Settings, Leg: s.Leg, Served: s.Served, Figures: s.Figures, Timing: s.Timing,
		id: s.id, index: s.index, call: s.call, noise: s.noise, shape: s.shape,
	}
	alone.held.Store(t)
	return alone, nil
}
