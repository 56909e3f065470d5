package samplers

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sameFloats compares bit by bit, but for which NaN a NaN is: that is the compiler's
// choice of operands.
func sameFloats(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool {
		return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
	})
}

// awkward gives values with all kinds of rounding, and some that are no numbers.
func awkward(r *rand.Rand, n int) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.SmallestNonzeroFloat32, math.MaxFloat32}
	out := make([]float32, n)
	for i := range out {
		if out[i] = float32(r.NormFloat64() * math.Exp(3*r.NormFloat64())); r.IntN(8) == 0 {
			out[i] = special[r.IntN(len(special))]
		}
	}
	return out
}

// TestMixRoundsAlike holds the processor's routine against plain Go.
func TestMixRoundsAlike(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 71 {
		for range 20 {
			a, b, c := awkward(r, n), awkward(r, n), awkward(r, 2)
			want, got := make([]float32, n), make([]float32, n+1)
			mixEach(want, a, b, c[0], c[1])
			got[n] = 42
			mix(got[:n], a, b, c[0], c[1])
			first, second := slices.Clone(a), slices.Clone(b)
			mix(first, first, b, c[0], c[1])
			mix(second, a, second, c[0], c[1])
			for name, got := range map[string][]float32{"dst": got[:n], "a": first, "b": second} {
				if !sameFloats(got, want) {
					t.Fatalf("%g*%v + %g*%v written to %s is %v, want %v", c[0], a, c[1], b, name, got, want)
				}
			}
			if got[n] != 42 {
				t.Fatalf("of %d values, the one after was written to", n)
			}
		}
	}
}

// TestClampIsTheSame holds the processor's routine against plain Go, bounds included.
func TestClampIsTheSame(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 71 {
		for _, bound := range []float32{0.5, 1, 1e-40, 1e30, float32(math.Inf(1))} {
			values := append(awkward(r, n), bound, -bound, 42)
			want, got := slices.Clone(values), slices.Clone(values)
			clampEach(want[:n+2], bound)
			if clamp(got[:n+2], bound); !sameFloats(got, want) {
				t.Fatalf("%v within %g is %v, want %v", values, bound, got, want)
			}
		}
	}
}

// TestCombineRoundsLeftToRight is by the definition, over several blocks.
func TestCombineRoundsLeftToRight(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 17, blockLength - 1, blockLength, blockLength + 1, 3*blockLength + 5} {
		for count := range 8 {
			terms := make([]term, count)
			for k := range terms {
				terms[k] = term{float32(r.NormFloat64()), awkward(r, n)}
			}
			want := make([]float32, n)
			for i := range want {
				if count == 1 { // exact, but where half of it is not
					half := float32(terms[0].weight / 2 * terms[0].values[i])
					want[i] = half + half
					continue
				}
				for k, t := range terms {
					if product := float32(t.weight * t.values[i]); k == 0 {
						want[i] = product
					} else {
						want[i] += product
					}
				}
			}
			for place := -1; place < min(count, 2); place++ { // dst is this term's values
				given, dst := slices.Clone(terms), awkward(r, n)
				if place >= 0 {
					dst = slices.Clone(terms[place].values)
					given[place].values = dst
				}
				if combine(dst, given...); !sameFloats(dst, want) {
					t.Errorf("%d terms of %d values, written to term %d: not the sum", count, n, place)
				}
			}
		}
	}
}

// TestCombineLeavesOut holds weights of 0 and 1 to what they are for.
func TestCombineLeavesOut(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	dst := []float32{nan, nan}
	v := []float32{-0.5, 3}
	for name, tt := range map[string]struct {
		terms []term
		want  []float32
	}{
		"none":    {[]term{{0, dst}}, []float32{0, 0}},
		"copy":    {[]term{{0, dst}, {1, v}, {0, nil}}, v}, // no values are needed where there is no weight
		"product": {[]term{{-2, v}}, []float32{1, -6}},
		"two":     {[]term{{2, v}, {0, dst}, {1, v}}, []float32{-1.5, 9}},
	} {
		dst[0], dst[1] = nan, nan
		if combine(dst, tt.terms...); !slices.Equal(dst, tt.want) {
			t.Errorf("%s: %v, want %v", name, dst, tt.want)
		}
	}
}
