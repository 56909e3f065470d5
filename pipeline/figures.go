package pipeline

import "math"

// Figures are a step's statistics: what a breakpoint may wait for. What there is
// nothing to tell of is 0.
type Figures struct {
	// Push is how strongly the prompt steers: the root mean square of eps_cond -
	// eps_uncond; 0 with guidance off.
	Push float64 `json:"push,omitempty"`
	// Change is that of x0 since the step before, relative to that one's own.
	Change float64 `json:"change,omitempty"`
	// Spread is the standard deviation of x0, Peak its largest absolute value.
	Spread float64 `json:"spread,omitempty"`
	Peak   float64 `json:"peak,omitempty"`
}

func (s *Step) figures(t *Tensors) Figures {
	f := Figures{}
	if t.Uncond != nil {
		f.Push = rms(t.Cond, t.Uncond)
	}
	if s.Parent != nil {
		if before, err := s.Parent.Tensors(); err == nil {
			f.Change = rms(t.X0, before.X0) / max(rms(before.X0, nil), 1e-12)
		}
	}
	var sum, squares, peak float64
	for _, v := range t.X0 {
		x := float64(v)
		sum += x
		squares += x * x
		peak = max(peak, math.Abs(x))
	}
	n := float64(max(len(t.X0), 1))
	f.Spread, f.Peak = math.Sqrt(max(squares/n-sum/n*sum/n, 0)), peak
	return f
}

// rms is the root mean square of a - b; a nil b is zero.
func rms(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v)
		if b != nil {
			d -= float64(b[i])
		}
		sum += d * d
	}
	return math.Sqrt(sum / float64(max(len(a), 1)))
}
