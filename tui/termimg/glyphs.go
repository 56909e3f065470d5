package termimg

import (
	"image"
	"image/color"
	"math/bits"
)

// glyphSet is which block characters the terminal draws.
type glyphSet int

const (
	// quadrants are the block elements of Unicode 1.1 and 3.2: a cell in 2x2
	// parts. Nearly every font has them.
	quadrants glyphSet = iota
	// halves are the upper and the lower half block alone, which the oldest
	// fonts have.
	halves
	// sextants are quadrants and the 2x3 mosaics of Unicode 13, U+1FB00 on: for
	// terminals that draw those themselves.
	sextants
)

// String returns the set's name.
func (g glyphSet) String() string {
	return [...]string{"quadrants", "half blocks", "sextants"}[g]
}

// raster is a way to divide a cell into equal parts, each in one of two colours.
// glyph returns the character whose ink covers the parts of a mask: bit 0 is the
// upper left part, the next one is right of it, then the next row.
type raster struct {
	cols, rows int
	glyph      func(mask uint) rune
}

// rasters returns the ways to divide a cell, the preferred one first, and the
// number of samples of the picture that a cell needs for all of them.
func (g glyphSet) rasters() ([]raster, image.Point) {
	half, quarter, sixth := raster{1, 2, halfGlyph}, raster{2, 2, quadrant}, raster{2, 3, sextant}
	switch g {
	case halves:
		return []raster{half}, image.Pt(1, 2)
	case sextants:
		return []raster{quarter, sixth}, image.Pt(2, 6)
	default:
		return []raster{quarter}, image.Pt(2, 2)
	}
}

// halfGlyph returns a half block.
func halfGlyph(mask uint) rune { return [...]rune{' ', '▀', '▄', '█'}[mask] }

// quadrant returns a quadrant character.
func quadrant(mask uint) rune {
	return [...]rune{
		' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█',
	}[mask]
}

// sextant returns a sextant character. Unicode orders them by their masks, and
// leaves out the four that there were before.
func sextant(mask uint) rune {
	const leftHalf, rightHalf, full = 0b010101, 0b101010, 0b111111
	switch {
	case mask == 0:
		return ' '
	case mask == leftHalf:
		return '▌'
	case mask == rightHalf:
		return '▐'
	case mask == full:
		return '█'
	case mask > rightHalf:
		mask -= 2
	case mask > leftHalf:
		mask--
	}
	return 0x1FB00 + rune(mask) - 1
}

// maxParts is how many parts a raster has at most.
const maxParts = 6

// total is the sum of samples.
type total struct {
	r, g, b int64
	n       int // samples that the picture covers
}

// add and sub are vector addition and subtraction.
func (t total) add(u total) total { return total{t.r + u.r, t.g + u.g, t.b + u.b, t.n + u.n} }
func (t total) sub(u total) total { return total{t.r - u.r, t.g - u.g, t.b - u.b, t.n - u.n} }

// square is the squared length of the sum.
func (t total) square() int64 { return t.r*t.r + t.g*t.g + t.b*t.b }

// mean returns the mean colour, or the zero colour of no samples.
func (t total) mean() color.RGBA {
	if t.n == 0 {
		return color.RGBA{}
	}
	n := int64(t.n)
	v := func(sum int64) uint8 { return uint8((sum + n/2) / n) }
	return color.RGBA{v(t.r), v(t.g), v(t.b), 255}
}

// mosaic finds the characters that show samples of a picture best.
type mosaic struct {
	img     *image.RGBA
	rasters []raster
	samples image.Point // of a cell
	// limit is the least gain for which a half block is given up, as a squared
	// difference of a sample.
	limit  int64
	weight [maxSamples + 1]int64
	parts  [maxParts]total
	sum    total // over the parts
}

// The limits of gain: what is less cannot be seen, and would only let the
// picture flicker; among 256 colours, the dither of a half block is more even.
const (
	gainLimit        = 6
	indexedGainLimit = 400
)

