package termimg

import "fmt"

// Protocol is a way to show pictures in a terminal.
type Protocol int

const (
	// Auto is the best protocol that the terminal is known to support.
	Auto Protocol = iota
	// Kitty is the kitty graphics protocol with Unicode placeholders
	// (kitty 0.28 and later, Ghostty).
	Kitty
	// Sixel is DEC's sixel graphics.
	Sixel
	// ITerm2 is iTerm2's inline images (iTerm2, WezTerm).
	ITerm2
	// Blocks is block characters, in two colours a cell. It works in every
	// terminal with colours; without colours it falls back to shades.
	Blocks
	// Off leaves the place of a picture blank.
	Off
	// Placements is the kitty graphics protocol with pictures over the text, as it
	// was before there were Unicode placeholders (Konsole, kitty before 0.28). It is
	// what [Kitty] comes to on such a terminal, and has no name of its own.
	Placements
)

// String returns the protocol's name, as [ParseProtocol] reads it.
func (p Protocol) String() string {
	switch p {
	case Auto:
		return "auto"
	case Kitty:
		return "kitty"
	case Sixel:
		return "sixel"
	case ITerm2:
		return "iterm2"
	case Blocks:
		return "blocks"
	case Off:
		return "off"
	case Placements:
		return "kitty placements"
	default:
		return fmt.Sprintf("protocol %d", int(p))
	}
}

// ParseProtocol reads a protocol's name.
func ParseProtocol(name string) (Protocol, error) {
	for p := Auto; p <= Off; p++ {
		if name == p.String() {
			return p, nil
		}
	}
	return Auto, fmt.Errorf("unknown graphics protocol %q: use auto, kitty, sixel, iterm2, blocks or off", name)
}
