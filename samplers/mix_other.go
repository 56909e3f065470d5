//go:build !amd64

package samplers

func mix(dst, a, b []float32, ca, cb float32) { mixEach(dst, a, b, ca, cb) }

func clamp(x []float32, bound float32) { clampEach(x, bound) }
