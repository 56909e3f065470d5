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
	// Blocks is two coloured pixels a cell, drawn with half blocks. It works
	// in every terminal with colours; without colours it falls back to shades.
	Blocks
	// Off leaves the place of a picture blank.
	Off
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
	case Blocks:
		return "blocks"
	case Off:
		return "off"
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
	if name == "iterm2" {
		return Auto, fmt.Errorf("graphics protocol %q is not supported yet: use auto, kitty, sixel, blocks or off", name)
	}
	return Auto, fmt.Errorf("unknown graphics protocol %q: use auto, kitty, sixel, blocks or off", name)
}
