package termimg

import (
	"fmt"
	"image"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// query is a question to the terminal.
type query struct{ name, sequence string }

// The questions, by the name that Report shows.
const (
	askVersion    = "XTVERSION"
	askKitty      = "kitty graphics"
	askFiles      = "kitty graphics from a file"
	askCell       = "cell size (CSI 16 t)"
	askWindow     = "window size (CSI 14 t)"
	askSixel      = "sixel geometry (XTSMGRAPHICS)"
	askAttributes = "DA1"
	askTmux       = "tmux display-message"
)

// sizeQueries ask for the size of a cell.
const sizeQueries = "\x1b[16t\x1b[14t"

// sixelQuery asks for the size of the largest sixel.
const sixelQuery = "\x1b[?2;4;0S"

// kittyQueryID names the picture of a query, which the terminal does not keep.
const kittyQueryID = firstID - 1

// probe is what is known about the terminal from asking it.
type probe struct {
	environ    environ
	asked      []string
	answers    []answer
	version    string // XTVERSION
	kitty      bool   // the kitty graphics query was answered with OK
	files      bool   // so was the one whether it reads a file of ours
	sixel      bool   // DA1 has attribute 4
	settled    bool   // everything is answered that ever will be
	cell       image.Point
	window     image.Point // pixels
	windowCell image.Point // window over the cells of that time
	kernelCell image.Point
	sixelLimit image.Point // pixels
	tmux       tmuxInfo
}

// answer is what came back to a question.
type answer struct{ query, value string }

// note keeps an answer for the report, in place of an earlier one.
func (p *probe) note(query, value string) {
	for i := range p.answers {
		if p.answers[i].query == query {
			p.answers[i].value = value
			return
		}
	}
	p.answers = append(p.answers, answer{query, value})
}

// waiting says whether a question has been asked and not answered.
func (p *probe) waiting(query string) bool {
	answered := slices.ContainsFunc(p.answers, func(a answer) bool { return a.query == query })
	return slices.Contains(p.asked, query) && !answered
}

// queries returns the questions that this terminal can be asked without
// printing them. Device attributes come last: every terminal answers them, so
// what is not answered by then never will be.
func (e environ) queries() []query {
	attributes := query{askAttributes, ansi.RequestPrimaryDeviceAttributes}
	switch term := e.get("TERM"); {
	case term == "dumb":
		return nil
	case term == "linux", e.get("TERM_PROGRAM") == "Apple_Terminal":
		return []query{attributes}
	case strings.HasPrefix(term, "screen"):
		return []query{{askVersion, ansi.RequestNameVersion}, attributes}
	}
	return []query{
		{askVersion, ansi.RequestNameVersion},
		{askKitty, fmt.Sprintf("\x1b_Gi=%d,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", kittyQueryID)},
		{askCell, "\x1b[16t"},
		{askWindow, "\x1b[14t"},
		{askSixel, sixelQuery},
		attributes,
	}
}

// Probe returns the command that asks the terminal what it can do; under tmux,
// it asks tmux. Run it once, when the program starts; [Compositor.Handle] takes
// the answers.
func (c *Compositor) Probe() tea.Cmd {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opts.Protocol == Off {
		return nil
	}
	c.probe.asked = nil
	if c.probe.environ.get("TMUX") != "" {
		c.probe.asked = []string{askTmux}
		return askTmuxCmd(c.probe.environ)
	}
	var b strings.Builder
	for _, q := range c.probe.environ.queries() {
		c.probe.asked = append(c.probe.asked, q.name)
		b.WriteString(q.sequence)
	}
	if b.Len() == 0 {
		return nil
	}
	return tea.Raw(b.String())
}

// Handle takes every message of the program's Update, and picks up what
// concerns the pictures: answers of the terminal, however late, its size and
// its colours. It reports whether the program should repaint because pictures
// will look different.
func (c *Compositor) Handle(msg tea.Msg) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		c.resized(image.Pt(msg.Width, msg.Height))
	case tea.ColorProfileMsg:
		c.mode.profile = msg.Profile
	default:
		if !c.probe.handle(msg, c.screen) {
			return false
		}
	}
	changed = c.settle()
	c.offerFiles()
	return changed
}

