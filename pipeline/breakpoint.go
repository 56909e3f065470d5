package pipeline

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Breakpoint is a condition at which a run stops. It is a comparable value; the zero
// one is never hit.
type Breakpoint struct {
	what  quantity
	above bool // of a figure: it is to be above value, else below
	value float64
}

// quantity is what a breakpoint waits for.
type quantity string

const (
	atStep     quantity = "step"
	atSigma    quantity = "sigma"
	atTimestep quantity = "t"
	onPush     quantity = "push"
	onChange   quantity = "change"
	onSpread   quantity = "spread"
	onPeak     quantity = "peak"
)

const wantBreakpoint = `want "step 8", "sigma 1.5", "t 400", or "push", "change", "spread" or "peak" with "> 0.3" or "< 1%"`

// ParseBreakpoint reads what a run is to stop at:
//
//	step 8, 8     eight steps of the sampler are complete
//	sigma 1.5     the noise level has fallen to 1.5
//	t 400         the training timestep has fallen to 400
//	push > 0.3    a figure (push, change, spread, peak: see [Figures]) comes to be
//	change < 1%   above or below a value; 1% is 0.01
func ParseBreakpoint(text string) (Breakpoint, error) {
	rest := strings.ToLower(strings.TrimSpace(text))
	end := strings.IndexFunc(rest, func(c rune) bool { return c < 'a' || c > 'z' })
	if end < 0 {
		return Breakpoint{}, fmt.Errorf("breakpoint %q: %s", text, wantBreakpoint)
	}
	b := Breakpoint{what: quantity(rest[:end])}
	rest = strings.TrimSpace(rest[end:])
	if b.what == "" {
		b.what = atStep
	}
	var err error
	switch b.what {
	case atStep, atSigma, atTimestep:
		err = b.parseLevel(rest)
	case onPush, onChange, onSpread, onPeak:
		err = b.parseFigure(rest)
	default:
		err = errors.New(wantBreakpoint)
	}
	if err != nil {
		return Breakpoint{}, fmt.Errorf("breakpoint %q: %w", text, err)
	}
	return b, nil
}

// parseLevel reads the number of a step or a level that falls.
func (b *Breakpoint) parseLevel(text string) error {
	if b.what == atStep {
		n, err := strconv.ParseUint(text, 10, 31)
		b.value = float64(n)
		if err != nil {
			return fmt.Errorf("the step is %q, want a whole number such as 8", text)
		}
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= math.MaxFloat64) {
		return fmt.Errorf("%s is %q, want a number from 0 such as %q", b.what, text, map[quantity]string{atSigma: "sigma 1.5", atTimestep: "t 400"}[b.what])
	}
	b.value = v + 0 // never -0, which is printed in another way
	return nil
}

// parseFigure reads "> 0.3" or "< 1%".
func (b *Breakpoint) parseFigure(text string) error {
	example := string(b.what) + " > 0.3"
	if text == "" || (text[0] != '>' && text[0] != '<') {
		return fmt.Errorf("want > or < and a number, such as %q", example)
	}
	b.above = text[0] == '>'
	number, percent := strings.CutSuffix(strings.TrimSpace(text[1:]), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(v >= 0 && v <= math.MaxFloat64) {
		return fmt.Errorf("%s is compared with %q, want a number from 0 such as %q", b.what, text[1:], example)
	}
	if percent {
		v /= 100
	}
	b.value = v + 0
	return nil
}

// String is the breakpoint as [ParseBreakpoint] reads it, "" for the zero one.
func (b Breakpoint) String() string {
	value := strconv.FormatFloat(b.value, 'g', -1, 64)
	switch b.what {
	case "":
		return ""
	case atStep:
		return "step " + strconv.Itoa(int(b.value))
	case atSigma, atTimestep:
		return string(b.what) + " " + value
	case onChange: // a share, which is read more easily in percent; rounding may not allow it
		if share := b.value * 100; share/100 == b.value {
			value = strconv.FormatFloat(share, 'g', -1, 64) + "%"
		}
	}
	if b.above {
		return string(b.what) + " > " + value
	}
	return string(b.what) + " < " + value
}

// Hit reports whether a run stops at s, the step just made: the condition holds there
// and did not at the step before, so that a run that goes on stops once.
func (b Breakpoint) Hit(s *Step) bool {
	if b.what == atStep {
		return s.Whole() && s.Number() == int(b.value)
	}
	if b.what == atSigma || b.what == atTimestep { // to fall, it must have been above
		return s.Parent != nil && b.holds(s) && !b.holds(s.Parent)
	}
	return b.holds(s) && (s.Parent == nil || !b.holds(s.Parent))
}

// holds reports whether the condition on a level or a figure is met at s. The end is
// below every level. A figure that there is nothing to tell of meets no condition.
func (b Breakpoint) holds(s *Step) bool {
	switch b.what {
	case atSigma:
		return s.Done() || float64(s.Sigma()) <= b.value
	case atTimestep:
		return s.Done() || float64(s.Timestep()) <= b.value
	}
	v, known := s.Figures.of(b.what)
	if !known || s.Done() || (b.what == onChange && s.Parent == nil) {
		return false
	}
	if b.above {
		return v > b.value
	}
	return v < b.value
}

// of is the figure that a breakpoint is on. A push of 0 is that of a step without
// guidance.
func (f Figures) of(what quantity) (v float64, known bool) {
	switch what {
	case onPush:
		return f.Push, f.Push != 0
	case onChange:
		return f.Change, true
	case onSpread:
		return f.Spread, true
	case onPeak:
		return f.Peak, true
	}
	return 0, false
}
