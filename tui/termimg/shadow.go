package termimg

import (
	"bytes"
	"image"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"
)

// holder is what View puts into the cells under a picture that is drawn over
// the text. It looks like a space, but the renderer treats it as a letter: it
// never erases it with the blanks around it, and rewrites the cell when the
// picture has gone.
const holder = "\u00a0"

// rowHolder is a holder that tells rows of cells apart: the first cells of each row
// of a picture spell its number, so that the renderer never takes one for another
// and scrolls them. What scrolls has to be drawn again.
const rowHolder = "\u2007"

// isHolder says whether a character is a holder of either kind.
func isHolder(s string) bool { return s == holder || s == rowHolder }

// shadow follows what the terminal does with the text: where the cursor is,
// which cells show a holder, and which cells were touched. It knows what Bubble
// Tea's renderer writes, and moves as a terminal would.
type shadow struct {
	parser *ansi.Parser
	// touch is called with each rectangle of cells that something was written
	// to, or that was scrolled.
	touch func(r image.Rectangle, scrolled bool)
	// covered says whether a picture that is as it should be covers a cell.
	covered func(image.Point) bool

	size   image.Point
	held   [][]bool // held[y][x]: the cell shows a holder
	cursor cursor
	saved  cursor
	// top and bottom bound the scrolling region, as a half-open range of rows.
	top, bottom int
	modes
	text   []byte // printed, not yet on the shadow
	repeat string // the last character printed
	out    *bytes.Buffer
}

// modes are the terminal's modes that matter here.
type modes struct {
	noWrap    bool
	insert    bool
	alternate bool // the alternate screen is on
	width     ansi.Method
}

// cursor is a position; pending says that the next character wraps first.
type cursor struct {
	image.Point
	pending bool
}

// newShadow returns the shadow of an empty screen, which passes the output that
// it follows on to out.
func newShadow(out *bytes.Buffer, touch func(image.Rectangle, bool), covered func(image.Point) bool) *shadow {
	s := &shadow{parser: ansi.NewParser(), touch: touch, covered: covered, out: out}
	s.parser.SetHandler(ansi.Handler{Execute: s.execute, HandleCsi: s.csi, HandleEsc: s.esc})
	return s
}

// resize gives the screen another size and keeps what is in both.
func (s *shadow) resize(size image.Point) {
	if size == s.size {
		return
	}
	s.touch(image.Rectangle{Max: s.size}, false)
	held := make([][]bool, size.Y)
	for y := range held {
		held[y] = make([]bool, size.X)
		if y < s.size.Y {
			copy(held[y], s.held[y])
		}
	}
	s.size, s.held = size, held
	s.top, s.bottom = 0, size.Y
	s.moveTo(s.cursor.X, s.cursor.Y)
}

// feed follows a piece of the program's output, and passes it on but for the
// holders that would only erase a picture and have it drawn again: the renderer
// rewrites all between the first and the last change of a row.
func (s *shadow) feed(b []byte) {
	for _, c := range b {
		action := s.parser.Advance(c)
		if action == parser.PrintAction || s.parser.State() == parser.Utf8State {
			s.text = append(s.text, c) // a character may take several runes
			continue
		}
		s.flush()
		s.out.WriteByte(c)
	}
	if s.ground() {
		s.flush()
	}
}

// ground says whether the output so far ends between sequences.
func (s *shadow) ground() bool { return s.parser.State() == parser.GroundState }

// holds says whether all cells of r show a holder.
func (s *shadow) holds(r image.Rectangle) bool {
	if r.Empty() || !r.In(image.Rectangle{Max: s.size}) {
		return false
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, held := range s.held[y][r.Min.X:r.Max.X] {
			if !held {
				return false
			}
		}
	}
	return true
}

// flush puts the collected text on the shadow and passes it on.
func (s *shadow) flush() {
	skipped := 0
	for text := s.text; len(text) > 0; {
		cluster, width := ansi.FirstGraphemeCluster(text, s.width)
		if len(cluster) == 0 {
			break
		}
		text = text[len(cluster):]
		if s.skips(cluster) {
			s.cursor.X++
			skipped++
			continue
		}
		s.forward(skipped)
		skipped = 0
		s.out.Write(cluster)
		s.put(string(cluster), width)
	}
	s.forward(skipped)
	s.text = s.text[:0]
}

