package tree

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
	"ldx/tui/theme"
)

// What stands for a step. Each has a shape of its own: colour only helps.
const (
	stepHere     = "●" // kept, on the path of the current branch
	stepElse     = "○" // kept, on others
	stepCursor   = "▣"
	stepMarked   = "◆"
	stepBoth     = "◈" // the cursor on the marked step
	stepBusy     = "◌"
	stepToCome   = "·"
	stepBreak    = "◦"
	lineDown     = "│"
	lineTurn     = "╰"
	lineBranches = "├"
)

// style says how a cell is drawn.
type style byte

const (
	blank style = iota
	line
	other
	here
	accent
	warn
	toCome
	styles
)

// painter draws one frame.
type painter struct {
	m       *Model
	state   State
	theme   theme.Theme
	styles  [styles]lipgloss.Style
	current int
	reach   map[int]int // by index in branches: the last index of the current path on its row
	lines   [][]bool    // by row seen and column: a line passes
}

func newPainter(m *Model, s State, t theme.Theme) *painter {
	p := &painter{m: m, state: s, theme: t, current: s.Run.Current().ID, reach: map[int]int{}}
	p.styles = [styles]lipgloss.Style{line: t.Muted, other: t.Muted, here: t.Text, accent: t.Accent, warn: t.Warn, toCome: t.Faint}
	for k, step := range s.Run.Path() {
		if owner, drawn := m.layout.owner[step.ID()]; drawn {
			p.reach[owner] = k
		}
	}
	p.connect()
	return p
}

// connect finds where lines from parents to children pass through the rows seen.
func (p *painter) connect() {
	l, g, top := &p.m.layout, p.m.at, p.m.top
	p.lines = make([][]bool, g.shown)
	for y := range p.lines {
		p.lines[y] = make([]bool, g.track)
	}
	for i := top + 1; i < len(l.rows); i++ {
		r := &l.rows[i]
		if r.parent < 0 || r.parent >= top+g.shown-1 {
			continue
		}
		x := p.turn(r)
		for y := max(r.parent+1, top); y < min(i, top+g.shown); y++ {
			p.lines[y-top][x] = true
		}
	}
}

// turn is the column at which a branch leaves: left of its first step, below its parent.
func (p *painter) turn(r *row) int {
	end, w := p.m.layout.end, p.m.at.track
	return max(min(column(r.at-1, end, w), column(min(r.at, end), end, w)-1), 0)
}

// heading has the breakpoints.
func (p *painter) heading() string {
	g := p.m.at
	cells := newCells(g.track)
	for _, x := range p.m.breakColumns(p.state.Breaks) {
		cells.set(x, stepBreak, warn)
	}
	return strings.Repeat(" ", g.label) + p.render(cells)
}

// row draws the y-th row seen.
func (p *painter) row(y int) string {
	g := p.m.at
	r := &p.m.layout.rows[p.m.top+y]
	cells := newCells(g.track)
	for x, passes := range p.lines[y] {
		if passes {
			cells.set(x, lineDown, line)
		}
	}
	if r.parent >= 0 {
		glyph := lineTurn
		if x := p.turn(r); p.lines[y][x] {
			glyph = lineBranches
		}
		cells.set(p.turn(r), glyph, line)
	}
	p.steps(cells, r)
	text := p.label(r) + p.render(cells)
	if g.note > 0 {
		text += strings.Repeat(" ", noteGap) + p.theme.Muted.Render(fit(p.note(r), g.note))
	}
	if g.gutter > 0 {
		text += p.theme.Warn.Render(right(p.m.more(y), g.gutter))
	}
	return text
}

// steps draws a branch's own steps, those to come, the mark and the cursor.
func (p *painter) steps(cells cells, r *row) {
	end, w := p.m.layout.end, p.m.at.track
	put := func(k int, glyph string, s style) { cells.set(column(k, end, w), glyph, s) }
	index := p.owner(r.branch.Tip)
	if r.branch.ID == p.current {
		for k := r.branch.Tip.Index() + 1; k <= r.branch.Tip.End(); k++ {
			put(k, stepToCome, toCome)
		}
		if p.state.Busy && !r.branch.Tip.Done() {
			put(r.branch.Tip.Index()+1, stepBusy, accent)
		}
	}
	if r.first == nil {
		return // its tip is drawn on the row that has it
	}
	reach, onPath := p.reach[index]
	for k := r.at; k <= r.branch.Tip.Index(); k++ {
		if onPath && k <= reach {
			put(k, stepHere, here)
		} else {
			put(k, stepElse, other)
		}
	}
	cursor, mark := p.state.Run.At(), p.state.Run.Marked()
	if p.owner(mark) == index {
		put(mark.Index(), stepMarked, warn)
	}
	switch {
	case p.owner(cursor) != index:
	case cursor == mark:
		put(cursor.Index(), stepBoth, accent)
	default:
		put(cursor.Index(), stepCursor, accent)
	}
}

// owner is the branch on whose row a step is drawn, -1 for none.
func (p *painter) owner(s *pipeline.Step) int {
	if s == nil {
		return -1
	}
	if i, drawn := p.m.layout.owner[s.ID()]; drawn {
		return i
	}
	return -1
}

// label is a branch's name, pointed at where it is the current one.
func (p *painter) label(r *row) string {
	w := p.m.at.label
	if w < 2 {
		return strings.Repeat(" ", w)
	}
	name := fit(r.branch.Name, w-2) + " "
	if r.branch.ID == p.current {
		return p.theme.Accent.Render("▸" + name)
	}
	return " " + p.theme.Muted.Render(name)
}

// note is what changed on a branch; of another start, against the first.
func (p *painter) note(r *row) string {
	rows := p.m.layout.rows
	switch {
	case r.first == nil:
		return ""
	case r.first.Parent != nil:
		return Changed(r.first.Parent.Settings, r.branch.Tip.Settings)
	case r != &rows[0] && rows[0].first != nil:
		return Changed(rows[0].first.Settings, r.branch.Tip.Settings)
	}
	return Changed(r.first.Settings, r.branch.Tip.Settings)
}

// cells are a row of single characters.
type cells struct {
	glyphs []string
	styles []style
}

func newCells(w int) cells { return cells{make([]string, w), make([]style, w)} }

func (c cells) set(x int, glyph string, s style) {
	if x >= 0 && x < len(c.glyphs) {
		c.glyphs[x], c.styles[x] = glyph, s
	}
}

// render styles runs of cells alike at once: styling is most of a frame's time.
func (p *painter) render(c cells) string {
	var out, run strings.Builder
	for x, glyph := range c.glyphs {
		if glyph == "" {
			glyph = " "
		}
		run.WriteString(glyph)
		if x+1 < len(c.glyphs) && c.styles[x+1] == c.styles[x] {
			continue
		}
		if c.styles[x] == blank {
			out.WriteString(run.String())
		} else {
			out.WriteString(p.styles[c.styles[x]].Render(run.String()))
		}
		run.Reset()
	}
	return out.String()
}

// fit makes text w columns wide.
func fit(text string, w int) string {
	text = ansi.Truncate(text, w, "…")
	return text + strings.Repeat(" ", max(w-ansi.StringWidth(text), 0))
}

// right puts text at the end of w columns.
func right(text string, w int) string {
	text = ansi.Truncate(text, w, "…")
	return strings.Repeat(" ", max(w-ansi.StringWidth(text), 0)) + text
}
