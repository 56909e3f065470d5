package samplers

import "math"

// nearlyParallel is the mean cosine above which Slerp is linear.
const nearlyParallel = 0.9995

// Slerp turns noise towards other noise, as AUTOMATIC1111's variation seed does
// (modules/rng.py): spherical interpolation that keeps the variance of the noise, low at
// strength 0 and high at 1. Both are [C, H, W], flat.
//
// What is turned are the columns: for each channel and x the H values along y are one
// vector, with an angle omega of its own between the two noises, and become
//
//	low*sin((1-strength)*omega)/sin(omega) + high*sin(strength*omega)/sin(omega)
//
// Where the mean cosine of all angles is above 0.9995 it is low*strength +
// high*(1-strength), the two the other way round; as there, and of no consequence
// between two noises so alike. It writes to neither.
func Slerp(strength float64, low, high []float32, c, h, w int) []float32 {
	cosines := make([]float64, c*w)
	var mean float64
	for i := range cosines {
		at := i/w*h*w + i%w
		cosines[i] = cosine(low[at:], high[at:], h, w)
		mean += cosines[i] / float64(len(cosines))
	}
	out := make([]float32, len(low))
	if mean > nearlyParallel {
		a, b := float32(strength), float32(1-strength)
		for i := range out {
			out[i] = float32(low[i]*a) + float32(high[i]*b)
		}
		return out
	}
	for i, cos := range cosines {
		a, b := slerpShares(strength, cos)
		at := i/w*h*w + i%w
		for y := range h {
			k := at + y*w
			out[k] = float32(a*low[k]) + float32(b*high[k])
		}
	}
	return out
}

// cosine is that of the angle between two vectors of n values, stride apart.
func cosine(a, b []float32, n, stride int) float64 {
	var ab, aa, bb float64
	for i := range n {
		x, y := float64(a[i*stride]), float64(b[i*stride])
		ab += float64(x * y)
		aa += float64(x * x)
		bb += float64(y * y)
	}
	return ab / math.Sqrt(aa*bb)
}

// slerpShares are what the two vectors are multiplied with. Vectors in one line, which
// have no plane to turn in, are mixed linearly.
func slerpShares(strength, cos float64) (low, high float32) {
	omega := math.Acos(max(-1, min(cos, 1)))
	sin, _ := sincos64(omega)
	if sin < 1e-9 {
		return float32(1 - strength), float32(strength)
	}
	from, _ := sincos64(float64((1 - strength) * omega))
	to, _ := sincos64(float64(strength * omega))
	return float32(from / sin), float32(to / sin)
}
