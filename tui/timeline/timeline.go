// Package timeline draws where a run stands: its steps, the noise left at each,
// and the cursor.
package timeline

import (
	"math"
	"strings"

	"ldx/tui/theme"
)

// State is what the timeline shows.
type State struct {
	Total    int               // calls of the whole run
	Kept     int               // the last step that is kept
	Cursor   int               // the step looked at
	Busy     bool              // whether a step is under way behind Kept
	AlphaBar func(int) float32 // share of signal at step i < Total
}

// shades go from noise to picture.
var shades = [...]string{"░", "▒", "▓", "█"}

// View draws the line, w columns wide. Kept steps are shaded by how much of the
// picture is there, the rest are dots.
func View(s State, w int, t theme.Theme) string {
	if w < 1 || s.Total < 1 {
		return ""
	}
	var b strings.Builder
	cursor := column(s.Cursor, s.Total, w)
	for x := range w {
		step := StepAt(x, s.Total, w)
		switch {
		case x == cursor:
			b.WriteString(t.Accent.Render("▣"))
		case step <= s.Kept:
			b.WriteString(t.Muted.Render(shade(s, step)))
		case s.Busy && step == s.Kept+1:
			b.WriteString(t.Accent.Render("◌"))
		default:
			b.WriteString(t.Faint.Render("·"))
		}
	}
	return b.String()
}

func shade(s State, step int) string {
	signal := 1.0
	if step < s.Total {
		signal = math.Sqrt(float64(s.AlphaBar(step)))
	}
	return shades[min(int(signal*float64(len(shades))), len(shades)-1)]
}

// column is where step is drawn.
func column(step, total, w int) int { return (2*step*(w-1) + total) / (2 * total) }

// StepAt is the step drawn at column x, for clicks.
func StepAt(x, total, w int) int {
	if w < 2 {
		return 0
	}
	return min(max((2*x*total+w-1)/(2*(w-1)), 0), total)
}
