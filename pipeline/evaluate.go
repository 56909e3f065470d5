package pipeline

import (
	"context"
	"fmt"
	"time"

	"gorgonia.org/tensor"
)

// evaluate calls the denoiser at a new step, fills in its outputs and returns it.
func (m *Model) evaluate(ctx context.Context, s *Step) (*Step, error) {
	start := time.Now()
	prompts := []string{s.Settings.Prompt}
	if s.Settings.guided(s.Plan, s.Index()) {
		prompts = append(prompts, s.Settings.Negative)
	}
	conds := make([]Conditioning, len(prompts))
	for i, p := range prompts {
		c, err := m.Encode(ctx, p)
		if err != nil {
			return nil, err
		}
		conds[i] = c
	}
	encoded := time.Now()
	x, t := s.Plan.Input(s.State)
	outputs, err := m.denoiser.Predict(ctx, s.dense(x), t, conds...)
	if err != nil {
		return nil, err
	}
	s.Timing.Encode, s.Timing.Denoise = encoded.Sub(start), time.Since(encoded)
	s.Timing.Calls++
	s.Outputs = Outputs{Prompt: s.Settings.Prompt, Negative: s.Settings.Negative}
	for i, to := range []*[]float32{&s.Outputs.Cond, &s.Outputs.Uncond}[:len(outputs)] {
		if *to, err = values(outputs[i], len(x)); err != nil {
			return nil, err
		}
	}
	s.combine()
	return s, nil
}

// combine applies guidance to the kept outputs: no denoiser call.
func (s *Step) combine() {
	start := time.Now()
	var momentum []float32
	if s.Parent != nil {
		momentum = s.Parent.guided.Momentum
	}
	s.guided = s.Settings.guidance().Apply(s.Plan.Point(s.State, s.shape[1]), s.Outputs.Cond, s.Outputs.Uncond, momentum)
	s.Eps = s.guided.Output
	s.X0, _ = s.Plan.Predict(s.State, s.Eps)
	s.Timing.Combine = time.Since(start)
}

// values is t's backing, which must be n float32.
func values(t *tensor.Dense, n int) ([]float32, error) {
	data, ok := t.Data().([]float32)
	if !ok || len(data) != n {
		return nil, fmt.Errorf("the denoiser gave %v of shape %v, want %d float32", t.Dtype(), t.Shape(), n)
	}
	return data, nil
}
