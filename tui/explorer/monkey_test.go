package explorer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	tea "charm.land/bubbletea/v2"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/tui/ask"
)

// tape records what a session would write.
type tape struct {
	unrecorded
	mu       sync.Mutex
	appended map[*pipeline.Step]bool
	ops      []pipeline.Op
}

func (r *tape) Append(op pipeline.Op) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.appended[op.Step] = true
	return nil
}

func (r *tape) Queue(op pipeline.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
}

// answerAny answers a question with one of a few texts, if it is one.
func (s *screen) answerAny(random *rand.Rand, msg tea.Msg) tea.Msg {
	switch q := msg.(type) {
	case ask.Line:
		for _, text := range []string{"5", "linear:7..2", "0.5", "step 3", "push > 0.01", "steps:0.2..0.8", "16x16"} {
			if random.IntN(2) == 0 && (q.Check == nil || q.Check(text) == nil) {
				return q.Then(text)
			}
		}
		return nil
	case ask.Choice:
		return q.Then(random.IntN(len(q.Items)))
	case ask.Prompts:
		return q.Then("an earlier prompt")
	case ask.Tokens:
		return nil
	}
	return msg
}

// TestMonkeyOnATree presses random keys and carries out what is pending in random order.
// What was recorded gives the run as it stands, and no step is shown that was not
// written first.
func TestMonkeyOnATree(t *testing.T) {
	keys := []string{
		"space", "left", "right", "home", "end", "r", "R", "esc", "tab", "up", "down", "backspace", "enter", "9",
		"b", "B", "A", "f", "[", "]", "t", "N", "D", "u", "U", "x", "c", "g", "w", "H", "o", "+", "-", "L", "S", "n", "v", "p",
	}
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			s := newScreen(t, &toy.Toy{})
			r := &tape{appended: map[*pipeline.Step]bool{}}
			model := s.works.Model()
			settings := model.Settings()
			settings.Steps = 6
			_, cmd := s.SetModel(model, settings, nil, r)
			s.pending = append(s.pending, cmd)
			for range 300 {
				s.press(keys[random.IntN(len(keys))])
				for range random.IntN(4) {
					s.carryOut(random)
				}
			}
			for n := 0; len(s.pending) > 0; n++ {
				if n > 10_000 {
					t.Fatal("commands without end")
				}
				s.carryOut(random)
			}
			r.mu.Lock() // work that was replaced may be at its end still
			defer r.mu.Unlock()
			again := pipeline.NewRun()
			for _, op := range r.ops {
				if op.Step != nil && !r.appended[op.Step] {
					t.Fatalf("step %d was shown before it was written", op.Step.ID())
				}
				if err := again.Apply(op); err != nil {
					t.Fatal(err)
				}
			}
			run := s.work.run
			t.Logf("%d branches, %d steps, %d calls", len(run.Branches()), run.Len(), s.works.Predicts.Load())
			tips := func(r *pipeline.Run) (out []string) {
				for _, b := range r.Branches() {
					out = append(out, fmt.Sprint(b.Name, b.Tip.ID()))
				}
				return out
			}
			if !slices.Equal(tips(again), tips(run)) || again.At() != run.At() || again.Marked() != run.Marked() {
				t.Errorf("what was recorded gives %v at %d, the screen has %v at %d", tips(again), again.Cursor(), tips(run), run.Cursor())
			}
		})
	}
}

// carryOut carries out one of the pending commands.
func (s *screen) carryOut(random *rand.Rand) {
	if len(s.pending) == 0 {
		return
	}
	i := random.IntN(len(s.pending))
	cmd := s.pending[i]
	s.pending = slices.Delete(s.pending, i, i+1)
	if cmd == nil {
		return
	}
	switch msg := s.answerAny(random, cmd()).(type) {
	case nil:
	case tea.BatchMsg:
		s.pending = append(s.pending, msg...)
	default:
		s.pending = append(s.pending, s.Update(msg))
	}
}
