package samplers

// mix is dst = ca*a + cb*b with the roundings of mixEach, sixteen values at a time; SSE
// is what every amd64 processor has. a and b are as long as dst, which may be either.
func mix(dst, a, b []float32, ca, cb float32) {
	if n := len(dst); n > 0 {
		mixSSE(&dst[0], &a[:n][0], &b[:n][0], n, ca, cb)
	}
}

// mixSSE is in mix_amd64.s.
//
//go:noescape
func mixSSE(dst, a, b *float32, n int, ca, cb float32)

// clamp is clampEach, likewise.
func clamp(x []float32, bound float32) {
	whole := len(x) &^ 3
	if whole > 0 {
		clampSSE(&x[0], whole, bound)
	}
	clampEach(x[whole:], bound)
}

// clampSSE takes a multiple of four values.
//
//go:noescape
func clampSSE(x *float32, n int, bound float32)
