package termimg

import (
	"fmt"
	"image"
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// The size of a cell if nobody knows it, in pixels.
const defaultCellWidth, defaultCellHeight = 10, 20

// maxCell bounds what is believed of a cell's size.
const maxCell = 512

// choice is a protocol and why.
type choice struct {
	protocol    Protocol
	passthrough bool
	reason      string
}

// settle chooses the protocol and the size of a cell anew, and reports whether
// either changed. The caller holds the lock.
func (c *Compositor) settle() (changed bool) {
	before, cell := c.mode, c.cell
	ch := choose(c.opts.Protocol, &c.probe, c.mode.profile)
	c.mode.protocol, c.mode.passthrough = ch.protocol, ch.passthrough
	c.mode.limit = c.probe.sixelLimit
	c.reason = ch.reason
	c.cell, c.cellSource = c.probe.cellSize()
	changed = c.mode != before || c.cell != cell
	if changed {
		c.wakeEncoder()
		c.out.wake()
	}
	return changed
}

// choose picks the protocol from what is wanted, what the terminal said, and
// its colours.
func choose(want Protocol, p *probe, profile colorprofile.Profile) choice {
	inTmux := p.environ.get("TMUX") != ""
	obstacle := placeholderObstacle(p.environ, profile)
	switch {
	case want == Kitty && obstacle != "":
		return choice{protocol: Blocks, reason: "kitty placeholders need " + obstacle}
	case want != Auto:
		return choice{protocol: want, passthrough: inTmux, reason: "set by option"}
	case inTmux:
		return chooseInTmux(p, obstacle)
	case p.kitty && hasPlaceholders(p.version) && obstacle == "":
		return choice{protocol: Kitty, reason: p.version + " has Unicode placeholders"}
	case p.kitty && hasPlaceholders(p.version):
		// Never sixel on kitty: it has none, whatever it may answer.
		return choice{protocol: Blocks, reason: "kitty placeholders need " + obstacle}
	case p.sixel:
		return choice{protocol: Sixel, reason: "the terminal's attributes include sixel"}
	case !p.settled:
		return choice{protocol: Blocks, reason: "the terminal has not answered yet"}
	default:
		return choice{protocol: Blocks, reason: "the terminal reports neither kitty placeholders nor sixel"}
	}
}

// placeholderObstacle says what placeholders miss, or "". Their foreground
// colours carry the picture's number, and they must be one cell wide.
func placeholderObstacle(e environ, profile colorprofile.Profile) string {
	if profile != colorprofile.Unknown && profile < colorprofile.ANSI256 {
		return "256 colours, and this terminal has the profile " + profile.String()
	}
	if wide, err := strconv.ParseBool(e.get("RUNEWIDTH_EASTASIAN")); err == nil && wide {
		return "narrow ambiguous characters, and RUNEWIDTH_EASTASIAN is set"
	}
	return ""
}

// hasPlaceholders says whether a terminal of this XTVERSION shows Unicode
// placeholders: kitty since 0.28, and Ghostty.
func hasPlaceholders(version string) bool {
	if strings.HasPrefix(strings.ToLower(version), "ghostty") {
		return true
	}
	number, ok := strings.CutPrefix(version, "kitty(")
	if !ok {
		return false
	}
	var major, minor int
	if _, err := fmt.Sscanf(number, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 0 || minor >= 28
}

// cellSize returns the size of a cell in pixels, and who says so.
func (p *probe) cellSize() (image.Point, string) {
	sources := []struct {
		size image.Point
		name string
	}{
		{p.cell, "reported by the terminal"},
		{p.windowCell, "from the reported size of the window"},
		{p.tmux.cell, "reported by tmux"},
		{p.kernelCell, "from the kernel's window size"},
	}
	for _, s := range sources {
		if s.size.X > 0 && s.size.Y > 0 && s.size.X <= maxCell && s.size.Y <= maxCell {
			return s.size, s.name
		}
	}
	return image.Pt(defaultCellWidth, defaultCellHeight), "assumed: neither terminal nor kernel says"
}

// Report returns what was asked, what came back and what was chosen.
func (c *Compositor) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Protocol: c.mode.protocol, Reason: c.reason,
		CellWidth: c.cell.X, CellHeight: c.cell.Y, CellSource: c.cellSource,
		Asked:   append([]string(nil), c.probe.asked...),
		Settled: c.probe.settled,
	}
	for _, a := range c.probe.answers {
		r.Answered = append(r.Answered, a.query+": "+a.value)
	}
	return r
}
