package scenario

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ldx/internal/screentest"
)

// position is the step that the screen shows, -1 where it shows none.
func position(s *screentest.Screen) int {
	m := regexp.MustCompile(`step (\d+) of`).FindStringSubmatch(s.Text())
	if m == nil {
		return -1
	}
	k, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return k
}

// TestEditWhileRunning changes a prompt and the guidance in the middle of a run,
// which goes on from there.
func TestEditWhileRunning(t *testing.T) {
	p := newPlace(t)
	s := p.screen(wide, "-p", prompt, "-s", "42", "--steps", "900")
	s.Wait("some steps", func(s *screentest.Screen) bool { return position(s) >= 3 })
	s.Type("p on a table")
	s.WaitText(prompt + " on a table")
	s.Wait("steps while typing", func(s *screentest.Screen) bool { return position(s) >= 6 })
	before := position(s)
	s.Type(screentest.Enter)
	s.Wait("the edit applied", func(s *screentest.Screen) bool {
		return !strings.Contains(s.Text(), "esc leave it") && strings.Contains(s.Text(), "running, step")
	})
	if k := position(s); k < before-1 { // one may have been in the making
		t.Errorf("after the edit the run is at step %d, before at %d", k, before)
	}
	s.Type(screentest.Tab + screentest.Tab + screentest.Up)
	waitField(s, "guidance", "3.5")
	at := position(s)
	s.Wait("more steps", func(s *screentest.Screen) bool { return position(s) > at })
	if at < before-1 {
		t.Errorf("after the guidance the run is at step %d, before at %d", at, before)
	}
	s.Type(screentest.Escape)
	s.WaitText("stopped")
	quit(t, s)
	noPanic(t, p, s)
}

// presses are the monkey's keys, but for those that quit.
var presses = []string{
	" ", screentest.Left, screentest.Right, "h", "l", screentest.Home, screentest.End, "r", "R", screentest.Escape,
	screentest.Tab, screentest.ShiftTab, screentest.Enter, screentest.Up, screentest.Down, "j", "k", screentest.Backspace,
	"b", "B", "A", "f", "[", "]", "t", "N", "D", "u", "U", "c", "g", "w", "H", "T", "o", "+", "-", "L", "S", "e", "\x0b",
	"n", "p", "v", "s", "y", "m", "?", "1", "5", ".", "x", "é", "🍎", "世", screentest.Delete, screentest.PageUp, screentest.PageDown,
	"\x1b[200~pasted\nlines 世\x1b[201~", "\x1b[<64;10;10M", "\x1b[<65;10;10M", "\x1b[I", "\x1b[O", "\x1b[200;5u", "\x00",
}

// TestMonkey presses random keys, clicks and resizes.
func TestMonkey(t *testing.T) {
	for _, terminal := range []screentest.Terminal{screentest.Kitty, screentest.Xterm, screentest.Plain} {
		t.Run(fmt.Sprint(terminal), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, uint64(terminal)))
			p := newPlace(t)
			p.model(p.data + "/ldx/models/copy")
			s := p.screen(screentest.Options{Cols: 80, Rows: 24, Terminal: terminal}, sampling("--steps", "4")...)
			waitSane(s)
			var done []string
			for range 200 {
				done = append(done, monkeyMove(random, s))
			}
			s.Type("x") // so that no esc before it makes another key of ctrl+c
			s.Type(screentest.CtrlC)
			if code := s.Exit(); code != 0 {
				t.Errorf("exit status %d, want 0; the screen is\n%s", code, s.Text())
			}
			noPanic(t, p, s)
			if t.Failed() {
				t.Logf("moves: %q", done)
			}
		})
	}
}

func monkeyMove(random *rand.Rand, s *screentest.Screen) string {
	cols, rows := s.Size()
	switch random.IntN(10) {
	case 0:
		sizes := [][2]int{{80, 24}, {20, 5}, {120, 34}, {64, 23}, {100, 30}, {160, 50}}
		size := sizes[random.IntN(len(sizes))]
		s.Resize(size[0], size[1])
		waitSane(s)
		return fmt.Sprint(size)
	case 1, 2:
		x, y := random.IntN(cols), random.IntN(rows)
		s.Click(x, y)
		return fmt.Sprintf("click %d,%d", x, y)
	}
	key := presses[random.IntN(len(presses))]
	s.Type(key)
	if random.IntN(4) == 0 {
		waitSane(s)
	}
	return key
}
