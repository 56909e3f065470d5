package pipeline

import "fmt"

// Record is a step without its numbers, as it is written down.
type Record struct {
	ID       int      `json:"id"`
	Parent   int      `json:"parent"` // a step's number, -1 at the start of a run
	Settings Settings `json:"settings"`
	Leg      LegSpec  `json:"leg"`
	Call     int      `json:"call"`
	Served   Served   `json:"served"`
	Figures  Figures  `json:"figures"`
	Timing   Timing   `json:"timing"`
}

// Record is the step without its numbers.
func (s *Step) Record() Record {
	r := Record{
		ID: s.id, Parent: -1, Settings: s.Settings, Leg: s.Leg.LegSpec, Call: s.call,
		Served: s.Served, Figures: s.Figures, Timing: s.Timing,
	}
	if s.Parent != nil {
		r.Parent = s.Parent.id
	}
	return r
}

// Restorer makes steps of records again. Steps of one leg share it.
type Restorer struct {
	info    Info
	legs    map[LegSpec]*Leg
	checked map[Settings]error
}

// NewRestorer restores steps of a model.
func NewRestorer(i Info) *Restorer {
	return &Restorer{info: i, legs: map[LegSpec]*Leg{}, checked: map[Settings]error{}}
}

// Step makes the step of a record that follows parent, nil at the start. load reads its
// numbers. A record that no run of the model could have made is an error.
func (r *Restorer) Step(rec Record, parent *Step, load func() (*Tensors, error)) (*Step, error) {
	if err := r.check(rec.Settings); err != nil {
		return nil, fmt.Errorf("step %d: %w", rec.ID, err)
	}
	leg, err := r.leg(rec.Leg)
	if err != nil {
		return nil, fmt.Errorf("step %d: %w", rec.ID, err)
	}
	if rec.ID < 0 || rec.Leg.Before < 0 || rec.Call < 0 || rec.Call > leg.Plan.Calls() {
		return nil, fmt.Errorf("step %d is call %d after %d steps, want 0 to %d", rec.ID, rec.Call, rec.Leg.Before, leg.Plan.Calls())
	}
	s := &Step{
		Parent: parent, Settings: rec.Settings, Leg: leg, Served: rec.Served, Figures: rec.Figures, Timing: rec.Timing,
		id: rec.ID, index: indexAfter(parent), call: rec.Call, shape: r.info.Latent.shape(rec.Settings),
	}
	s.Written(load)
	return s, nil
}

// check is [Info.Check] without what only making a step takes: memory for the
// denoiser, and an encoder for the picture that a run starts from.
func (r *Restorer) check(s Settings) error {
	known, ok := r.checked[s]
	if !ok {
		known = r.info.checkStored(s)
		r.checked[s] = known
	}
	return known
}

func (i Info) checkStored(s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := i.Latent.checkSides(s.Width, s.Height); err != nil {
		return err
	}
	return s.checkDraws()
}

// leg lays out a leg, or finds it among those laid out before.
func (r *Restorer) leg(spec LegSpec) (*Leg, error) {
	if leg, ok := r.legs[spec]; ok {
		return leg, nil
	}
	leg, err := r.info.Leg(spec)
	if err == nil {
		r.legs[spec] = leg
	}
	return leg, err
}
