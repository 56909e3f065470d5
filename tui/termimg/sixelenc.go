package termimg

import (
	"encoding/binary"
	"image"
	"math"
)

// Levels of each primary in the colour cube, and how many colours they make:
// few enough for 256 registers. Green gets the most, as the eye sees it best.
const (
	redLevels, greenLevels, blueLevels = 6, 7, 6
	cubeColours                        = redLevels * greenLevels * blueLevels
)

// blockSize is the side of the blocks that are dithered by themselves.
const blockSize = 4

// bayerSize is the side of the matrix of thresholds for ordered dither.
const bayerSize = 8

// The levels of a pixel's primaries share a word: fixed-point numbers of 16 bits
// of fraction and 3 above them. To multiply the whole levels by gather leaves
// the colour's index in the word's top byte.
const (
	redShift, greenShift, blueShift = 0, 19, 38

	ones      = 1<<(redShift+16) | 1<<(greenShift+16) | 1<<(blueShift+16)
	wholes    = 7 * ones
	fractions = ones - ones>>16
	quarters  = ones>>2 - ones>>16 // the bits of fractions that are a quarter's

	indexShift = 56
	gather     = greenLevels*blueLevels<<(indexShift-16-redShift) |
		blueLevels<<(indexShift-16-greenShift) | 1<<(indexShift-16-blueShift)
)

// opaque are the top bits of the alphas of two pixels.
const opaque = 1<<63 | 1<<31

// sixelEncoder encodes pictures as sixels in the colours of a fixed cube, fast
// enough for pictures that change. What a pixel becomes depends on its block of
// 4x4 pixels and on its place in it, so that what stays the same between two
// pictures does not shimmer. Where neighbours are alike, a matrix of thresholds
// picks the level above or below. Elsewhere thresholds would miss the mean: there,
// along a path that winds down through the block, a pixel takes the level below
// what it is and is owed by others, and owes what is left over to the next one
// and, a quarter of it, to the one below. An encoder keeps its buffers and is not
// safe for concurrent use.
type sixelEncoder struct {
	// red, green and blue are the levels of each value of a primary, in their
	// places of a word.
	red, green, blue [256]uint64
	thresholds       [blockSize][blockSize]uint64
	// palette is what the colours look like.
	palette [cubeColours][3]uint8
	// owed is what pixels of a row of blocks have left over.
	owed   []debt
	writer sixelWriter
}

// debt is what a block owes to the next pixel on the path, and to those of the
// next row.
type debt struct {
	next  uint64
	below [blockSize]uint64
}

// newDebt returns what a block begins with: half of what can be owed, so that
// levels are rounded to the nearest.
func newDebt() debt {
	const below = ones / 8
	return debt{next: 3 * below, below: [...]uint64{below, below, below, below}}
}

// pay returns the levels of the pixel in column x with what it is owed, and
// keeps what is left over.
func (d *debt) pay(levels uint64, x int) uint64 {
	levels += d.next + d.below[x]
	left := levels & fractions
	d.below[x] = left >> 2 & quarters
	d.next = left - d.below[x]
	return levels
}

// newSixelEncoder returns an encoder.
func newSixelEncoder() *sixelEncoder {
	e := &sixelEncoder{thresholds: thresholds()}
	for v := range 256 {
		e.red[v] = fixedLevel(v, redLevels) << redShift
		e.green[v] = fixedLevel(v, greenLevels) << greenShift
		e.blue[v] = fixedLevel(v, blueLevels) << blueShift
	}
	for c := range cubeColours {
		red, green, blue := percent(c/(greenLevels*blueLevels), redLevels),
			percent(c/blueLevels%greenLevels, greenLevels), percent(c%blueLevels, blueLevels)
		e.writer.setColour(c, red, green, blue)
		e.palette[c] = [3]uint8{fromPercent(red), fromPercent(green), fromPercent(blue)}
	}
	return e
}

// thresholds returns a matrix of thresholds, row by row, in the middle of equal
// parts of a level.
func thresholds() (m [blockSize][blockSize]uint64) {
	const half = ones / (2 * blockSize * blockSize)
	ranks := bayer()
	for y := range blockSize {
		for x := range blockSize {
			rank := ranks[y*bayerSize+x] / (bayerSize * bayerSize / (blockSize * blockSize))
			m[y][x] = uint64(2*rank+1) * half
		}
	}
	return m
}

// bayer returns the ordered-dither matrix, row by row: a permutation of the
// numbers below its size, built by Bayer's recursion. Its top left quarter has
// the ranks of the next smaller one, four times as far apart.
func bayer() [bayerSize * bayerSize]int {
	var m [bayerSize * bayerSize]int
	for y := range bayerSize {
		for x := range bayerSize {
			v := 0
			for bit := range 3 {
				v = v<<2 | (x>>bit&1^y>>bit&1)<<1 | y>>bit&1
			}
			m[y*bayerSize+x] = v
		}
	}
	return m
}

// percent returns a level as sixels count it, from 0 to 100.
func percent(level, levels int) int {
	return (200*level + levels - 1) / (2 * (levels - 1))
}

// fixedLevel returns where a value is among the levels, in units of 1/65536.
// Levels are not quite evenly spaced, as percents are whole numbers.
func fixedLevel(v, levels int) uint64 {
	low := 0
	for low < levels-2 && 255*percent(low+1, levels) <= 100*v {
		low++
	}
	from, to := float64(percent(low, levels)), float64(percent(low+1, levels))
	return uint64(math.Round(65536 * (float64(low) + (float64(v)*100/255-from)/(to-from))))
}

