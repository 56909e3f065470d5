// Package tree draws the branches of a run, one a row, each under the one that it
// leaves:
//
//	▸a ●●●●●●●●●○○○○○○○○○○○○
//	 c         ├○○○○○○○○        guidance 5
//	 b         ╰●●●●▣           prompt "a green pear"
//
// A column is one index of the path, that is one call of the denoiser, so that a child
// always begins below the step it leaves, also where samplers differ. Branches come
// depth first, the latest to leave first: so no line crosses a row of steps. (By age,
// which is the order of their names, lines of early branches would run through the
// steps of later ones.)
package tree

import (
	"fmt"
	"slices"
	"strings"

	"ldx/pipeline"
	"ldx/tui/theme"
)

// State is what there is to draw.
type State struct {
	Run    *pipeline.Run
	Breaks []int // the indices with a breakpoint
	Busy   bool  // a step is under way behind the tip of the current branch
}

// Model keeps what of the drawing stays from frame to frame.
type Model struct {
	layout layout
	top    int // the first row shown
	at     geometry
}

// geometry is where things were drawn last, in columns and rows.
type geometry struct {
	header, rows, shown int // rows: of the heading, of the tree, of the tree that are seen
	label, track, note  int // widths, in this order from the left
	gutter              int // on the right, where the tree has more rows than are seen
}

// Widths.
const (
	nameMax   = 12
	noteMin   = 8 // a narrower one says nothing
	noteGap   = 2
	trackMin  = 8
	gutterMax = 6
)

// Height is how many rows the whole tree takes.
func (m *Model) Height(s State) int {
	m.layout.update(s.Run)
	h := len(m.layout.rows)
	if len(s.Breaks) > 0 {
		h++
	}
	return h
}

// View draws the tree in at most h rows of w columns, with the current branch among
// them. It is "" without steps.
func (m *Model) View(s State, w, h int, t theme.Theme) string {
	l := &m.layout
	l.update(s.Run)
	if w < 1 || h < 1 || len(l.rows) == 0 {
		m.at = geometry{}
		return ""
	}
	m.arrange(s, w, h)
	m.scroll(l.rowOf[s.Run.Current().ID])
	p := newPainter(m, s, t)
	lines := make([]string, 0, h)
	if m.at.header > 0 {
		lines = append(lines, p.heading())
	}
	for y := range m.at.shown {
		lines = append(lines, p.row(y))
	}
	return strings.Join(lines, "\n")
}

// arrange says where things go.
func (m *Model) arrange(s State, w, h int) {
	l := &m.layout
	g := geometry{rows: len(l.rows)}
	if len(s.Breaks) > 0 && h > 1 {
		g.header = 1
	}
	g.shown = min(g.rows, h-g.header)
	if g.shown < g.rows && w > 4*gutterMax {
		g.gutter = gutterMax
	}
	w -= g.gutter
	g.label = min(1+min(l.name, nameMax, w/4)+1, max(w-trackMin, 0))
	g.track = min(l.end+1, w-g.label)
	if g.note = w - g.label - g.track - noteGap; g.note < noteMin {
		g.note = 0
	}
	m.at = g
}

// scroll moves the least that brings a row into view.
func (m *Model) scroll(row int) {
	g := m.at
	m.top = min(max(m.top, row-g.shown+1), row)
	m.top = max(min(m.top, g.rows-g.shown), 0)
}

// At is the branch drawn at a cell of the last View, and the index of the step there,
// which may be one that the branch shares with others, or one after its tip that is
// not there yet. On a branch's name it is the tip.
func (m *Model) At(x, y int) (branch, step int, ok bool) {
	g := m.at
	y -= g.header
	if x < 0 || y < 0 || y >= g.shown {
		return 0, 0, false
	}
	b := m.layout.rows[m.top+y].branch
	x -= g.label
	switch {
	case x < 0:
		return b.ID, b.Tip.Index(), true
	case x < g.track:
		return b.ID, index(x, m.layout.end, g.track), true
	}
	return 0, 0, false
}

// column is where an index of 0 to end is drawn in w columns.
func column(k, end, w int) int {
	if end < w || end < 1 {
		return k
	}
	return (2*k*(w-1) + end) / (2 * end)
}

// index is column's inverse: the middle one where a column stands for several.
func index(x, end, w int) int {
	if end < w || w < 2 {
		return min(x, end)
	}
	return min((2*x*end+w-1)/(2*(w-1)), end)
}

// more says how many rows there are above and below what is seen.
func (m *Model) more(y int) string {
	above, below := m.top, m.at.rows-m.top-m.at.shown
	switch {
	case y == m.at.shown-1 && below > 0:
		return fmt.Sprintf("↓%d", below)
	case y == 0 && above > 0:
		return fmt.Sprintf("↑%d", above)
	}
	return ""
}

// breakColumns are the columns of breakpoints.
func (m *Model) breakColumns(breaks []int) []int {
	var columns []int
	for _, k := range breaks {
		if k >= 0 && k <= m.layout.end {
			columns = append(columns, column(k, m.layout.end, m.at.track))
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}
