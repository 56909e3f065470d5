//go:build unix

package scenario

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ldx/internal/screentest"
	"ldx/pipeline"
)

// killsVariable is how many programs TestKilled kills, in chains of chainLength that go
// on with one session.
const (
	killsVariable = "LDX_SCENARIO_KILLS"
	defaultKills  = 40
	chainLength   = 5
)

// TestKilled kills the program at random moments while it runs and branches under
// random keys, and goes on with the session that is left. Every session opens with all
// the numbers of its steps, and no step is missing that the screen showed.
func TestKilled(t *testing.T) {
	kills := defaultKills
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s is %q, want a number", killsVariable, text)
		}
	}
	for chain := range (kills + chainLength - 1) / chainLength {
		t.Run(fmt.Sprint(chain), func(t *testing.T) {
			t.Parallel()
			k := &killed{place: newPlace(t), random: rand.New(rand.NewPCG(2, uint64(chain))), seen: map[evidence]int{}}
			for n := range min(chainLength, kills-chain*chainLength) {
				k.kill(n)
				k.check(n)
			}
			if len(k.seen) == 0 {
				t.Error("no step was ever shown")
			}
			if t.Failed() {
				t.Logf("keys: %q", k.keys)
			}
			t.Logf("%d different steps were shown, %d keys", len(k.seen), len(k.keys))
		})
	}
}

// killed is one session that programs are killed on.
type killed struct {
	*place
	random *rand.Rand
	seen   map[evidence]int // what screens showed, and which program's first
	keys   []string
}

// evidence is what the screen says of a step that is complete: its place and figures.
type evidence struct{ number, push, change string }

// shownEvidence are the places of a step's number and figures.
var shownEvidence = [3]*regexp.Regexp{
	regexp.MustCompile(`│ step (\d+) of`), regexp.MustCompile(`│ cond − uncond +([^│]+?) +│`), regexp.MustCompile(`│ x0 change +([^│]+?) +│`),
}

// evidenceOn reads a whole screen; ok is false where it shows no step, or not all of it.
func evidenceOn(s *screentest.Screen) (e evidence, ok bool) {
	text := s.Text()
	for i, part := range []*string{&e.number, &e.push, &e.change} {
		m := shownEvidence[i].FindStringSubmatch(text)
		if m == nil {
			return e, false
		}
		*part = m[1]
	}
	return e, true
}

// look takes in what a whole frame shows.
func (k *killed) look(s *screentest.Screen, n int) {
	s.Wait("a whole frame", func(s *screentest.Screen) bool {
		if e, ok := evidenceOn(s); ok {
			if _, before := k.seen[e]; !before {
				k.seen[e] = n
			}
		}
		return true
	})
}

// killMoves change the run in every way that there is a key for.
var killMoves = []string{
	" ", " ", " ", " ", " ", "r", "r", "r", "f", "f", "]", "[", "u", "U", "D", "x", "n", "R", "S", "+",
	screentest.Left, screentest.Left, screentest.Home, screentest.End,
	screentest.Up, screentest.Up, screentest.Down, "p", "p", "g", "g",
}

// The moments of keys and of the end.
const (
	mostLife   = 900 * time.Millisecond // after the first step is shown
	mostPause  = 200 * time.Millisecond
	lookingFor = 5 * time.Millisecond
)

// kill runs the program, with keys, until a random moment.
func (k *killed) kill(n int) {
	k.t.Helper()
	args := sampling("--steps", "12")
	if found, _ := filepath.Glob(filepath.Join(k.data, "ldx", "sessions", "*")); len(found) > 0 {
		args = []string{"open", "last"}
	}
	s := k.screen(wide, args...)
	if k.random.IntN(8) > 0 { // now and then the program has hardly begun
		s.Wait("a step", func(s *screentest.Screen) bool { return position(s) >= 0 })
		s.Type(screentest.Tab + screentest.Tab) // guidance
	}
	end := time.Now().Add(time.Duration(k.random.Int64N(int64(mostLife))))
	for time.Now().Before(end) {
		k.press(s)
		pause := time.Now().Add(time.Duration(k.random.Int64N(int64(mostPause))))
		for time.Now().Before(pause) {
			k.look(s, n)
			time.Sleep(lookingFor)
		}
	}
	k.look(s, n)
	s.Signal(syscall.SIGKILL)
	if code := s.Exit(); code != -1 {
		k.t.Fatalf("exit status %d, want the end by the signal:\n%s", code, s.Text())
	}
}

// press sends one of the moves.
func (k *killed) press(s *screentest.Screen) {
	move := killMoves[k.random.IntN(len(killMoves))]
	switch move {
	case "p":
		move += fmt.Sprintf(" %d", k.random.IntN(1000)) + screentest.Enter
	case "g":
		move += fmt.Sprint(k.random.IntN(13)) + screentest.Enter
	}
	k.keys = append(k.keys, move)
	s.Type(move)
}

// check opens what the killed program left.
func (k *killed) check(n int) {
	k.t.Helper()
	found, err := filepath.Glob(filepath.Join(k.data, "ldx", "sessions", "*"))
	k.must(err)
	if len(found) == 0 {
		if len(k.seen) > 0 {
			k.t.Fatalf("steps were shown, but there is no session")
		}
		return
	}
	have := map[evidence]bool{}
	for _, s := range allSteps(k.session(k.sessionDir())) {
		if _, err := s.Tensors(); err != nil {
			k.t.Error(err)
		}
		have[evidenceOf(s)] = true
	}
	for e, first := range k.seen {
		if !have[e] {
			k.t.Errorf("after kill %d, step %s (cond − uncond %s, x0 change %s), shown by program %d, is missing of %d", n, e.number, e.push, e.change, first, len(have))
		}
	}
}

// allSteps are the steps of a run by their numbers. One that was numbered and not
// written when the program was killed has left a gap.
func allSteps(run *pipeline.Run) (all []*pipeline.Step) {
	for id := 0; len(all) < run.Len(); id++ {
		if s := run.Step(id); s != nil {
			all = append(all, s)
		}
	}
	return all
}

// evidenceOf is how the screen shows a step.
func evidenceOf(s *pipeline.Step) evidence {
	e := evidence{number: fmt.Sprint(s.Number()), push: "guidance is off", change: "–"}
	if p := s.Figures.Push; p != 0 {
		e.push = fmt.Sprintf("%.3f", p)
	}
	if s.Done() {
		e.push = "–"
	}
	if c := s.Figures.Change; c != 0 {
		e.change = fmt.Sprintf("%.1f %%", 100*c)
	}
	return e
}
