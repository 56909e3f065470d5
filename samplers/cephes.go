package samplers

import "math"

// The polynomials of Cephes' logf, sinf and cosf (Moshier), with the fused
// multiply-adds of the AVX code that torch runs; every rounding matters here.

// log32 is the natural logarithm of a positive normal float32.
func log32(x float32) float32 {
	const sqrtHalf = 0.707106781186547524
	bits := math.Float32bits(x)
	exponent := float32(int32(bits>>23) - 126)
	x = math.Float32frombits(bits&^(0xff<<23) | 0x3f000000) // the mantissa in [0.5, 1)
	if x < sqrtHalf {
		exponent--
		x = (x - 1) + x
	} else {
		x--
	}
	z := float32(x * x)
	y := horner(x, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1,
		-1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
		-2.4999993993e-1, 3.3333331174e-1)
	y = float32(y * x)
	y = fma32(y, z, float32(exponent*-2.12194440e-4))
	y = fma32(-z, 0.5, y)
	return fma32(exponent, 0.693359375, float32(x+y))
}

func horner(x, first float32, rest ...float32) float32 {
	y := first
	for _, c := range rest {
		y = fma32(y, x, c)
	}
	return y
}

// sincos32 is sine and cosine of x >= 0, by octants.
func sincos32(x float32) (sin, cos float32) {
	const fourOverPi = 1.27323954473516
	octant := (int32(float32(x*fourOverPi)) + 1) &^ 1
	y := float32(octant)
	// Cody and Waite: pi/4 in three parts, the first two exact.
	x = fma32(y, -0.78515625, x)
	x = fma32(y, -2.4187564849853515625e-4, x)
	x = fma32(y, -3.77489497744594108e-8, x)
	z := float32(x * x)
	cos = float32(horner(z, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2) * z)
	cos = fma32(cos, z, -float32(z*0.5)) + 1
	sin = float32(horner(z, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1) * z)
	sin = fma32(sin, x, x)
	return turn(octant, sin, cos)
}
