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
	inner := w - Frame
	if inner < 1 || h < Frame {
		return Fit("", w, h)
	}
	lines := make([]string, 0, h)
	lines = append(lines, top(title, inner, border))
	side := border.Render("│")
	for _, line := range strings.Split(Fit(body, inner, h-Frame), "\n") {
		if h > Frame {
			lines = append(lines, side+line+side)
		}
	}
	lines = append(lines, border.Render("╰"+strings.Repeat("─", inner)+"╯"))
	return strings.Join(lines, "\n")
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
		line := ""
		if i < len(lines) {
			line = ansi.Truncate(lines[i], w, "…")
		}
		out[i] = line + strings.Repeat(" ", max(w-ansi.StringWidth(line), 0))
	}
	return strings.Join(out, "\n")
}
