package samplers

import (
	"fmt"
	"math"
)

// Mimic is dynamic thresholding of x0 after a smaller guidance scale, that of the
// extension sd-dynamic-thresholding with its default settings: each channel of the
// guided x0 is cut off at a percentile of its distances from its mean, and shrunk (or
// stretched) to the greatest distance that Scale would have given. So a high scale
// keeps its composition without its colours. Scale 0 is off.
//
// It is the thresholding of Imagen (arXiv 2205.11487, sec. 2.3) made for latents, which
// have no natural range; for x0 in -1..1 there is the scheduler config's thresholding.
type Mimic struct {
	Scale float64 `json:"scale,omitempty"`
	// Percentile is the share of the distances that is not cut off; 0 is 1, all. What
	// is within the greatest distance at Scale is never cut off.
	Percentile float64 `json:"percentile,omitempty"`
}

func (m Mimic) check() error {
	switch {
	case !(m.Scale >= 0 && m.Scale <= MaxGuidance):
		return fmt.Errorf("mimic scale is %g, want 0 (off) to %d", m.Scale, MaxGuidance)
	case !(m.Percentile >= 0 && m.Percentile <= 1):
		return fmt.Errorf("mimic percentile is %g, want more than 0 and at most 1 (0 is 1)", m.Percentile)
	}
	return nil
}

// limit thresholds the x0 of guided, in place. An output that does not tell x0 is left
// alone.
func (m Mimic) limit(at Point, cond, uncond, guided []float32) {
	a, b, ok := at.original()
	if !ok {
		return
	}
	size := len(guided)
	if at.Channels > 0 && size%at.Channels == 0 {
		size /= at.Channels
	}
	for lo := 0; lo < len(guided); lo += size {
		hi := lo + size
		m.limitChannel(thresholded{
			x: at.X[lo:hi], cond: cond[lo:hi], uncond: uncond[lo:hi], guided: guided[lo:hi],
			a: a, b: b, scale: float32(m.Scale),
		})
	}
}

// thresholded is one channel on its way.
type thresholded struct {
	x, cond, uncond, guided []float32
	a, b, scale             float32 // x0 = a*x + b*output; the mimicked scale
}

// mimicked is the x0 of value i at the mimicked scale.
func (t *thresholded) mimicked(i int) float32 {
	u := t.uncond[i]
	return float32(t.a*t.x[i]) + float32(t.b*(u+float32(t.scale*float32(t.cond[i]-u))))
}

func (m Mimic) limitChannel(t thresholded) {
	var sum, wantSum float64
	for i, o := range t.guided {
		x0 := float32(t.a*t.x[i]) + float32(t.b*o)
		t.guided[i] = x0
		sum += float64(x0)
		wantSum += float64(t.mimicked(i))
	}
	n := float64(len(t.guided))
	mean, wantMean := float32(sum/n), float32(wantSum/n)
	var want float32
	for i := range t.guided {
		want = max(want, distance(t.mimicked(i), wantMean))
	}
	bound := max(m.reach(t.guided, mean), want)
	for i, x0 := range t.guided {
		d := max(-bound, min(x0-mean, bound))
		if bound > 0 {
			d = float32(float32(d/bound) * want)
		}
		t.guided[i] = (float32(d+mean) - float32(t.a*t.x[i])) / t.b
	}
}

// reach is how far values lie from their mean, by the percentile.
func (m Mimic) reach(values []float32, mean float32) float32 {
	if m.Percentile == 0 || m.Percentile == 1 {
		var far float32
		for _, v := range values {
			far = max(far, distance(v, mean))
		}
		return far
	}
	distances := make([]float32, len(values))
	for i, v := range values {
		distances[i] = distance(v, mean)
	}
	return quantile(distances, m.Percentile)
}

func distance(a, b float32) float32 { return float32(math.Abs(float64(a - b))) }
