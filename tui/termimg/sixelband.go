package termimg

import (
	"encoding/binary"
	"image"
	"strconv"
)

// A row of sixels draws bandHeight rows of pixels, a band. The pixels of a
// column are kept in bandStride bytes, so that one load gets all of them.
const (
	bandHeight = 6
	bandStride = 8
)

// Colour registers, and the one that stands for pixels that are not drawn.
const (
	registers = 256
	undrawn   = registers - 1
)

// sixelWriter writes bands of pixels in up to 255 colours as sixels. It keeps
// its buffers and is not safe for concurrent use.
type sixelWriter struct {
	palette [registers]sixelColour
	defined [registers]bool
	// pixels are the colours of a band, column by column from the top.
	pixels []uint8
	// columns are those of the band. The first are one for each colour, before
	// the list of the colour's columns from left to right; last is its end.
	columns []column
	last    [registers]uint32
	// order are the colours of the band in the order of where they begin.
	order [registers]uint8
	used  int
	// down is how far below the last pixels the next band is.
	down int
	// blanks are runs of blank sixels, formatted, by their length.
	blanks []sixelRun
	out    []byte
}

// sixelColour is how a colour is selected, and what follows where it is defined.
type sixelColour struct {
	name       [4]byte
	size       int
	definition string
}

// column is the pixels of one colour in a column of a band.
type column struct {
	// at is the column's place, and below it, in columnBits bits, its pixels, the
	// lowest on top.
	at uint32
	// next is the colour's next column, 0 after the last.
	next uint32
}

const (
	columnBits = 8
	nextColumn = 1 << columnBits
	noColumn   = 1<<32 - nextColumn // further to the right than any
)

// sixelRun is a number of blank sixels. Bits multiplied by unit make them sixels
// with pixels when added to text.
type sixelRun struct {
	text, unit uint64
	size       int
}

// newRun returns n blank sixels.
func newRun(n int) sixelRun {
	if n <= 3 {
		const each = 0x010101
		return sixelRun{text: '?' * each, unit: each, size: n}
	}
	var text [8]byte
	size := len(append(appendInt(append(text[:0], '!'), n), '?'))
	return sixelRun{text: binary.LittleEndian.Uint64(text[:]), unit: 1 << (8 * (size - 1)), size: size}
}

// setColour sets a colour, in percent of each primary.
func (w *sixelWriter) setColour(i, red, green, blue int) {
	name := appendInt([]byte{'#'}, i)
	b := appendInt([]byte(";2;"), red)
	b = appendInt(append(b, ';'), green)
	b = appendInt(append(b, ';'), blue)
	w.palette[i] = sixelColour{size: len(name), definition: string(append(b, name...))}
	copy(w.palette[i].name[:], name)
}

// begin appends the beginning of a sequence, for a picture of this size.
func (w *sixelWriter) begin(dst []byte, size image.Point) []byte {
	w.defined, w.down = [registers]bool{}, 0
	w.resize(size.X)
	return sixelHead(dst, size)
}

// sixelHead appends how a sequence begins.
func sixelHead(dst []byte, size image.Point) []byte {
	dst = append(dst, "\x1bP0;1;0q\"1;1;"...)
	return appendInt(append(appendInt(dst, size.X), ';'), size.Y)
}

// sixelTail is how a sequence ends.
const sixelTail = "\x1b\\"

// resize makes room for bands of a width.
func (w *sixelWriter) resize(width int) {
	if len(w.pixels) == width*bandStride {
		return
	}
	const (
		selection = len("$#255;2;100;100;100#255")
		runs      = 2 * 8 // of blanks and of pixels
	)
	w.pixels = make([]uint8, width*bandStride)
	w.columns = make([]column, registers+width*bandHeight)
	w.out = make([]byte, registers*selection+width*bandHeight*runs+8)
	w.blanks = make([]sixelRun, width+1)
	for n := range w.blanks {
		w.blanks[n] = newRun(n)
	}
}

// end appends the end of a sequence.
func (w *sixelWriter) end(dst []byte) []byte { return append(dst, sixelTail...) }

