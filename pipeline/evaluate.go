package pipeline

import (
	"context"
	"fmt"
	"time"

	"gorgonia.org/tensor"
)

// Served says what the denoiser's kept outputs were made for.
type Served struct {
	words
	Guided bool `json:"guided,omitempty"` // there is an unconditional output
}

// servedBy reports whether the outputs kept at o are all that s needs.
func (s *Step) servedBy(o *Step) bool {
	guided := s.guided()
	return (!guided || o.Served.Guided) && o.Served.serve(s.words(), guided)
}

// guided reports whether s needs the unconditional output.
func (s *Step) guided() bool {
	return s.Settings.guidance().Needs(s.Number(), s.Steps(), s.Sigma())
}

// words are what the denoiser is told at s.
func (s *Step) words() words { return s.Settings.words(s.Number(), s.Steps()) }

// evaluate calls the denoiser at a new step and keeps in it t with the outputs.
func (m *Model) evaluate(ctx context.Context, s *Step, t *Tensors) (*Step, error) {
	start := time.Now()
	served := Served{words: s.words(), Guided: s.guided()}
	conds, err := m.conditionings(ctx, served.words, served.Guided)
	if err != nil {
		return nil, err
	}
	encoded := time.Now()
	x, timestep := s.Leg.Plan.Input(t.State)
	outputs, err := m.denoiser.Predict(ctx, s.dense(x), timestep, conds...)
	if err != nil {
		return nil, err
	}
	s.Timing.Encode, s.Timing.Denoise = encoded.Sub(start), time.Since(encoded)
	s.Timing.Calls++
	s.Served = served
	for i, to := range []*[]float32{&t.Cond, &t.Uncond}[:len(outputs)] {
		if *to, err = values(outputs[i], len(x)); err != nil {
			return nil, err
		}
	}
	return s, s.combine(t)
}

// combine applies guidance to the outputs in t, without a denoiser call, and keeps t.
func (s *Step) combine(t *Tensors) error {
	start := time.Now()
	var momentum []float32
	if s.Parent != nil && s.Settings.Guiding.APG.Enabled {
		before, err := s.Parent.Tensors()
		if err != nil {
			return err
		}
		momentum = before.Guided.Momentum
	}
	plan := s.Leg.Plan
	at := plan.Point(t.State, s.shape[1])
	at.Step, at.Steps = s.Number(), s.Steps()
	t.Guided = s.Settings.guidance().Apply(at, t.Cond, t.Uncond, momentum)
	t.X0, _ = plan.Predict(t.State, t.Guided.Output)
	s.Timing.Combine = time.Since(start)
	s.keep(t)
	return nil
}

// keep makes t the numbers of s.
func (s *Step) keep(t *Tensors) {
	s.Figures = s.figures(t)
	s.held.Store(t)
}

// values is t's backing, which must be n float32.
func values(t *tensor.Dense, n int) ([]float32, error) {
	data, ok := t.Data().([]float32)
	if !ok || len(data) != n {
		return nil, fmt.Errorf("the denoiser gave %v of shape %v, want %d float32", t.Dtype(), t.Shape(), n)
	}
	return data, nil
}
