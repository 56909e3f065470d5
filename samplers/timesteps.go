package samplers

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Spacing says how a number of steps is laid over the training timesteps
// (Lin et al., arXiv 2305.08891, table 2; "ldm" is CompVis's own).
type Spacing string

// The spacings. Their values are what scheduler_config.json and --spacing hold.
const (
	Leading  Spacing = "leading"
	Linspace Spacing = "linspace"
	Trailing Spacing = "trailing"
	LDM      Spacing = "ldm"
)

// Spacings lists every [Spacing].
func Spacings() []Spacing { return []Spacing{Leading, Trailing, Linspace, LDM} }

// timesteps gives the timesteps of n steps among total training timesteps, first
// (noisiest) to last. LDM spacing may give another number of steps than n.
func (p spacingParams) timesteps(n, total int) ([]int, error) {
	if n < 1 || n > total {
		return nil, fmt.Errorf("steps is %d, want 1 to %d (the model's training timesteps)", n, total)
	}
	if p.given != nil {
		return slices.Clone(p.given), nil
	}
	if p.begins() {
		return p.wholeRemaining(n, false)
	}
	var ts []int
	switch p.TimestepSpacing {
	case Leading:
		ts = leading(n, total, p.StepsOffset)
	case Linspace:
		ts = linspace(n, total)
	case Trailing:
		ts = trailing(n, total)
	case LDM:
		ts = ldmUniform(n, total)
	default:
		return nil, fmt.Errorf("timestep spacing %q is unknown, want one of %s", p.TimestepSpacing, join(Spacings()))
	}
	if first := ts[0]; first >= total || ts[len(ts)-1] < 0 {
		return nil, fmt.Errorf("steps is %d: %s spacing with steps_offset %d reaches timestep %d, outside 0 to %d; fewer steps or trailing spacing would do",
			n, p.TimestepSpacing, p.StepsOffset, first, total-1)
	}
	return ts, nil
}

// join lists names for a message.
func join[T ~string](names []T) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}

func leading(n, total, offset int) []int {
	ratio := total / n
	ts := make([]int, n)
	for i := range ts {
		ts[i] = (n-1-i)*ratio + offset
	}
	return ts
}

// linspace is numpy's linspace(0, total-1, n), rounded half to even, reversed.
func linspace(n, total int) []int {
	ts := make([]int, n)
	step := 0.0
	if n > 1 {
		step = float64(total-1) / float64(n-1)
	}
	for i := range ts {
		ts[n-1-i] = int(math.RoundToEven(float64(i) * step))
	}
	return ts
}

// trailing is numpy's round(arange(total, 0, -total/n)) - 1. The sum's rounding
// errors give arange one entry too many for some n (61, 103, 121 ... of 1000),
// a step at timestep -1; it is left out.
func trailing(n, total int) []int {
	start := float64(total)
	delta := (start - start/float64(n)) - start
	ts := make([]int, n)
	for i := range ts {
		ts[i] = int(math.RoundToEven(start+float64(float64(i)*delta))) - 1
	}
	return ts
}

// ldmUniform is CompVis's make_ddim_timesteps("uniform"): range(0, total,
// total/n) + 1, which is not always n entries and may end past the table, where
// it is clipped, as AUTOMATIC1111 does.
func ldmUniform(n, total int) []int {
	stride := total / n
	var ts []int
	for t := 0; t < total; t += stride {
		ts = append(ts, min(t+1, total-1))
	}
	slices.Reverse(ts)
	return ts
}
