package pipeline

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

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

// named are the figures as JSON has them.
func (f *Figures) named() map[string]*float64 {
	return map[string]*float64{"push": &f.Push, "change": &f.Change, "spread": &f.Spread, "peak": &f.Peak}
}

// MarshalJSON writes what is not 0. What is no number, as where a denoiser's outputs
// overflow, is a string, which JSON's own numbers cannot say.
func (f Figures) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for name, v := range f.named() {
		switch {
		case math.IsNaN(*v) || math.IsInf(*v, 0):
			out[name] = strconv.FormatFloat(*v, 'g', -1, 64)
		case *v != 0:
			out[name] = *v
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figures) UnmarshalJSON(data []byte) error {
	var in map[string]any
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	for name, v := range f.named() {
		switch read := in[name].(type) {
		case nil:
			*v = 0
		case float64:
			*v = read
		case string:
			parsed, err := strconv.ParseFloat(read, 64)
			if err != nil {
				return fmt.Errorf("figure %s is %q, want a number", name, read)
			}
			*v = parsed
		default:
			return fmt.Errorf("figure %s is no number", name)
		}
	}
	return nil
}