// maxSamples is how many samples a cell has at most, and gainScale is divisible by
// all numbers up to it, so that gains are whole numbers.
const maxSamples, gainScale = 12, 27720

// newMosaic returns the mosaic for a set of characters.
func newMosaic(g glyphSet, limit int64) *mosaic {
	m := &mosaic{limit: limit}
	m.rasters, m.samples = g.rasters()
	for i := range m.weight[1:] {
		m.weight[i+1] = gainScale / int64(i+1)
	}
	return m
}

// mark is a character and its colours; the zero colour is none.
type mark struct {
	glyph  rune
	fg, bg color.RGBA
}

// at returns the mark for the cell whose samples begin at a point of the picture.
// Samples outside it are left to the terminal's background.
func (m *mosaic) at(from image.Point) mark {
	best, gain := mark{glyph: ' '}, int64(-1)
	wrong := maxSamples
	for _, r := range m.rasters {
		m.measure(r, from)
		if m.sum.n == 0 {
			break
		}
		mask, n := m.covered(r)
		if n > wrong {
			continue
		}
		k, g := mark{glyph: ' '}, int64(0)
		switch mask {
		case 0:
		case uint(1)<<(r.cols*r.rows) - 1:
			k, g = m.split(r)
		default:
			k = mark{glyph: r.glyph(mask), fg: m.sum.mean()}
		}
		if n < wrong || g > gain {
			best, gain, wrong = k, g, n
		}
	}
	return best
}

// measure adds up the samples of each part.
func (m *mosaic) measure(r raster, from image.Point) {
	m.sum = total{}
	w, h := m.samples.X/r.cols, m.samples.Y/r.rows
	for i := range r.cols * r.rows {
		at := from.Add(image.Pt(i%r.cols*w, i/r.cols*h))
		var t total
		area := image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}.Intersect(m.img.Rect)
		for y := area.Min.Y; y < area.Max.Y; y++ {
			row := m.img.Pix[m.img.PixOffset(area.Min.X, y):]
			for row = row[:4*area.Dx()]; len(row) >= 4; row = row[4:] {
				if row[3] != 0 {
					// What is partly transparent is shown over black.
					t = t.add(total{int64(row[0]), int64(row[1]), int64(row[2]), 1})
				}
			}
		}
		m.parts[i] = t
		m.sum = m.sum.add(t)
	}
}

// covered returns the parts that the picture covers at least half of, and how many
// samples that gets wrong.
func (m *mosaic) covered(r raster) (mask uint, wrong int) {
	n := r.cols * r.rows
	each := m.samples.X * m.samples.Y / n
	for i, p := range m.parts[:n] {
		if 2*p.n >= each {
			mask |= 1 << i
			wrong += each - p.n
		} else {
			wrong += p.n
		}
	}
	return mask, wrong
}

// split divides the parts into two groups such that the samples of each differ
// least from their mean. The gain is by how much the squared difference is less
// than it would be in black, times gainScale. Where it gains little, it is a half
// block.
func (m *mosaic) split(r raster) (mark, int64) {
	n := r.cols * r.rows
	half := uint(1)<<(n/2) - 1
	// Groups are gone through such that each differs from the one before by one
	// part. The first part is always in the first group.
	group, mask := m.parts[0], uint(1)
	best, bestMask, gain := group, mask, int64(-1)
	for i := uint(1); ; i++ {
		rest := m.sum.sub(group)
		g := group.square()*m.weight[group.n] + rest.square()*m.weight[rest.n]
		if mask == half && r.rows == 2 {
			g += gainScale * m.limit * int64(m.sum.n)
		}
		if g > gain {
			best, bestMask, gain = group, mask, g
		}
		if i == 1<<(n-1) {
			break
		}
		p := bits.TrailingZeros(i) + 1
		if mask ^= 1 << p; mask>>p&1 == 1 {
			group = group.add(m.parts[p])
		} else {
			group = group.sub(m.parts[p])
		}
	}
	return mark{r.glyph(bestMask), best.mean(), m.sum.sub(best).mean()}, gain
}
