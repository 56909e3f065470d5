package termimg

import (
	"image"
	"strconv"

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
	c.mode.glyphs = c.probe.glyphs()
	c.mode.files = c.probe.files && ch.protocol == Kitty
	c.mode.changes = ch.protocol == Kitty && !ch.passthrough && c.probe.terminal().changes()
	c.mode.limit = image.Point{}
	if ch.protocol == Sixel {
		c.mode.limit = c.probe.sixelLimit
	}
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
	t := p.terminal()
	switch {
	case want != Auto:
		return chooseWanted(want, p, profile)
	case inTmux:
		return chooseInTmux(p, placeholderObstacle(p.environ, profile))
	case p.kitty && t.placeholders():
		// Never sixel on kitty: it has none, whatever it may answer.
		return chooseOnKitty(t.version+" has Unicode placeholders", p.environ, profile)
	case t.inline() && (p.version != "" || p.settled):
		return choice{protocol: ITerm2, reason: t.String() + " shows inline images"}
	case p.kitty && t.placements():
		return choice{protocol: Placements, reason: t.String() + " has kitty graphics without Unicode placeholders"}
	case p.sixel:
		return choice{protocol: Sixel, reason: "the terminal's attributes include sixel"}
	case !p.settled:
		return choice{protocol: Blocks, reason: "the terminal has not answered yet"}
	default:
		return choice{protocol: Blocks, reason: "the terminal reports no kitty graphics, inline images or sixel that it is known to draw right"}
	}
}

// chooseWanted picks the protocol that is asked for, or what it comes to.
func chooseWanted(want Protocol, p *probe, profile colorprofile.Profile) choice {
	inTmux := p.environ.get("TMUX") != ""
	t := p.terminal()
	switch {
	case want == Kitty && !inTmux && t.placements():
		return choice{protocol: Placements, reason: "set by option, and " + t.String() + " has no Unicode placeholders"}
	case want == Kitty:
		c := chooseOnKitty("set by option", p.environ, profile)
		c.passthrough = inTmux
		return c
	case inTmux && (want == ITerm2 || want == Placements):
		return choice{protocol: Blocks, reason: want.String() + " does not go through tmux"}
	}
	return choice{protocol: want, reason: "set by option"}
}

// chooseOnKitty picks placeholders, unless something stands in their way.
func chooseOnKitty(reason string, e environ, profile colorprofile.Profile) choice {
	if obstacle := placeholderObstacle(e, profile); obstacle != "" {
		return choice{protocol: Blocks, reason: "kitty placeholders need " + obstacle}
	}
	return choice{protocol: Kitty, reason: reason}
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
		Protocol: c.mode.protocol, Reason: c.reason, Glyphs: c.probe.glyphs().String(),
		CellWidth: c.cell.X, CellHeight: c.cell.Y, CellSource: c.cellSource,
		Asked:   append([]string(nil), c.probe.asked...),
		Settled: c.probe.settled && !c.probe.waiting(askFiles),
	}
	for _, a := range c.probe.answers {
		r.Answered = append(r.Answered, a.query+": "+a.value)
	}
	return r
}