// resized notes the size of the screen in cells, and asks for the size of a
// cell again where the terminal answers that. The caller holds the lock.
func (c *Compositor) resized(screen image.Point) {
	first := c.screen == image.Point{}
	c.screen = screen
	c.probe.kernelCell = kernelCell(c.out.file)
	if first && c.probe.window != (image.Point{}) {
		c.probe.windowCell = cellOf(c.probe.window, screen)
	}
	if !first && (c.probe.cell != image.Point{} || c.probe.windowCell != image.Point{}) {
		c.out.queue([]byte(sizeQueries))
	}
	if !first && c.probe.sixelLimit != (image.Point{}) {
		c.out.queue([]byte(sixelQuery)) // some terminals limit it to the window
	}
	// Terminals may drop pictures, or move them, when their size changes.
	c.nudge.Reset(moveDelay)
}

// handle takes a message if it is an answer.
func (p *probe) handle(msg tea.Msg, screen image.Point) bool {
	switch msg := msg.(type) {
	case tea.TerminalVersionMsg:
		p.version = msg.Name
		p.note(askVersion, msg.Name)
	case uv.KittyGraphicsEvent:
		return p.kittyAnswer(msg.Options.ID, string(msg.Payload))
	case uv.CellSizeEvent:
		p.cell = image.Pt(msg.Width, msg.Height)
		p.note(askCell, fmt.Sprintf("%dx%d", msg.Width, msg.Height))
	case uv.PixelSizeEvent:
		p.window = image.Pt(msg.Width, msg.Height)
		p.windowCell = cellOf(p.window, screen)
		p.note(askWindow, fmt.Sprintf("%dx%d", msg.Width, msg.Height))
	case uv.PrimaryDeviceAttributesEvent:
		p.attributes(msg)
	case uv.UnknownCsiEvent:
		return p.sixelGeometry(string(msg))
	case tmuxMsg:
		p.tmux, p.settled = msg.tmuxInfo, true
		p.note(askTmux, msg.raw)
	default:
		return false
	}
	return true
}

// kittyAnswer takes the answer to a question about kitty's protocol.
func (p *probe) kittyAnswer(id int, answer string) bool {
	switch id {
	case kittyQueryID:
		p.kitty = answer == "OK"
		p.note(askKitty, answer)
	case fileQueryID:
		p.files = answer == "OK"
		p.note(askFiles, answer)
	default:
		return false
	}
	return true
}

// sixelGeometry takes the answer to XTSMGRAPHICS, which Bubble Tea does not
// know.
func (p *probe) sixelGeometry(csi string) bool {
	var limit image.Point
	if n, err := fmt.Sscanf(csi, "\x1b[?2;0;%d;%dS", &limit.X, &limit.Y); n != 2 || err != nil {
		return false
	}
	p.sixelLimit = limit
	p.note(askSixel, fmt.Sprintf("%dx%d", limit.X, limit.Y))
	return true
}

// attributes takes the primary device attributes. The first is the class of the
// terminal, the others are what it can do.
func (p *probe) attributes(da []int) {
	p.settled, p.sixel = true, false
	words := make([]string, len(da))
	for i, a := range da {
		words[i] = fmt.Sprint(a)
		p.sixel = p.sixel || i > 0 && a == 4
	}
	p.note(askAttributes, strings.Join(words, ";"))
}

// cellOf returns the size of a cell of a window in pixels that is so many cells
// large.
func cellOf(window, cells image.Point) image.Point {
	if cells.X <= 0 || cells.Y <= 0 {
		return image.Point{}
	}
	return image.Pt(window.X/cells.X, window.Y/cells.Y)
}

// environ is an environment, as os.Environ returns it.
type environ []string

// get returns a variable, or "". The last entry for a name counts.
func (e environ) get(name string) string {
	value := ""
	for _, entry := range e {
		if k, v, ok := strings.Cut(entry, "="); ok && k == name {
			value = v
		}
	}
	return value
}
