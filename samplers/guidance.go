package samplers

import (
	"fmt"
	"math"
)

// Guide is classifier-free guidance (Ho and Salimans, arXiv 2207.12598), in the
// form of diffusers: uncond + scale*(cond - uncond). A scale of at most 1 is off,
// as in diffusers' pipelines: the conditional output alone, returned as it is.
// uncond may be nil then.
func Guide(cond, uncond []float32, scale float64) []float32 {
	if !Guided(scale) {
		return cond
	}
	return combineOutputs(cond, uncond, scale)
}

// Guided reports whether a guidance scale needs the unconditional output.
func Guided(scale float64) bool { return scale > 1 }

func combineOutputs(cond, uncond []float32, scale float64) []float32 {
	// The difference first: shares of the two would each be rounded, scale times as much
	// as what they differ by.
	out := combined(term{1, cond}, term{-1, uncond})
	combine(out, term{1, uncond}, term{float32(scale), out})
	return out
}

// MaxGuidance is the largest guidance scale that is taken for meant.
const MaxGuidance = 1000

// Guidance says how the conditional and the unconditional output of a call become
// one. It is a comparable value; the zero Guidance is off, and one with a Scale
// alone is [Guide]. Its parts work in this order:
//
//  1. Schedule gives the scale at the step, Interval whether there is guidance at
//     all. Where the scale is at most 1 or the interval is left, the conditional
//     output goes on as it is, and nothing below happens.
//  2. APG, or else plain guidance, combines the two outputs.
//  3. Mimic brings the x0 of that into the range of a smaller scale.
//  4. Rescale brings its standard deviation towards the conditional one's.
//  5. PlusPlus says with which noise the solver goes on from there.
//
// All but Mimic work on the model's output as it is, whatever the model predicts
// (noise, v or x0), as diffusers' guiders do.
type Guidance struct {
	// Scale is the guidance scale; at most 1 is off. With PlusPlus it is lambda.
	Scale    float64          `json:"scale"`
	Schedule GuidanceSchedule `json:"schedule,omitempty"` // replaces Scale
	Interval GuidanceInterval `json:"interval,omitzero"`
	APG      APG              `json:"apg,omitzero"`
	Mimic    Mimic            `json:"mimic,omitzero"`
	// Rescale is phi of Lin et al. (arXiv 2305.08891, sec. 3.4), 0 off to 1 in full.
	Rescale float64 `json:"rescale,omitempty"`
	// PlusPlus is CFG++ (arXiv 2406.08070, algorithm 2): on from the guided x0 with
	// the unconditional noise. The scale is the paper's lambda then, 0 (the
	// unconditional output) to 1 (the conditional): 0.6 is about as strong as a scale
	// of 7.5 without, 1 as 12.5 (the authors' figures). Nothing is off at 1.
	PlusPlus bool `json:"cfg_plus_plus,omitempty"`
}

// GuidanceInterval limits guidance to a window of noise levels (Kynkäänniemi et al.,
// arXiv 2404.07724, eq. 5: SigmaLow < sigma <= SigmaHigh, at each call by its own) and
// to one of steps (diffusers' start and stop: from step int(Start*steps) to before
// int(Stop*steps)). Both must hold; a zero SigmaHigh or Stop is no limit.
type GuidanceInterval struct {
	SigmaLow  float64 `json:"sigma_low,omitempty"`
	SigmaHigh float64 `json:"sigma_high,omitempty"`
	Start     float64 `json:"start,omitempty"` // shares of the steps, 0 to 1
	Stop      float64 `json:"stop,omitempty"`
}

// Point is where in a run outputs are combined; [Plan.Point] makes it.
type Point struct {
	X           []float32 // the latent on the model's scale: [Plan.Latent]
	Channels    int       // X is this many planes of one size; [Mimic] takes each alone
	AlphaBar    float32
	Sigma       float32
	Prediction  string // [Plan.Prediction]
	Step, Steps int
}

// GuidedOutput is what [Guidance.Apply] gives.
type GuidedOutput struct {
	Output  []float32 // the model's output, guided
	Renoise []float32 // for [Options]; nil but for CFG++
	// Momentum is what the next call's Apply takes: the running average of [APG], or
	// nil where there is none. Nothing writes to it, so a step back has its own.
	Momentum []float32
}

// Point is the point at s for a latent of some channels. s must not be the end.
func (p *Plan) Point(s State, channels int) Point {
	return Point{
		X: p.Latent(s), Channels: channels, AlphaBar: p.AlphaBar(s.Index), Sigma: p.Sigma(s.Index),
		Prediction: p.Prediction(), Step: p.StepOf(s.Index), Steps: p.Steps(),
	}
}

