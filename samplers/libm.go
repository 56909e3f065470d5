package samplers

import "math"

// Logarithm, sine and cosine in float64 whose results are the same everywhere:
// those of package math are assembly on some architectures and, in Go, compiled
// with fused multiply-adds on others. The errors are below one unit in the last
// place, so rounded to float32 they give what a C library's give, but for about
// one value in 10^9.

// log64 is the natural logarithm of a positive normal number (FreeBSD's e_log.c).
func log64(x float64) float64 {
	const ln2Hi, ln2Lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	mantissa, e := math.Frexp(x)
	if mantissa < math.Sqrt2/2 {
		mantissa *= 2
		e--
	}
	f, exponent := mantissa-1, float64(e)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	odd := float64(s2 * horner64(s4, 1.479819860511658591e-01, 1.818357216161805012e-01,
		2.857142874366239149e-01, 6.666666666666735130e-01))
	even := float64(s4 * horner64(s4, 1.531383769920937332e-01, 2.222219843214978396e-01,
		3.999999999940941908e-01))
	half := float64(0.5 * float64(f*f))
	tail := float64(s*(half+(odd+even))) + float64(exponent*ln2Lo)
	return float64(exponent*ln2Hi) - ((half - tail) - f)
}

// sincos64 is sine and cosine of 0 <= x <= 8 (Cephes' sin.c).
func sincos64(x float64) (sin, cos float64) {
	octant := (int32(x*(4/math.Pi)) + 1) &^ 1
	y := float64(octant)
	// Cody and Waite: pi/4 in three parts, the first two products exact.
	x -= float64(y * 7.85398125648498535156e-1)
	x -= float64(y * 3.77489470793079817668e-8)
	x -= float64(y * 2.69515142907905952645e-15)
	z := float64(x * x)
	sin = float64(float64(x*z) * horner64(z, 1.58962301576546568060e-10, -2.50507477628578072866e-8,
		2.75573136213857245213e-6, -1.98412698295895385996e-4, 8.33333333332211858878e-3,
		-1.66666666666666307295e-1))
	sin += x
	cos = float64(float64(z*z) * horner64(z, -1.13585365213876817300e-11, 2.08757008419747316778e-9,
		-2.75573141792967388112e-7, 2.48015872888517045348e-5, -1.38888888888730564116e-3,
		4.16666666666665929218e-2))
	cos += 1 - float64(0.5*z)
	return turn(octant, sin, cos)
}

// turn brings sine and cosine of an angle less octant*pi/4 (octant even) back to
// those of the angle.
func turn[F float32 | float64](octant int32, sin, cos F) (F, F) {
	if octant&2 != 0 {
		sin, cos = cos, sin
	}
	if octant&4 != 0 {
		sin = -sin
	}
	if (octant-2)&4 == 0 {
		cos = -cos
	}
	return sin, cos
}

func horner64(x, first float64, rest ...float64) float64 {
	y := first
	for _, c := range rest {
		y = float64(y*x) + c
	}
	return y
}