// appendBand appends the first rows of pixels. A colour that begins where another
// has ended follows it without going back to the left.
func (w *sixelWriter) appendBand(dst []byte, rows int) []byte {
	w.clear(rows)
	w.collect()
	n := 0
	for ; w.used > 0 && w.down > 0; w.down-- {
		dst = append(dst, '-')
	}
	w.down++
	for rest := w.order[:w.used]; len(rest) > 0; {
		if n > 0 {
			w.out[n] = '$'
			n++
		}
		n, rest = w.pass(n, rest)
	}
	return append(dst, w.out[:n]...)
}

// clear leaves the rows of a band undrawn that the picture does not have.
func (w *sixelWriter) clear(from int) {
	for row := from; row < bandHeight; row++ {
		for i := row; i < len(w.pixels); i += bandStride {
			w.pixels[i] = undrawn
		}
	}
}

// collect sorts the columns by colour.
func (w *sixelWriter) collect() {
	columns, used := w.columns, 0
	for c := range uint32(registers) {
		columns[c] = column{at: noColumn}
		w.last[c] = c
	}
	n := uint32(registers)
	pixels := w.pixels
	for x := uint32(0); len(pixels) >= bandStride; x += nextColumn {
		six := binary.LittleEndian.Uint64(pixels)
		pixels = pixels[bandStride:]
		for bit := uint32(1); bit < 1<<bandHeight; bit <<= 1 {
			c := uint8(six)
			six >>= 8
			i := w.last[c]
			last := &columns[i]
			if last.at&^(nextColumn-1) == x {
				last.at |= bit
				continue
			}
			if i < registers && c != undrawn {
				w.order[used] = c
				used++
			}
			last.next = n
			w.last[c] = n
			columns[n] = column{at: x | bit}
			n++
		}
	}
	w.used = used
}

// pass writes colours at w.out[n:], as many of them as follow each other from
// left to right. It returns where they end, and the others in their order.
func (w *sixelWriter) pass(n int, colours []uint8) (int, []uint8) {
	rightmost := w.start(colours[len(colours)-1])
	others := colours[:0]
	x := uint32(0)
	for i, c := range colours {
		switch {
		case x > rightmost && len(others) == 0:
			return n, colours[i:]
		case x > rightmost:
			return n, append(others, colours[i:]...)
		case w.start(c) < x:
			others = append(others, c)
		default:
			n = w.selectColour(n, c)
			n, x = w.writeColour(n, c, x)
		}
	}
	return n, others
}

// start returns where a colour of the band begins.
func (w *sixelWriter) start(c uint8) uint32 {
	return w.columns[w.columns[c].next].at >> columnBits
}

// selectColour writes the selection of a colour at w.out[n:], with its definition
// at its first use, and returns where it ends.
func (w *sixelWriter) selectColour(n int, c uint8) int {
	colour := &w.palette[c]
	copy(w.out[n:], colour.name[:])
	n += colour.size
	if !w.defined[c] {
		w.defined[c] = true
		n += copy(w.out[n:], colour.definition)
	}
	return n
}

// writeColour writes the columns of a colour at w.out[n:], where the column to
// write is x. It returns where they end, both.
func (w *sixelWriter) writeColour(n int, c uint8, x uint32) (int, uint32) {
	columns, out := w.columns, w.out
	for i := columns[c].next; i != 0; {
		at := columns[i].at
		n = w.writeRun(out, n, at>>columnBits-x, 0)
		i = columns[i].next
		end := at + nextColumn
		if columns[i].at != end { // most often, where colours are dithered
			out[n] = '?' + uint8(at)
			n++
		} else {
			for columns[i].at == end {
				i = columns[i].next
				end += nextColumn
			}
			n = w.writeRun(out, n, (end-at)>>columnBits, uint64(at&(nextColumn-1)))
		}
		x = end >> columnBits
	}
	return n, x
}

// writeRun writes a sixel a number of times at out[n:] and returns where it ends.
func (w *sixelWriter) writeRun(out []byte, n int, times uint32, bits uint64) int {
	run := &w.blanks[times]
	binary.LittleEndian.PutUint64(out[n:], run.text+bits*run.unit)
	return n + run.size
}

// appendInt appends a decimal number.
func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
