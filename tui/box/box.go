// Package box draws titled frames and fits text into them.
package box

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// Frame is how many columns and rows a frame takes from its content.
const Frame = 2

// Rect is a rectangle of cells on the screen.
type Rect struct{ X, Y, W, H int }

// Inner is the rectangle inside a frame drawn at r.
func (r Rect) Inner() Rect {
	return Rect{X: r.X + 1, Y: r.Y + 1, W: max(r.W-Frame, 0), H: max(r.H-Frame, 0)}
}

// Padded is the rectangle for text inside a frame: a column away from its sides.
func (r Rect) Padded() Rect {
	r = r.Inner()
	return Rect{X: r.X + 1, Y: r.Y, W: max(r.W-2, 0), H: r.H}
}

// Contains reports whether the cell (x, y) lies in r.
func (r Rect) Contains(x, y int) bool {
	return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H
}

// Draw frames body, w by h cells in all, with title in the upper border. Body is
// fitted, see [Fit].
func Draw(title, body string, w, h int, border lipgloss.Style) string {
	return Around(title, Fit(body, w-Frame, h-Frame), w, h, border)
}

// Around is [Draw] for a body that fits already: it measures nothing, which for
// pictures made of characters takes longer than all else on the screen.
func Around(title, body string, w, h int, border lipgloss.Style) string {
	inner := w - Frame
	if inner < 1 || h < Frame {
		return Fit("", w, h)
	}
	lines := make([]string, 0, h)
	lines = append(lines, top(title, inner, border))
	if h > Frame {
		side := border.Render("│")
		for line := range strings.SplitSeq(body, "\n") {
			lines = append(lines, side+line+side)
		}
	}
	lines = append(lines, border.Render("╰"+strings.Repeat("─", inner)+"╯"))
	return strings.Join(lines, "\n")
}

// Beside puts a block to the left of another. Both are whole rectangles, as the
// functions of this package return them, of one height.
func Beside(left, right string) string {
	l, r := strings.Split(left, "\n"), strings.Split(right, "\n")
	for i := range min(len(l), len(r)) {
		l[i] += r[i]
	}
	return strings.Join(l, "\n")
}

func top(title string, inner int, border lipgloss.Style) string {
	if title == "" || inner < 4 {
		return border.Render("╭" + strings.Repeat("─", inner) + "╮")
	}
	title = ansi.Truncate(title, inner-3, "…")
	rest := inner - 3 - ansi.StringWidth(title)
	return border.Render("╭─ ") + title + border.Render(" "+strings.Repeat("─", rest)+"╮")
}

// Rule is a line that parts a frame's content, with a title.
func Rule(title string, w int, border lipgloss.Style) string {
	rest := max(w-ansi.StringWidth(title)-1, 0)
	return title + " " + border.Render(strings.Repeat("─", rest))
}

// Fit makes text exactly w columns by h rows: longer lines end in an ellipsis,
// missing ones are blank.
func Fit(text string, w, h int) string {
	if w < 1 || h < 1 {
		return ""
	}
	lines := strings.Split(text, "\n")
	out := make([]string, h)
	for i := range out {
		line, width := "", 0
		if i < len(lines) {
			line, width = lines[i], ansi.StringWidth(lines[i])
		}
		if width > w {
			line = ansi.Truncate(line, w, "…")
			width = ansi.StringWidth(line) // a wide character may not fit
		}
		out[i] = line + strings.Repeat(" ", w-width)
	}
	return strings.Join(out, "\n")
}