// Check reports the first setting that cannot work, and what would.
func (g Guidance) Check() error {
	if err := g.checkScales(); err != nil {
		return err
	}
	if !(g.Rescale >= 0 && g.Rescale <= 1) {
		return fmt.Errorf("guidance rescale is %g, want 0 (off) to 1", g.Rescale)
	}
	if err := g.Interval.check(); err != nil {
		return err
	}
	if err := g.APG.check(); err != nil {
		return err
	}
	return g.Mimic.check()
}

// checkScales holds the scale, or those of the schedule, against the limits.
func (g Guidance) checkScales() error {
	r, err := g.Schedule.parse()
	if err != nil {
		return err
	}
	for i, s := range append([]float64{g.Scale}, r.scales...) {
		switch replaced := i == 0 && r.shape != ""; {
		case !(s >= 0 && s <= MaxGuidance):
			return fmt.Errorf("guidance is %g, want 0 to %d (at most 1 is off)", s, MaxGuidance)
		case g.PlusPlus && s > 1 && !replaced:
			return fmt.Errorf("guidance is %g, want 0 to 1 with cfg++, where 0.6 is about as strong as 7.5 without", s)
		}
	}
	return nil
}

// Suits reports whether a sampler can go on as g says.
func (g Guidance) Suits(s Sampler) error {
	if !g.PlusPlus || s.Renoise {
		return nil
	}
	return fmt.Errorf("cfg++ goes on with another noise than predicted, which %s cannot; want %s", s.Name, Names(func(o Sampler) bool { return o.Renoise }))
}

func (w GuidanceInterval) check() error {
	switch {
	case !(w.SigmaLow >= 0) || math.IsInf(w.SigmaLow, 1):
		return fmt.Errorf("guidance interval starts above sigma %g, want 0 or more", w.SigmaLow)
	case w.SigmaHigh != 0 && !(w.SigmaHigh > w.SigmaLow && w.SigmaHigh <= math.MaxFloat64):
		return fmt.Errorf("guidance interval goes up to sigma %g, want more than %g (or 0 for no limit)", w.SigmaHigh, w.SigmaLow)
	case !(w.Start >= 0 && w.Start < 1):
		return fmt.Errorf("guidance interval starts at %g of the steps, want 0 to below 1", w.Start)
	case w.Stop != 0 && !(w.Stop > w.Start && w.Stop <= 1):
		return fmt.Errorf("guidance interval stops at %g of the steps, want more than %g and at most 1", w.Stop, w.Start)
	}
	return nil
}

// Contains reports whether there is guidance at a step with a noise level.
func (w GuidanceInterval) Contains(step, steps int, sigma float32) bool {
	stop := w.Stop
	if stop == 0 {
		stop = 1
	}
	return step >= int(w.Start*float64(steps)) && step < int(stop*float64(steps)) &&
		(w.SigmaLow == 0 || sigma > float32(w.SigmaLow)) &&
		(w.SigmaHigh == 0 || sigma <= float32(w.SigmaHigh))
}

// ScaleAt is the guidance scale at a step, leaving Interval aside.
func (g Guidance) ScaleAt(step, steps int) float64 {
	r, err := g.Schedule.parse()
	if err != nil || r.shape == "" {
		return g.Scale
	}
	return r.at(step, steps)
}

// Needs reports whether the unconditional output is needed at a step. CFG++ needs it
// at any scale, but outside the interval nothing does.
func (g Guidance) Needs(step, steps int, sigma float32) bool {
	return g.Interval.Contains(step, steps, sigma) && (g.PlusPlus || Guided(g.ScaleAt(step, steps)))
}

// Apply combines the outputs of one call under a Guidance that [Guidance.Check] has
// passed. uncond may be nil where g.Needs is false. momentum is the Momentum of the
// call before, nil at first. No argument is written to; the result may share memory
// with cond, uncond and momentum.
func (g Guidance) Apply(at Point, cond, uncond, momentum []float32) GuidedOutput {
	if !g.APG.remembers() {
		momentum = nil
	}
	if !g.Needs(at.Step, at.Steps, at.Sigma) {
		return GuidedOutput{Output: cond, Momentum: momentum}
	}
	var out GuidedOutput
	scale := g.ScaleAt(at.Step, at.Steps)
	if g.APG.Enabled {
		out.Output, out.Momentum = g.APG.guide(cond, uncond, momentum, scale)
	} else {
		out.Output = combineOutputs(cond, uncond, scale)
	}
	// At the scale that is mimicked, plain guidance is what it is to be like.
	if g.Mimic.Scale > 0 && (g.APG.Enabled || g.Mimic.Scale != scale) {
		g.Mimic.limit(at, cond, uncond, out.Output)
	}
	if g.Rescale > 0 {
		rescaleTo(cond, out.Output, g.Rescale)
	}
	if g.PlusPlus {
		out.Renoise = at.noise(uncond)
	}
	return out
}
