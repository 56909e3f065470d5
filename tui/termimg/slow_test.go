package termimg_test

import (
	"strings"
	"testing"

	"ldx/internal/screentest"
)

// slowRate is what the terminal of TestSlowTerminal takes, in bytes a second.
const slowRate = 1 << 20

// TestSlowTerminal is the question before all others: a terminal takes a megabyte a
// second, text and picture change 20 times a second, the size changes and boxes
// come and go. Keys are answered all the time, nothing of the text is lost, and in
// the end the picture is there.
func TestSlowTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes where the terminal is slow for other reasons, such as the race detector")
	}
	for name, c := range demoCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.rate, c.remote = slowRate, true

			s := startDemo(t, c)
			s.Type("p")
			for i, size := range [][2]int{{120, 40}, {100, 30}, {60, 20}, {110, 36}} {
				s.Resize(size[0], size[1])
				frame, _ := demoState(s)
				s.Type("o")
				s.Wait("the box", func(s *screentest.Screen) bool {
					f, _ := demoState(s)
					return f > frame && hasBox(s) == (i%2 == 0)
				})
			}
			s.Type("p")
			waitShown(t, s, c, 0)
			s.Type("q")
			if code := s.Exit(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		})
	}
}

// hasBox says whether the demo's box is on the screen.
func hasBox(s *screentest.Screen) bool {
	return strings.Contains(s.Text(), "box over the picture#")
}
