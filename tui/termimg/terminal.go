package termimg

import (
	"fmt"
	"strconv"
	"strings"
)

// terminal is which terminal this is. What it can do follows from its name where
// it cannot be asked.
type terminal struct {
	version string // as XTVERSION tells it, or only a name
	source  string // the environment variable that gives the name, if the terminal does not
}

// terminal returns which terminal this is: what it says itself, else what the
// environment says.
func (p *probe) terminal() terminal {
	if p.version != "" {
		return terminal{version: p.version}
	}
	for _, v := range [...]struct{ variable, value, name string }{
		{"LC_TERMINAL", "iTerm2", "iTerm2"}, // comes along with SSH
		{"TERM_PROGRAM", "iTerm.app", "iTerm2"},
		{"TERM_PROGRAM", "WezTerm", "WezTerm"},
		{"KONSOLE_VERSION", "", "Konsole"},
	} {
		if got := p.environ.get(v.variable); got != "" && (v.value == "" || got == v.value) {
			return terminal{version: v.name, source: v.variable}
		}
	}
	return terminal{}
}

// String returns the terminal's name, and who gives it.
func (t terminal) String() string {
	if t.source != "" {
		return t.version + " (by " + t.source + ")"
	}
	return t.version
}

// is says whether the name begins with one of those given, in lower case.
func (t terminal) is(names ...string) bool {
	version := strings.ToLower(t.version)
	for _, name := range names {
		if rest, ok := strings.CutPrefix(version, name); ok && (rest == "" || rest[0] == ' ' || rest[0] == '(') {
			return true
		}
	}
	return false
}

// placeholders says whether the terminal shows kitty pictures at Unicode
// placeholders: kitty since 0.28, and Ghostty.
func (t terminal) placeholders() bool {
	return t.is("ghostty") || t.kittySince(0, 28)
}

// placements says whether the terminal shows kitty pictures over the text, can
// leave the cursor where it is, and has no placeholders: Konsole, and kitty from
// 0.20 on.
func (t terminal) placements() bool {
	return t.is("konsole") || t.kittySince(0, 20) && !t.placeholders()
}

// changes says whether the terminal changes the pixels of a picture that it has,
// with what is meant for animations: kitty.
func (t terminal) changes() bool { return t.kittySince(0, 28) }

// inline says whether the terminal shows iTerm2's inline images.
func (t terminal) inline() bool { return t.is("iterm2", "wezterm") }

// kittySince says whether this is kitty, of at least a version.
func (t terminal) kittySince(major, minor int) bool {
	var haveMajor, haveMinor int
	if _, err := fmt.Sscanf(t.version, "kitty(%d.%d", &haveMajor, &haveMinor); err != nil {
		return false
	}
	return haveMajor > major || haveMajor == major && haveMinor >= minor
}

// The first versions of VTE and WezTerm that are known to draw sextants
// themselves.
const firstVTE, firstWezTerm = 6600, 20210610

// glyphs returns the block characters that the terminal draws. Sextants are for
// those that draw them themselves: fonts have them seldom, and seldom without
// gaps.
func (p *probe) glyphs() glyphSet {
	t := p.terminal()
	switch {
	case p.environ.get("TERM") == "linux", p.environ.get("TERM_PROGRAM") == "Apple_Terminal":
		return halves
	case p.environ.get("TMUX") != "", strings.HasPrefix(p.environ.get("TERM"), "screen"):
		return quadrants
	case t.is("ghostty", "foot", "kitty"), t.since("VTE(", firstVTE), t.since("WezTerm ", firstWezTerm):
		return sextants
	}
	return quadrants
}

// since says whether the version is a name and a number from first on.
func (t terminal) since(name string, first int) bool {
	number, ok := strings.CutPrefix(t.version, name)
	if !ok {
		return false
	}
	end := strings.TrimLeft(number, "0123456789")
	n, err := strconv.Atoi(strings.TrimSuffix(number, end))
	return err == nil && n >= first
}
