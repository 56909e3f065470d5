package pipeline

import (
	"fmt"
	"math"

	"ldx/samplers"
)

// Leg is a stretch of a trajectory that one plan lays out. A run is one leg until its
// sampler or its number of steps is changed on the way.
type Leg struct {
	LegSpec
	Plan *samplers.Plan
}

// LegSpec is what a leg is laid out from, beside the model's scheduler config.
type LegSpec struct {
	Sampler string           `json:"sampler"`
	Sigmas  string           `json:"sigmas,omitempty"`
	Spacing samplers.Spacing `json:"spacing,omitempty"`
	Steps   int              `json:"steps"`            // of the plan
	From    float32          `json:"from,omitempty"`   // training timestep of the plan's first call; 0 is pure noise
	Before  int              `json:"before,omitempty"` // the trajectory's steps before the plan's first
}

// spec is the leg that settings lay out from the start.
func (s Settings) spec() LegSpec {
	return LegSpec{Sampler: s.Sampler, Sigmas: s.Sigmas, Spacing: s.Spacing, Steps: s.Steps}
}

// Leg lays out a leg.
func (i Info) Leg(s LegSpec) (*Leg, error) {
	plan, err := samplers.NewPlan(samplers.Request{
		Sampler: s.Sampler, Config: i.Scheduler, Steps: s.Steps, Spacing: s.Spacing, Sigmas: s.Sigmas, From: s.From,
	})
	return &Leg{LegSpec: s, Plan: plan}, err
}

// place is where a step goes on under other settings.
type place struct {
	leg   *Leg
	call  int
	moved bool // the leg has no call at the step's noise level: the latent is moved to the next lower one
}

// errFresh says that settings make another run, from its own noise.
var errFresh = fmt.Errorf("these settings make another run")

// place finds where s goes on under other settings. errFresh is no failure: the
// settings differ in what the start noise is made of, or s is the start or the end.
func (i Info) place(s *Step, to Settings) (place, error) {
	switch {
	case !s.Settings.sameStart(to):
		return place{}, errFresh
	case s.Settings.spec() == to.spec():
		return place{leg: s.Leg, call: s.call}, nil
	case s.index == 0 || s.Done():
		return place{}, errFresh
	}
	if to.Steps == s.Settings.Steps {
		if p, ok := i.onSchedule(s, to); ok {
			return p, nil
		}
	}
	return i.replan(s, to)
}

// onSchedule takes the place on the plan that the whole run would have had, where that
// comes by the noise level of s: on from there are the sampler's own timesteps.
func (i Info) onSchedule(s *Step, to Settings) (place, bool) {
	leg, err := i.Leg(to.spec())
	if err != nil {
		return place{}, false
	}
	call, ok := leg.Plan.CallAt(s.Timestep())
	if !ok || !sameLevel(leg.Plan.Sigma(call), s.Sigma()) {
		return place{}, false
	}
	leg.Before = s.Number() - leg.Plan.StepOf(call)
	return place{leg: leg, call: call}, true
}

// lastTimestep stands for timestep 0, at which a plan cannot be asked to begin: 0 is
// from pure noise there.
const lastTimestep = 1e-3

// replan lays out the rest of the way from the noise level of s.
func (i Info) replan(s *Step, to Settings) (place, error) {
	spec := to.spec()
	spec.From, spec.Before = max(s.Timestep(), lastTimestep), s.Number()
	if spec.Steps -= s.Number(); spec.Steps < 1 {
		return place{}, fmt.Errorf("steps is %d, but %d are done here: want at least %d", to.Steps, s.Number(), s.Number()+1)
	}
	leg, err := i.Leg(spec)
	if err != nil {
		return place{}, err
	}
	return place{leg: leg, moved: !sameLevel(leg.Plan.Sigma(0), s.Sigma())}, nil
}

// levelTolerance is how far two noise levels may be apart, relatively, for the
// denoiser's outputs at one to serve at the other: what rounding makes of one level on
// the way through a table of timesteps or of sigmas.
const levelTolerance = 1e-4

func sameLevel(a, b float32) bool {
	return math.Abs(float64(a-b)) <= levelTolerance*math.Abs(float64(b))
}

// state is s at p: its latent on the scale of the leg's solver and, where the level is
// another, moved there along the predicted noise, as DDIM would (arXiv 2010.02502, eq.
// 12 at eta 0).
func (p place) state(s *Step, t *Tensors) samplers.State {
	if p.leg == s.Leg {
		return t.State
	}
	latent := s.Leg.Plan.Latent(t.State)
	if p.moved {
		x0, eps := s.Leg.Plan.Predict(t.State, t.Guided.Output)
		bar := float64(p.leg.Plan.AlphaBar(p.call))
		signal, noise := float32(math.Sqrt(bar)), float32(math.Sqrt(1-bar))
		latent = make([]float32, len(x0))
		for i, v := range x0 {
			latent[i] = float32(signal*v) + float32(noise*eps[i])
		}
	}
	return p.leg.Plan.Enter(p.call, latent, t.State.Draws)
}