// append appends the pixel rows from top up to bottom of img, in its own
// coordinates, to dst as one sixel sequence. The parts of a picture look as they
// do in the whole of it. Pixels that are more than half transparent are left as
// the terminal has them. Nothing is allocated if dst has room and the width has
// not changed.
func (e *sixelEncoder) append(dst []byte, img *image.RGBA, top, bottom int) []byte {
	e.resize(img.Rect.Dx())
	dst = e.writer.begin(dst, image.Pt(img.Rect.Dx(), bottom-top))
	for y := top - (top-img.Rect.Min.Y)%blockSize; y < top; y++ {
		e.quantise(img, y, 0) // for what it leaves owed
	}
	for y := top; y < bottom; y += bandHeight {
		rows := min(bandHeight, bottom-y)
		for row := range rows {
			e.quantise(img, y+row, row)
		}
		dst = e.writer.appendBand(dst, rows)
	}
	return e.writer.end(dst)
}

// resize makes room for pictures of a width.
func (e *sixelEncoder) resize(width int) {
	if blocks := (width + blockSize - 1) / blockSize; len(e.owed) != blocks {
		e.owed = make([]debt, blocks)
	}
	e.writer.resize(width)
}

// colours writes the colours of img's pixels, row by row.
func (e *sixelEncoder) colours(img *image.RGBA, out []uint8) {
	width := img.Rect.Dx()
	e.resize(width)
	for y := range img.Rect.Dy() {
		e.quantise(img, img.Rect.Min.Y+y, 0)
		for x := range width {
			out[y*width+x] = e.writer.pixels[x*bandStride]
		}
	}
}

// quantise turns the pixels of row y of img into colours, in a row of the
// writer's band.
func (e *sixelEncoder) quantise(img *image.RGBA, y, row int) {
	down := (y - img.Rect.Min.Y) % blockSize
	if down == 0 {
		for i := range e.owed {
			e.owed[i] = newDebt()
		}
	}
	start := img.PixOffset(img.Rect.Min.X, y)
	pix := img.Pix[start : start+4*img.Rect.Dx()]
	band := e.writer.pixels[row:]
	for i := range e.owed {
		out := band[i*blockSize*bandStride:]
		if len(pix) < 4*blockSize {
			e.wind(pix, out, &e.owed[i], down)
			return
		}
		left, right := binary.LittleEndian.Uint64(pix), binary.LittleEndian.Uint64(pix[8:])
		if left&right&opaque != opaque {
			e.wind(pix[:4*blockSize], out, &e.owed[i], down)
		} else {
			e.quantiseFour(left, right, out, &e.owed[i], down)
		}
		pix = pix[4*blockSize:]
	}
}

// quantiseFour turns four opaque pixels, a row of a block, into colours. It is
// wind without its loop, and with thresholds for pixels that are alike.
func (e *sixelEncoder) quantiseFour(left, right uint64, out []uint8, owed *debt, down int) {
	a, b := e.levels(uint32(left)), e.levels(uint32(left>>32))
	c, d := e.levels(uint32(right)), e.levels(uint32(right>>32))
	switch {
	case alike(left, right):
		t := &e.thresholds[down]
		a, b, c, d = a+t[0], b+t[1], c+t[2], d+t[3]
	case down%2 == 0:
		a, b, c, d = owed.pay(a, 0), owed.pay(b, 1), owed.pay(c, 2), owed.pay(d, 3)
	default:
		d, c, b, a = owed.pay(d, 3), owed.pay(c, 2), owed.pay(b, 1), owed.pay(a, 0)
	}
	out = out[:1+3*bandStride]
	out[0], out[bandStride], out[2*bandStride], out[3*bandStride] = index(a), index(b), index(c), index(d)
}

// wind turns a row of a block into colours, from left to right and in every
// other row back.
func (e *sixelEncoder) wind(pix, out []uint8, owed *debt, down int) {
	n := len(pix) / 4
	for i := range n {
		x := i
		if down%2 == 1 {
			x = n - 1 - i
		}
		p := binary.LittleEndian.Uint32(pix[4*x:])
		if p>>31 == 0 {
			out[x*bandStride] = undrawn
			continue
		}
		out[x*bandStride] = index(owed.pay(e.levels(p), x))
	}
}

// levels returns the levels of a pixel's primaries.
func (e *sixelEncoder) levels(p uint32) uint64 {
	return e.red[uint8(p)] + e.green[uint8(p>>8)] + e.blue[uint8(p>>16)]
}

// index returns the colour of the whole levels.
func index(levels uint64) uint8 {
	return uint8((levels & wholes) * gather >> indexShift)
}

// alike says whether each byte of a is within 8 of that of b.
func alike(a, b uint64) bool {
	const (
		lanes = 0x00ff_00ff_00ff_00ff
		each  = 0x0001_0001_0001_0001
		bias  = 0x108 * each // a lane cannot borrow from the next
	)
	even := a&lanes + bias - b&lanes
	odd := a>>8&lanes + bias - b>>8&lanes
	return (even|odd)&(0xf0*each) == 0 && even&odd&(0x100*each) == 0x100*each
}
