package samplers

import "math"

// numpyGenerator is numpy.random.RandomState with its randn: MT19937 and
// Marsaglia's polar method. A value, copied to remember where it stood.
type numpyGenerator struct {
	mt     mt19937
	cached bool // whether the second value of a pair is waiting
	spare  float64
}

func newNumpyGenerator(seed uint32) numpyGenerator {
	return numpyGenerator{mt: newMT19937(seed)}
}

func (g *numpyGenerator) randn(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(g.normal())
	}
	return out
}

func (g *numpyGenerator) normal() float64 {
	if g.cached {
		g.cached = false
		return g.spare
	}
	for {
		x, y := 2*g.mt.double53()-1, 2*g.mt.double53()-1 // exact products
		square := float64(x*x) + float64(y*y)
		if square > 0 && square < 1 {
			f := math.Sqrt(-2 * log64(square) / square)
			g.spare, g.cached = f*x, true
			return f * y
		}
	}
}

// double53 is a uniform double as genrand_res53 makes it: 27 bits, then 26.
func (m *mt19937) double53() float64 {
	hi, lo := uint64(m.next()>>5), uint64(m.next()>>6)
	return float64(hi<<26|lo) * (1.0 / (1 << 53))
}
