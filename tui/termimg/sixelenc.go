package termimg

import (
	"image"
	"strconv"
)

// Levels of each primary in the colour cube, and how many colours they make:
// few enough for 256 registers. Green gets the most, as the eye sees it best.
const (
	redLevels, greenLevels, blueLevels = 6, 7, 6
	cubeColours                        = redLevels * greenLevels * blueLevels
)

// bandHeight is the number of pixel rows that a row of sixels draws.
const bandHeight = 6

// bayerSize is the side of the threshold matrix.
const bayerSize = 8

// sixelEncoder encodes pictures as sixels, in the colours of a fixed cube with
// ordered dither. The same picture always gives the same bytes, and a pixel's
// dither depends on its position only, so that what stays the same between two
// pictures does not shimmer. It keeps its buffers and is not safe for
// concurrent use.
type sixelEncoder struct {
	// red, green and blue give each value of a primary, at each place of the
	// matrix, its share of the colour's index.
	red, green, blue [bayerSize * bayerSize][256]uint8
	// columns are those of the current band, from left to right, each in the list
	// of its colour; first and last are the ends of the lists, 0 for an empty one.
	columns     []column
	first, last [cubeColours]int32
	defined     [cubeColours]bool
	out         []byte
}

// column is the pixels of one colour in a column of a band, the lowest bit on
// top, and where the colour's next column is.
type column struct {
	x, next int32
	bits    uint8
}

// newSixelEncoder returns an encoder.
func newSixelEncoder() *sixelEncoder {
	e := &sixelEncoder{}
	for i, threshold := range bayer() {
		for v := range 256 {
			e.red[i][v] = uint8(dither(v, redLevels, threshold) * greenLevels * blueLevels)
			e.green[i][v] = uint8(dither(v, greenLevels, threshold) * blueLevels)
			e.blue[i][v] = uint8(dither(v, blueLevels, threshold))
		}
	}
	return e
}

// bayer returns the ordered-dither matrix, row by row: a permutation of the
// numbers below its size, built by Bayer's recursion.
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

// dither returns the level below or above v, whichever the threshold picks.
func dither(v, levels, threshold int) int {
	const steps = bayerSize * bayerSize
	// In units of 1/(255·2·steps) of a level; thresholds lie midway between
	// the steps.
	return (v*(levels-1)*2*steps + (2*threshold+1)*255) / (255 * 2 * steps)
}

// encode returns img as a sixel sequence. Pixels that are more than half
// transparent are left as the terminal has them. The result is the caller's.
func (e *sixelEncoder) encode(img *image.RGBA) []byte {
	size := img.Rect.Size()
	e.out = append(e.out[:0], "\x1bP0;1;0q\"1;1;"...)
	e.out = appendInt(append(appendInt(e.out, size.X), ';'), size.Y)
	e.defined = [cubeColours]bool{}
	for y := 0; y < size.Y; y += bandHeight {
		if y > 0 {
			e.out = append(e.out, '-')
		}
		e.collect(img, y, min(bandHeight, size.Y-y))
		e.emit()
	}
	e.out = append(e.out, "\x1b\\"...)
	return append([]byte(nil), e.out...)
}

// collect sorts the pixels of a band by colour.
func (e *sixelEncoder) collect(img *image.RGBA, top, rows int) {
	clear(e.first[:])
	clear(e.last[:])
	columns := append(e.columns[:0], column{x: -1}) // nobody's: 0 ends a list
	for x := range int32(img.Rect.Dx()) {
		offset := top*img.Stride + 4*int(x)
		for row := range rows {
			p := img.Pix[offset : offset+4 : offset+4]
			offset += img.Stride
			if p[3] < 128 {
				continue
			}
			i := (top+row)%bayerSize*bayerSize + int(x)%bayerSize
			c := e.red[i][p[0]] + e.green[i][p[1]] + e.blue[i][p[2]]
			last := &columns[e.last[c]]
			if last.x == x {
				last.bits |= 1 << row
				continue
			}
			n := int32(len(columns))
			if e.last[c] == 0 {
				e.first[c] = n
			} else {
				last.next = n
			}
			e.last[c] = n
			columns = append(columns, column{x: x, bits: 1 << row})
		}
	}
	e.columns = columns
}

// emit writes the band, colour by colour.
func (e *sixelEncoder) emit() {
	again := false
	for c, first := range e.first {
		if first == 0 {
			continue
		}
		if again {
			e.out = append(e.out, '$')
		}
		again = true
		e.selectColour(c)
		e.emitRun(first)
	}
}

// selectColour selects a colour, which it defines at its first use.
func (e *sixelEncoder) selectColour(c int) {
	e.out = appendInt(append(e.out, '#'), c)
	if e.defined[c] {
		return
	}
	e.defined[c] = true
	e.out = append(e.out, ";2;"...)
	e.out = appendInt(e.out, percent(c/(greenLevels*blueLevels), redLevels))
	e.out = appendInt(append(e.out, ';'), percent(c/blueLevels%greenLevels, greenLevels))
	e.out = appendInt(append(e.out, ';'), percent(c%blueLevels, blueLevels))
	e.out = appendInt(append(e.out, '#'), c)
}

// percent returns a level as sixels count it, from 0 to 100.
func percent(level, levels int) int {
	return (200*level + levels - 1) / (2 * (levels - 1))
}

// emitRun writes the columns of one colour, from its first.
func (e *sixelEncoder) emitRun(i int32) {
	x := int32(0)
	for i != 0 {
		at := e.columns[i]
		e.repeat(0, int(at.x-x))
		n := int32(1)
		for i = at.next; i != 0 && e.columns[i].bits == at.bits && e.columns[i].x == at.x+n; i = e.columns[i].next {
			n++
		}
		e.repeat(at.bits, int(n))
		x = at.x + n
	}
}

// repeat writes a sixel n times.
func (e *sixelEncoder) repeat(bits uint8, n int) {
	s := '?' + bits
	if n > 3 {
		e.out = append(appendInt(append(e.out, '!'), n), s)
		return
	}
	for range n {
		e.out = append(e.out, s)
	}
}

// appendInt appends a decimal number.
func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
