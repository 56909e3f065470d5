package termimg

import "math"

// The RGB cube in cells of 8 values a side.
const (
	cellBits = 3
	cellSide = 1 << cellBits
	perSide  = 256 / cellSide
	cells    = perSide * perSide * perSide
)

// cell returns the number of a colour's cell.
func cell(c rgb) int32 {
	return (c[0]>>cellBits*perSide+c[1]>>cellBits)*perSide + c[2]>>cellBits
}

// nearestColour finds the colour of a palette that is nearest to another.
type nearestColour struct {
	palette [][3]uint8
	// near are, for each cell of the cube, the colours that may be the nearest to
	// one in it: a part of list. It is made when it is first needed.
	near [cells]struct{ start, end uint32 }
	list []candidate
}

// candidate is a colour of the palette and its number.
type candidate struct {
	colour [3]uint8
	number uint8
}

// reset takes another palette, of up to 255 colours.
func (f *nearestColour) reset(palette [][3]uint8) {
	f.palette = palette
	clear(f.near[:])
	f.list = f.list[:0]
}

// find returns the number of the colour nearest to c, whose values are from 0 to
// 255, and the first of several.
func (f *nearestColour) find(c rgb) uint8 {
	near := &f.near[cell(c)]
	if near.end == 0 {
		near.start = uint32(len(f.list))
		f.search(c)
		near.end = uint32(len(f.list))
	}
	nearest, best := uint8(0), int32(math.MaxInt32)
	for _, other := range f.list[near.start:near.end] {
		r, g, b := c[0]-int32(other.colour[0]), c[1]-int32(other.colour[1]), c[2]-int32(other.colour[2])
		if square := r*r + g*g + b*b; square < best {
			best, nearest = square, other.number
		}
	}
	return nearest
}

// search appends the colours that may be the nearest to one in c's cell: those
// whose least distance from the cell is at most another's greatest.
func (f *nearestColour) search(c rgb) {
	var least [registers]int32
	limit := int32(math.MaxInt32)
	for i, p := range f.palette {
		greatest := int32(0)
		for k := range p {
			near, far := reach(int32(p[k]), c[k]&^(cellSide-1))
			least[i] += near * near
			greatest += far * far
		}
		limit = min(limit, greatest)
	}
	for i, p := range f.palette {
		if least[i] <= limit {
			f.list = append(f.list, candidate{p, uint8(i)})
		}
	}
}

// reach returns the least and the greatest distance of v from the values of a
// cell's side that begins at from.
func reach(v, from int32) (near, far int32) {
	below, above := v-from, from+cellSide-1-v
	return max(0, -below, -above), max(below, above)
}
