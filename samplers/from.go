package samplers

import (
	"fmt"
	"math"
)

// A plan that starts in mid-schedule: the sampler or the number of steps may change
// where a run stands, and the rest is laid out from there.

// checkFrom refuses a start that is no timestep of the model.
func (r Request) checkFrom(total int) error {
	if last := float32(total - 1); !(r.From >= 0 && r.From <= last) {
		return fmt.Errorf("the plan is to start from timestep %g, want 0 (from the noise) to %g, the model's last", r.From, last)
	}
	return nil
}

// begins says whether a plan starts in mid-schedule.
func (c spacingParams) begins() bool { return c.from > 0 }

// wholeFrom is the timestep that a plan starts from, for samplers of whole ones.
func (c spacingParams) wholeFrom() float64 { return math.RoundToEven(c.from) }

// remaining lays n timesteps from first down, as the spacing does from the model's last
// one, but that first is among them and that rounding does not change the width of a
// step: so a run's own timestep and as many steps as it had left give those it had. Open
// leaves out one more at the end, as the DPM family does. All but the first are rounded
// if whole.
func (c spacingParams) remaining(first float64, n int, open, whole bool) ([]float64, error) {
	end, widths := 0.0, n-1
	if open {
		widths = n
	}
	switch c.TimestepSpacing {
	case Leading:
		end = min(float64(max(c.StepsOffset, 0)), first)
	case LDM:
		end = min(1, first)
	case Linspace:
	case Trailing: // the next after n steps would be -1
		end, widths = -1, n
	default:
		return nil, fmt.Errorf("timestep spacing %q is unknown, want one of %s", c.TimestepSpacing, join(Spacings()))
	}
	out := []float64{first}
	for i := 1; i < n; i++ {
		t := first - float64(float64(i)*(first-end))/float64(widths)
		if whole {
			t = math.RoundToEven(t-end) + end
		}
		if most := c.mostFrom(first-end, open); t >= out[i-1] || t < 0 {
			return nil, fmt.Errorf("steps is %d, more than %s spacing has timesteps from %g down, want 1 to %d", n, c.TimestepSpacing, first, most)
		}
		out = append(out, t)
	}
	return out, nil
}

// mostFrom is how many steps there are timesteps for over a width.
func (c spacingParams) mostFrom(width float64, open bool) int {
	most := int(math.Ceil(width)) + 1
	if open || c.TimestepSpacing == Trailing {
		most--
	}
	return max(most, 1)
}

// wholeRemaining is remaining for samplers of whole timesteps.
func (c spacingParams) wholeRemaining(n int, open bool) ([]int, error) {
	ts, err := c.remaining(c.wholeFrom(), n, open, true)
	out := make([]int, len(ts))
	for i, t := range ts {
		out[i] = int(t)
	}
	return out, err
}

// below is first and what a falling list has below it.
func below[T int | float64](list []T, first T) []T {
	out := []T{first}
	for _, v := range list {
		if v < first {
			out = append(out, v)
		}
	}
	return out
}

// levelFrom is the noise level at the timestep that a plan starts from, between timesteps
// by the logarithm of sigma: what [timestepOf] turns back. It is 0 where it starts from
// the noise.
func (c spacingParams) levelFrom(table, logs []float32) float64 {
	if !c.begins() {
		return 0
	}
	lo := int(c.from)
	part := c.from - float64(lo)
	if part == 0 {
		return float64(table[lo])
	}
	return math.Exp(float64((1-part)*float64(logs[lo])) + float64(part*float64(logs[lo+1])))
}

// CallAt is the call at which a step begins at training timestep t, to a thousandth; ok
// is false where none does. Of several, which some sigma schedules have, it is the first.
func (p *Plan) CallAt(t float32) (i int, ok bool) {
	const near = 1e-3
	for i, at := range p.timesteps {
		if (i == 0 || p.StepOf(i) != p.StepOf(i-1)) && math.Abs(float64(at)-float64(t)) <= near {
			return i, true
		}
	}
	return 0, false
}

// Enter is the state at call i, 0 to Calls(), with a latent on the scale that models are
// trained on, as [Plan.Latent] gives it, after a number of draws of noise, the start
// noise included. The solver remembers nothing of the calls before, and starts afresh.
// The state may share memory with latent.
func (p *Plan) Enter(i int, latent []float32, draws int) State {
	s := State{Index: i, X: latent, Draws: draws}
	if scale := p.scaleAt(i); scale != 1 {
		s.X = combined(term{scale, latent})
	}
	return s
}

// scaleAt is how much longer the solver's x is than the model's at call i.
func (p *Plan) scaleAt(i int) float32 {
	if sigma := p.sigmas[i]; p.exploding && sigma != 0 {
		return sqrt32(float32(sigma*sigma) + 1)
	}
	return 1
}
