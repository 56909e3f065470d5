package termimg

import (
	"image"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// tabWidth is the distance of tab stops, which Bubble Tea sets when it starts.
const tabWidth = 8

// execute follows a control character.
func (s *shadow) execute(b byte) {
	s.flush()
	switch b {
	case '\n', '\v', '\f':
		x := s.cursor.X
		s.lineFeed()
		s.moveTo(x, s.cursor.Y)
	case '\r':
		s.moveTo(0, s.cursor.Y)
	case '\b':
		s.moveTo(s.cursor.X-1, s.cursor.Y)
	case '\t':
		s.tab(1)
	}
}

// tab moves the cursor n tab stops right, or -n left.
func (s *shadow) tab(n int) {
	x := s.cursor.X
	if n < 0 {
		x += tabWidth - 1
	}
	s.moveTo((x/tabWidth+n)*tabWidth, s.cursor.Y)
}

// esc follows an escape sequence of two bytes.
func (s *shadow) esc(cmd ansi.Cmd) {
	s.flush()
	switch cmd.Final() {
	case '7':
		s.saved = s.cursor
	case '8':
		s.cursor = s.saved
		s.cursor.X, s.cursor.Y = clamp(s.cursor.X, s.size.X), clamp(s.cursor.Y, s.size.Y)
	case 'D':
		s.lineFeed()
	case 'E':
		s.lineFeed()
		s.moveTo(0, s.cursor.Y)
	case 'M':
		s.reverseIndex()
	case 'c':
		s.top, s.bottom = 0, s.size.Y
		s.noWrap, s.insert = false, false
		s.fill(image.Rectangle{Max: s.size}, false)
		s.moveTo(0, 0)
	}
}

// csi follows a control sequence.
func (s *shadow) csi(cmd ansi.Cmd, params ansi.Params) {
	s.flush()
	if cmd.Intermediate() != 0 {
		return
	}
	if cmd.Prefix() == '?' {
		s.decMode(cmd.Final(), params)
		return
	}
	if cmd.Prefix() != 0 {
		return
	}
	n, _, _ := params.Param(0, 1)
	n = max(1, n)
	// After what erases or shifts cells the next character does not wrap, as in xterm.
	s.cursor.pending = s.cursor.pending && strings.IndexByte("JKX@P", cmd.Final()) < 0
	if !s.move(cmd.Final(), n, params) {
		s.edit(cmd.Final(), n, params)
	}
}

// move follows a cursor movement.
func (s *shadow) move(final byte, n int, params ansi.Params) bool {
	x, y := s.cursor.X, s.cursor.Y
	switch final {
	case 'A':
		s.moveTo(x, s.rowFrom(y, -n))
	case 'B':
		s.moveTo(x, s.rowFrom(y, n))
	case 'e':
		s.moveTo(x, y+n)
	case 'C', 'a':
		s.moveTo(x+n, y)
	case 'D':
		s.moveTo(x-n, y)
	case 'E':
		s.moveTo(0, s.rowFrom(y, n))
	case 'F':
		s.moveTo(0, s.rowFrom(y, -n))
	case 'G', '`':
		s.moveTo(n-1, y)
	case 'd':
		s.moveTo(x, n-1)
	case 'H', 'f':
		column, _, _ := params.Param(1, 1)
		s.moveTo(column-1, n-1)
	case 'I':
		s.tab(n)
	case 'Z':
		s.tab(-n)
	default:
		return false
	}
	return true
}

// rowFrom returns the row n below y, or -n above: a cursor within the scrolling
// region stays there.
func (s *shadow) rowFrom(y, n int) int {
	switch {
	case n < 0 && y >= s.top:
		return max(s.top, y+n)
	case n > 0 && y < s.bottom:
		return min(s.bottom-1, y+n)
	default:
		return y + n
	}
}

// edit follows a sequence that changes cells.
func (s *shadow) edit(final byte, n int, params ansi.Params) {
	mode, _, _ := params.Param(0, 0)
	x, y := s.cursor.X, s.cursor.Y
	switch final {
	case 'J':
		s.eraseDisplay(mode)
	case 'K':
		s.eraseLine(mode)
	case 'X':
		s.fill(image.Rect(x, y, x+n, y+1), false)
	case '@':
		s.shiftCells(n)
	case 'P':
		s.shiftCells(-n)
	case 'L':
		s.editLines(-n)
	case 'M':
		s.editLines(n)
	case 'S':
		s.scroll(s.top, s.bottom, n)
	case 'T':
		s.scroll(s.top, s.bottom, -n)
	case 'b':
		width := s.width.StringWidth(s.repeat)
		for range min(n, s.size.X) {
			s.put(s.repeat, width)
		}
	case 'r':
		s.margins(params)
	case 'h', 'l':
		if mode == 4 {
			s.insert = final == 'h'
		}
	}
}

// editLines deletes n lines at the cursor, or inserts -n.
func (s *shadow) editLines(n int) {
	if s.cursor.Y >= s.top && s.cursor.Y < s.bottom {
		s.scroll(s.cursor.Y, s.bottom, n)
		s.moveTo(0, s.cursor.Y)
	}
}

// eraseDisplay follows ED.
func (s *shadow) eraseDisplay(mode int) {
	y := s.cursor.Y
	switch mode {
	case 0:
		s.eraseLine(0)
		s.fill(image.Rect(0, y+1, s.size.X, s.size.Y), false)
	case 1:
		s.eraseLine(1)
		s.fill(image.Rect(0, 0, s.size.X, y), false)
	case 2, 3:
		s.fill(image.Rectangle{Max: s.size}, false)
	}
}

// eraseLine follows EL.
func (s *shadow) eraseLine(mode int) {
	x, y := s.cursor.X, s.cursor.Y
	switch mode {
	case 0:
		s.fill(image.Rect(x, y, s.size.X, y+1), false)
	case 1:
		s.fill(image.Rect(0, y, x+1, y+1), false)
	case 2:
		s.fill(image.Rect(0, y, s.size.X, y+1), false)
	}
}

// margins follows DECSTBM.
func (s *shadow) margins(params ansi.Params) {
	top, _, _ := params.Param(0, 1)
	bottom, _, _ := params.Param(1, s.size.Y)
	if top, bottom = max(1, top), min(bottom, s.size.Y); bottom == 0 {
		bottom = s.size.Y
	}
	if top < bottom {
		s.top, s.bottom = top-1, bottom
		s.moveTo(0, 0)
	}
}

// decMode follows DECSET and DECRST.
func (s *shadow) decMode(final byte, params ansi.Params) {
	if final != 'h' && final != 'l' {
		return
	}
	on := final == 'h'
	params.ForEach(0, func(_, mode int, _ bool) {
		switch mode {
		case 7:
			s.noWrap = !on
		case 47, 1047, 1049:
			s.alternate = on
			s.fill(image.Rectangle{Max: s.size}, false)
		case 2027:
			s.width = ansi.WcWidth
			if on {
				s.width = ansi.GraphemeWidth
			}
		}
	})
}
