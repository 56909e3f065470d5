package samplers

import "math"

// fma32 is a*b + c rounded once to float32: the product of two float32 is exact
// in float64, and the sum is brought to odd in its last bit where it was
// inexact, so that the second rounding cannot fall on the wrong side of a tie.
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	sum := p + float64(c)
	// Knuth's two-sum: sum + lost is exactly p + c.
	part := sum - p
	lost := (p - (sum - part)) + (float64(c) - part)
	bits := math.Float64bits(sum)
	if lost != 0 && bits&1 == 0 {
		if (lost > 0) == (sum > 0) {
			bits++
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return float32(sum)
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// linspace32 is torch.linspace in float32: one step width, and a fused
// multiply-add from the nearer end.
func linspace32(start, end float64, n int) []float32 {
	a, b := float32(start), float32(end)
	out := make([]float32, n)
	if n == 1 {
		out[0] = a
		return out
	}
	step := float32(b-a) / float32(n-1)
	for i := range out {
		if i < n/2 {
			out[i] = fma32(step, float32(i), a)
		} else {
			out[i] = fma32(-step, float32(n-1-i), b)
		}
	}
	return out
}