// skips says whether a character need not be written because a picture covers
// the holder that it is, and the cell has it already. A character in the last
// column does more than that: it makes the next one wrap.
func (s *shadow) skips(cluster []byte) bool {
	at := s.cursor
	return isHolder(string(cluster)) && !at.pending && !s.insert && at.X < s.size.X-1 &&
		at.Y < s.size.Y && s.held[at.Y][at.X] && s.covered(at.Point)
}

// forward moves the terminal's cursor right, over what was skipped.
func (s *shadow) forward(n int) {
	if n > 0 {
		s.out.WriteString(ansi.CursorForward(n))
	}
}

// put writes one character of a width in cells.
func (s *shadow) put(cluster string, width int) {
	if width == 0 {
		return
	}
	s.repeat = cluster
	if s.cursor.pending || s.cursor.X+width > s.size.X {
		s.wrap(width)
	}
	if s.insert {
		s.shiftCells(width)
	}
	s.fill(image.Rect(s.cursor.X, s.cursor.Y, s.cursor.X+width, s.cursor.Y+1), isHolder(cluster))
	s.cursor.X += width
	if s.cursor.X >= s.size.X {
		s.cursor.X = max(0, s.size.X-1)
		s.cursor.pending = !s.noWrap
	}
}

// wrap moves the cursor to where a character that does not fit goes.
func (s *shadow) wrap(width int) {
	if s.noWrap {
		s.moveTo(s.size.X-width, s.cursor.Y)
		return
	}
	s.moveTo(0, s.cursor.Y)
	s.lineFeed()
}

// fill marks cells as written, and whether they show holders now.
func (s *shadow) fill(r image.Rectangle, held bool) {
	r = r.Intersect(image.Rectangle{Max: s.size})
	if r.Empty() {
		return
	}
	s.touch(r, false)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.held[y][r.Min.X:r.Max.X]
		for x := range row {
			row[x] = held
		}
	}
}

// moveTo moves the cursor to a cell of the screen.
func (s *shadow) moveTo(x, y int) {
	s.cursor = cursor{Point: image.Pt(clamp(x, s.size.X), clamp(y, s.size.Y))}
}

// clamp returns the index nearest to i of a range of n.
func clamp(i, n int) int { return max(0, min(i, n-1)) }

// lineFeed moves the cursor down, and scrolls at the end of the region.
func (s *shadow) lineFeed() {
	if s.cursor.Y == s.bottom-1 {
		s.scroll(s.top, s.bottom, 1)
		return
	}
	s.moveTo(s.cursor.X, s.cursor.Y+1)
}

// reverseIndex moves the cursor up, and scrolls at the start of the region.
func (s *shadow) reverseIndex() {
	if s.cursor.Y == s.top {
		s.scroll(s.top, s.bottom, -1)
		return
	}
	s.moveTo(s.cursor.X, s.cursor.Y-1)
}

// scroll moves the rows from top to bottom (half open) up by n, or down by -n.
func (s *shadow) scroll(top, bottom, n int) {
	top, bottom = max(0, top), min(bottom, s.size.Y)
	n = max(top-bottom, min(n, bottom-top))
	if top >= bottom || n == 0 {
		return
	}
	rows := s.held[top:bottom]
	moved := make([][]bool, 0, len(rows))
	if n > 0 {
		moved = append(append(moved, rows[n:]...), rows[:n]...)
		copy(rows, moved)
		s.fill(image.Rect(0, bottom-n, s.size.X, bottom), false)
	} else {
		cut := len(rows) + n
		moved = append(append(moved, rows[cut:]...), rows[:cut]...)
		copy(rows, moved)
		s.fill(image.Rect(0, top, s.size.X, top-n), false)
	}
	s.touch(image.Rect(0, top, s.size.X, bottom), true)
}

// shiftCells moves the rest of the cursor's row right by n, or left by -n.
func (s *shadow) shiftCells(n int) {
	if s.size.Y == 0 {
		return
	}
	row := s.held[s.cursor.Y][s.cursor.X:]
	n = max(-len(row), min(n, len(row)))
	x, y := s.cursor.X, s.cursor.Y
	if n >= 0 {
		copy(row[n:], row)
		s.fill(image.Rect(x, y, x+n, y+1), false)
	} else {
		copy(row, row[-n:])
		s.fill(image.Rect(s.size.X+n, y, s.size.X, y+1), false)
	}
	s.touch(image.Rect(x, y, s.size.X, y+1), false)
}
