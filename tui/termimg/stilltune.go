package termimg

import (
	"encoding/binary"
	"image"
)

// tuningRounds is how often each pixel is looked at.
const tuningRounds = 2

// The eye, from where it does not see pixels, sees means: here, of squares of 4x4
// pixels, wherever they begin. A pixel counts in the more of the squares of
// another the nearer it is, by row and by column.
const tuningReach = 3

func nearness() [2*tuningReach + 1]int32 { return [...]int32{1, 2, 3, 4, 3, 2, 1} }

// onItself is how many squares a pixel is in.
const onItself = (tuningReach + 1) * (tuningReach + 1)

// tuning changes single pixels so that the squares' errors get smaller, in the
// way of direct binary search: for a pixel with all others given, the sum of the
// squared errors of the means is least for one colour, and the palette's nearest
// to it is taken.
type tuning struct {
	width, height, stride int
	// field is, for each pixel, the sum of the errors of all squares that it is
	// in. There is a margin around the picture.
	field   []rgb
	weights [2*tuningReach + 1]int32
	across  []rgb
}

// load takes a picture and its colours.
func (t *tuning) load(img *image.RGBA, palette [][3]uint8, colours []uint8) {
	t.weights = nearness()
	t.width, t.height = img.Rect.Dx(), img.Rect.Dy()
	t.stride = t.width + 2*tuningReach
	if n := t.stride * (t.height + 2*tuningReach); len(t.field) != n {
		t.field = make([]rgb, n)
	}
	clear(t.field)
	if len(t.across) != t.stride {
		t.across = make([]rgb, t.stride)
	}
	for y := range t.height {
		clear(t.across)
		forErrors(pixelRow(img, y), palette, colours[y*t.width:], func(x int, e rgb) {
			scatter(t.across[x:], &t.weights, e, 1)
		})
		for dy, weight := range t.weights {
			row := t.field[(y+dy)*t.stride:][:t.stride]
			for x := range row {
				row[x].add(t.across[x], weight)
			}
		}
	}
}

// forErrors calls f for each drawn pixel of a row with how much it differs from
// its colour.
func forErrors(pix []uint8, palette [][3]uint8, colours []uint8, f func(x int, e rgb)) {
	for x := range len(pix) / 4 {
		if p := binary.LittleEndian.Uint32(pix[4*x:]); isDrawn(p) {
			f(x, primaries(p).minus(palette[colours[x]]))
		}
	}
}

// scatter adds an error to the pixels of a row in its reach.
func scatter(row []rgb, weights *[2*tuningReach + 1]int32, e rgb, times int32) {
	row = row[:len(weights)]
	for i, weight := range weights {
		row[i].add(e, weight*times)
	}
}

// add adds a multiple of b.
func (a *rgb) add(b rgb, times int32) {
	a[0] += b[0] * times
	a[1] += b[1] * times
	a[2] += b[2] * times
}

// cost returns the sum of the squared errors of all squares.
func (t *tuning) cost(img *image.RGBA, palette [][3]uint8, colours []uint8) (sum int64) {
	for y := range t.height {
		field := t.field[(y+tuningReach)*t.stride+tuningReach:]
		forErrors(pixelRow(img, y), palette, colours[y*t.width:], func(x int, e rgb) {
			for i, v := range field[x] {
				sum += int64(e[i]) * int64(v)
			}
		})
	}
	return sum
}

// run looks at each pixel once.
func (t *tuning) run(nearest *nearestColour, colours []uint8) {
	for y := range t.height {
		field := t.field[(y+tuningReach)*t.stride+tuningReach:]
		row := colours[y*t.width:][:t.width]
		for x, i := range row {
			if i == undrawn {
				continue
			}
			c := nearest.palette[i]
			best := rgb{int32(c[0]), int32(c[1]), int32(c[2])}
			for k, v := range field[x] {
				best[k] += (v + onItself/2) >> 4
			}
			if near := nearest.find(best.clamped()); near != i {
				row[x] = near
				t.change(x, y, rgb{int32(c[0]), int32(c[1]), int32(c[2])}.minus(nearest.palette[near]))
			}
		}
	}
}

// change adds to a pixel's error.
func (t *tuning) change(x, y int, e rgb) {
	for dy, weight := range t.weights {
		scatter(t.field[(y+dy)*t.stride+x:], &t.weights, e, weight)
	}
}
