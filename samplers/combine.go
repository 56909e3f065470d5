package samplers

// term is a latent and what it is multiplied with in a sum.
type term struct {
	weight float32
	values []float32
}

// blockLength is how many values of a long sum are finished before the next are begun:
// few enough for the sum so far to stay in the first cache.
const blockLength = 2048

// combine writes the sum of terms to dst: each product rounded to float32, and sums
// taken from left to right, the same on every processor. A term of weight 0 is left
// out, so that its values may be anything. dst may be the values of the first or second
// term, of no other. The slice of terms is used up.
//
// All arithmetic of a step is such sums, as everything in it is linear in latents but
// the bounds on x0.
func combine(dst []float32, terms ...term) { combineTimes(1, dst, terms) }

// combineTimes is factor times combine. Large terms that nearly cancel out want their
// common factor taken so: it would be rounded in each weight, and what is left of their
// sum would show it.
func combineTimes(factor float32, dst []float32, terms []term) {
	kept := terms[:0]
	for _, t := range terms {
		if t.weight != 0 {
			kept = append(kept, term{t.weight, t.values[:len(dst)]})
		}
	}
	for from := 0; from < len(dst); from += blockLength {
		to := min(from+blockLength, len(dst))
		combineBlock(dst[from:to], kept, from, to)
		if factor != 1 {
			scale(dst[from:to], dst[from:to], factor)
		}
	}
}

// combineBlock is combine for the values between two.
func combineBlock(dst []float32, terms []term, from, to int) {
	switch len(terms) {
	case 0:
		clear(dst)
	case 1:
		scale(dst, terms[0].values[from:to], terms[0].weight)
	default:
		a, b := terms[0], terms[1]
		mix(dst, a.values[from:to], b.values[from:to], a.weight, b.weight)
		for _, t := range terms[2:] {
			mix(dst, dst, t.values[from:to], 1, t.weight)
		}
	}
}

// combined is combine to a latent of its own.
func combined(terms ...term) []float32 {
	dst := make([]float32, len(terms[0].values))
	combineTimes(1, dst, terms)
	return dst
}

// scale is dst = weight*v, as half of that twice: which is the same but for numbers too
// small to be halved.
func scale(dst, v []float32, weight float32) {
	if weight != 1 {
		mix(dst, v, v, weight/2, weight/2)
	} else {
		copy(dst, v)
	}
}

// mixEach is mix a value at a time, for processors without a routine for it. a and b
// are as long as dst, which may be either.
func mixEach(dst, a, b []float32, ca, cb float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = float32(ca*a[i]) + float32(cb*b[i])
	}
}

// clampEach is clamp, which limits values to -bound and bound in place and leaves NaN,
// likewise.
func clampEach(x []float32, bound float32) {
	for i, v := range x {
		if v > bound {
			x[i] = bound
		} else if v < -bound {
			x[i] = -bound
		}
	}
}
