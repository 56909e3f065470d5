package scenario

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"ldx/internal/screentest"
)

// find is the cell where a text begins on the screen.
func find(t *testing.T, s *screentest.Screen, text string) (x, y int) {
	t.Helper()
	for y, row := range strings.Split(s.Text(), "\n") {
		if before, _, ok := strings.Cut(row, text); ok {
			return ansi.StringWidth(before), y
		}
	}
	t.Fatalf("no %q on the screen:\n%s", text, s.Text())
	return 0, 0
}

// TestMouse clicks on the timeline, on a slider and on a setting.
func TestMouse(t *testing.T) {
	m := newModel(t)
	s := newPlace(t).open(wide)
	path := m.to(m.begin(m.settings()), steps).Path()

	cursor, y := find(t, s, "▣")
	const left = 2
	s.Click(left, y)
	atStep(s, 0)
	m.same(s, screentest.Plain, path[0])
	s.Click((left+cursor)/2, y)
	atStep(s, steps/2)
	m.same(s, screentest.Plain, path[steps/2])
	s.Click(cursor, y)
	atStep(s, steps)

	x, y := find(t, s, "guidance ")
	end := x + ansi.StringWidth(strings.TrimRight(s.Row(y)[strings.Index(s.Row(y), "guidance "):], "│ ")) - 1
	s.Click(end, y)
	waitField(s, "guidance", "15.0")
	atStep(s, steps)
	settings := m.settings()
	settings.Guidance = 15
	m.same(s, screentest.Plain, m.to(m.begin(settings), steps))

	x, y = find(t, s, "steps  ")
	s.Click(x, y)
	s.WaitText("▸ steps")
	s.Click(x, y) // a second click opens it
	s.WaitText("esc leave it")
	s.Type("2" + screentest.Enter)
	waitField(s, "steps", "2")
	atStep(s, 2)
	s.Click(500, 500) // off the screen
	s.Click(0, 0)
	quit(t, s)
}

// TestClickBeyondKeptSteps computes as far as the click.
func TestClickBeyondKeptSteps(t *testing.T) {
	s := newPlace(t).open(wide)
	end, y := find(t, s, "▣")
	s.Type("R")
	atStep(s, 0)
	s.Click((2+end)/2, y)
	atStep(s, steps/2)
	s.Click(end, y)
	atStep(s, steps)
	quit(t, s)
}
