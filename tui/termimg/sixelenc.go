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
	// runs is, for each colour, the columns of the current band that have it.
	runs    [cubeColours][]column
	defined [cubeColours]bool
	out     []byte
}

// column is the pixels of one colour in a column of a band, the lowest bit on
// top.
type column struct {
	x    int32
	bits uint8
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
	for c := range e.runs {
		e.runs[c] = e.runs[c][:0]
	}
	width := img.Rect.Dx()
	for x := range width {
		offset := top*img.Stride + 4*x
		for row := range rows {
			p := img.Pix[offset : offset+4 : offset+4]
			offset += img.Stride
			if p[3] < 128 {
				continue
			}
			i := (top+row)%bayerSize*bayerSize + x%bayerSize
			c := e.red[i][p[0]] + e.green[i][p[1]] + e.blue[i][p[2]]
			run := e.runs[c]
			if n := len(run) - 1; n >= 0 && run[n].x == int32(x) {
				run[n].bits |= 1 << row
			} else {
				e.runs[c] = append(run, column{x: int32(x), bits: 1 << row})
			}
		}
	}
}

// emit writes the band, colour by colour.
func (e *sixelEncoder) emit() {
	first := true
	for c, run := range e.runs {
		if len(run) == 0 {
			continue
		}
		if !first {
			e.out = append(e.out, '$')
		}
		first = false
		e.selectColour(c)
		e.emitRun(run)
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

// emitRun writes the columns of one colour.
func (e *sixelEncoder) emitRun(run []column) {
	x := int32(0)
	for i := 0; i < len(run); {
		e.repeat(0, int(run[i].x-x))
		n := 1
		for i+n < len(run) && run[i+n].bits == run[i].bits && run[i+n].x == run[i].x+int32(n) {
			n++
		}
		e.repeat(run[i].bits, n)
		x = run[i].x + int32(n)
		i += n
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
