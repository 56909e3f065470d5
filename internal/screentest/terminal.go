package screentest

import (
	"fmt"
	"io"

	"github.com/charmbracelet/x/ansi"
)

// Terminal is a kind of terminal.
type Terminal int

const (
	// Plain is a terminal with 24-bit colour, synchronized updates and no
	// pictures.
	Plain Terminal = iota
	// Xterm is an xterm with sixels and without synchronized updates; it does
	// not report the size of its cells, but the kernel knows it.
	Xterm
	// Kitty is a kitty with Unicode placeholders.
	Kitty
	// ITerm2 is a terminal with iTerm2's inline images and sixels, such as WezTerm
	// and iTerm2. It takes kitty pictures for granted when asked, and shows none.
	ITerm2
	// Konsole is a terminal with kitty's pictures, but without Unicode
	// placeholders: pictures are placed over the text, and stay until they are
	// deleted.
	Konsole
)

// Keys as a terminal sends them.
const (
	Enter     = "\r"
	Escape    = "\x1b"
	Tab       = "\t"
	ShiftTab  = "\x1b[Z"
	Backspace = "\x7f"
	Up        = "\x1b[A"
	Down      = "\x1b[B"
	Right     = "\x1b[C"
	Left      = "\x1b[D"
	Home      = "\x1b[H"
	End       = "\x1b[F"
	PageUp    = "\x1b[5~"
	PageDown  = "\x1b[6~"
	Delete    = "\x1b[3~"
	CtrlC     = "\x03"
	CtrlZ     = "\x1a"
)

// term returns the terminal's TERM.
func (t Terminal) term() string {
	if t == Kitty {
		return "xterm-kitty"
	}
	return "xterm-256color"
}

// version returns what XTVERSION reports.
func (t Terminal) version() string {
	switch t {
	case Kitty:
		return "kitty(0.41.1)"
	case Xterm:
		return "XTerm(398)"
	case ITerm2:
		return "WezTerm 20240203-110809-5046fc22"
	case Konsole:
		return "Konsole 23.08.5"
	default:
		return "Plain(1.0)"
	}
}

// attributes returns the primary device attributes.
func (t Terminal) attributes() string {
	switch t {
	case Kitty:
		return "\x1b[?62;52;c"
	case Xterm:
		return "\x1b[?64;1;2;4;6;9;15;16;17;18;21;22;28c"
	case ITerm2:
		return "\x1b[?65;4;6;18;22c"
	case Konsole:
		return "\x1b[?62;1;4c"
	default:
		return "\x1b[?62;22c"
	}
}

// answer has the emulator answer questions as the terminal would. Handlers run
// with the lock held.
func (s *state) answer() {
	kind := s.options.Terminal
	s.emulator.RegisterCsiHandler('c', func(params ansi.Params) bool {
		if n, _, _ := params.Param(0, 0); n == 0 {
			s.send(kind.attributes())
		}
		return true
	})
	s.emulator.RegisterCsiHandler(ansi.Command('>', 0, 'q'), func(ansi.Params) bool {
		s.send("\x1bP>|" + kind.version() + "\x1b\\")
		return true
	})
	s.emulator.RegisterCsiHandler('t', func(params ansi.Params) bool {
		op, _, _ := params.Param(0, 0)
		o := s.options
		switch {
		case kind == Plain || kind == Xterm:
		case op == 16:
			s.send(fmt.Sprintf("\x1b[6;%d;%dt", o.Cell.Y, o.Cell.X))
		case op == 14:
			s.send(fmt.Sprintf("\x1b[4;%d;%dt", o.Cell.Y*o.Rows, o.Cell.X*o.Cols))
		}
		return true
	})
	s.emulator.RegisterCsiHandler(ansi.Command('?', '$', 'p'), func(params ansi.Params) bool {
		mode, _, _ := params.Param(0, 0)
		if mode != int(ansi.ModeSynchronizedOutput) || kind == Xterm || kind == Konsole {
			return false
		}
		s.send("\x1b[?2026;2$y")
		return true
	})
	s.emulator.RegisterCsiHandler(ansi.Command('?', 0, 'S'), func(ansi.Params) bool {
		if kind == Xterm {
			s.send(fmt.Sprintf("\x1b[?2;0;%d;%dS", maxSixel, maxSixel))
		}
		return true
	})
	s.emulator.RegisterCsiHandler(ansi.Command('?', 0, 'u'), func(ansi.Params) bool {
		return true // no keyboard protocol: keys are sent the old way
	})
}

// maxSixel is the side of the largest sixel that the terminal draws, xterm's
// default.
const maxSixel = 1000

// send sends an answer.
func (s *state) send(answer string) {
	if _, err := io.WriteString(s.emulator.InputPipe(), answer); err != nil {
		s.t.Logf("answer %q: %v", answer, err)
	}
}
