package termimg

import "math"

// directions are those to the neighbours in a cubic lattice, without their
// opposites.
const directions = 13

// latticeSide is the number of colours along a side of the box of a picture's
// colours.
const latticeSide = 4

// hull keeps the outermost of a picture's colours. Errors can only be made up for
// by colours on all sides.
type hull struct {
	ways        [directions]rgb
	least, most [directions]int32
	low, high   [directions]rgb
}

// reset forgets the colours.
func (h *hull) reset() {
	for d := range directions {
		h.ways[d] = rgb{int32(d)%3 - 1, int32(d)/3%3 - 1, int32(d)/9 - 1}
		h.least[d], h.most[d] = math.MaxInt32, math.MinInt32
	}
}

// add takes a colour.
func (h *hull) add(c rgb) {
	for d := range h.ways {
		way := &h.ways[d]
		v := c[0]*way[0] + c[1]*way[1] + c[2]*way[2]
		if v < h.least[d] {
			h.least[d], h.low[d] = v, c
		}
		if v > h.most[d] {
			h.most[d], h.high[d] = v, c
		}
	}
}

// around returns the outermost colours, and a lattice of colours that fills the
// box around them.
func (h *hull) around() [][3]float32 {
	least, most := h.low[0], h.low[0]
	var out [][3]float32
	for _, c := range append(h.low[:], h.high[:]...) {
		out = append(out, [3]float32{float32(c[0]), float32(c[1]), float32(c[2])})
		for i, v := range c {
			least[i], most[i] = min(least[i], v), max(most[i], v)
		}
	}
	const side = latticeSide
	for n := range side * side * side {
		var at [3]float32
		for i, k := range [...]int{n / (side * side), n / side % side, n % side} {
			at[i] = float32(least[i]) + float32(most[i]-least[i])*float32(k)/(side-1)
		}
		out = append(out, at)
	}
	return out
}
