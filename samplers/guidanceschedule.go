package samplers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// GuidanceSchedule is a guidance scale that changes over the steps, as text:
//
//	linear:1..7.5    from the first step to the last in equal amounts
//	cosine:7.5..1    slowly at both ends, half a period of the cosine
//	8,7.5,6,3        one a step; over more or fewer steps, interpolated between
//
// The empty one is constant: [Guidance] goes by its Scale.
type GuidanceSchedule string

// ParseGuidanceSchedule reads a schedule and writes its numbers in their shortest form;
// "constant" is the empty one.
func ParseGuidanceSchedule(text string) (GuidanceSchedule, error) {
	r, err := GuidanceSchedule(text).parse()
	return r.text(), err
}

// scaleRamp is a schedule that was read: an empty shape for none.
type scaleRamp struct {
	shape  string // "linear", "cosine" or "list"
	scales []float64
}

// maxScheduled bounds a list of scales; far more than anybody types.
const maxScheduled = 1000

func (s GuidanceSchedule) parse() (scaleRamp, error) {
	text := strings.TrimSpace(string(s))
	if text == "" || text == "constant" {
		return scaleRamp{}, nil
	}
	r := scaleRamp{shape: "list"}
	fields := strings.Split(text, ",")
	if shape, ends, ok := strings.Cut(text, ":"); ok {
		r.shape = strings.TrimSpace(shape)
		fields = strings.Split(ends, "..")
		if r.shape != "linear" && r.shape != "cosine" || len(fields) != 2 {
			return scaleRamp{}, s.malformed()
		}
	}
	if len(fields) > maxScheduled {
		return scaleRamp{}, fmt.Errorf("guidance schedule has %d scales, want at most %d", len(fields), maxScheduled)
	}
	for _, f := range fields {
		v, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		if err != nil {
			return scaleRamp{}, s.malformed()
		}
		if !(v >= 0 && v <= MaxGuidance) {
			return scaleRamp{}, fmt.Errorf("guidance schedule has a scale of %g, want 0 to %d (at most 1 is off)", v, MaxGuidance)
		}
		r.scales = append(r.scales, v)
	}
	return r, nil
}

func (s GuidanceSchedule) malformed() error {
	return fmt.Errorf("guidance schedule is %q, want constant, linear:FROM..TO, cosine:FROM..TO or a list such as 8,7.5,6", string(s))
}

func (r scaleRamp) text() GuidanceSchedule {
	numbers := make([]string, len(r.scales))
	for i, v := range r.scales {
		numbers[i] = shortest(v)
	}
	switch r.shape {
	case "linear", "cosine":
		return GuidanceSchedule(r.shape + ":" + strings.Join(numbers, ".."))
	}
	return GuidanceSchedule(strings.Join(numbers, ","))
}

// at is the scale at a step; a run of one step takes the first.
func (r scaleRamp) at(step, steps int) float64 {
	last := len(r.scales) - 1
	if step <= 0 || last == 0 {
		return r.scales[0]
	}
	if step >= steps-1 {
		return r.scales[last]
	}
	// In this order a list of one scale a step is hit exactly.
	where := float64(step) * float64(last) / float64(steps-1)
	if r.shape == "cosine" {
		where = (1 - math.Cos(math.Pi*where)) / 2
	}
	lo := min(int(where), last-1)
	from, to := r.scales[lo], r.scales[lo+1]
	return from + float64((where-float64(lo))*(to-from))
}

// shortest writes a number in as few digits as tell it.
func shortest(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
