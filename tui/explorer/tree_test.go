package explorer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/tui/ask"
)

// branches lists the names of branches, the current one in brackets.
func (s *screen) branches() (out []string) {
	for _, b := range s.work.run.Branches() {
		name := b.Name
		if b.ID == s.work.run.Current().ID {
			name = "[" + name + "]"
		}
		out = append(out, name)
	}
	return out
}

func (s *screen) wantBranches(want ...string) {
	s.t.Helper()
	if got := s.branches(); !slices.Equal(got, want) {
		s.t.Errorf("branches are %v, want %v", got, want)
	}
}

// reply answers the question that the last key asked.
func (s *screen) reply(text string) *screen {
	s.t.Helper()
	cmd := s.pending[len(s.pending)-1]
	s.pending = s.pending[:len(s.pending)-1]
	line, ok := cmd().(ask.Line)
	if !ok {
		s.t.Fatal("nothing was asked")
	}
	if line.Check != nil {
		if err := line.Check(text); err != nil {
			s.t.Fatal(err)
		}
	}
	s.pending = append(s.pending, func() tea.Msg { return line.Then(text) })
	return s
}

func back(n int) []string { return slices.Repeat([]string{"left"}, n) }

func TestEditAtAKeptStepBranches(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press(back(12)...).press("p", "!", "enter").settle().press("r").settle()
	s.expect(20, 20, 32)
	s.wantBranches("a", "[b]")
	trunk := s.work.run.Branches()[0].Tip
	s.press("[").settle()
	s.wantBranches("[a]", "b")
	if s.work.run.Tip() != trunk || s.work.run.Cursor() != 20 {
		t.Error("the trunk is not as it was")
	}
	s.press("]", "left", "left", "left").settle()
	s.press("tab", "tab", "up", "up").settle() // two presses, one branch
	s.wantBranches("a", "b", "[c]")
	s.press("D").settle()
	s.wantBranches("a", "[b]")
	s.press("u").settle()
	s.wantBranches("a", "b", "[c]")
	s.press("N").reply("strong").settle()
	s.wantBranches("a", "b", "[strong]")
}

// TestEditsOfAnEndedRunShareABranch: while the run is made again for one change,
// another begins it anew in the same place.
func TestEditsOfAnEndedRunShareABranch(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("tab", "tab", "up", "up", "up").settle()
	s.wantBranches("a", "[b]")
	for _, step := range s.work.run.Path() {
		if step.Settings.Guidance != 4.5 {
			t.Fatalf("step %d was made at guidance %g, want 4.5", step.Index(), step.Settings.Guidance)
		}
	}
	if tip := s.work.run.Tip(); !tip.Done() {
		t.Errorf("the run stops at step %d", tip.Number())
	}
}

func TestUndoOfEdits(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press(back(5)...).press("tab", "tab", "up").settle()
	s.wantBranches("a", "[b]")
	s.press("u").settle()
	s.wantBranches("[a]")
	if g := s.Settings().Guidance; g != 3 || s.work.run.Cursor() != 15 {
		t.Errorf("guidance %g at step %d, want 3 at 15", g, s.work.run.Cursor())
	}
	s.press("U").settle()
	s.wantBranches("a", "[b]")
	s.expect(15, 15, 20)
}

func TestForkAndSampler(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press(back(10)...).press("f").settle()
	s.wantBranches("a", "[b]")
	s.press("tab", "tab", "tab", "tab", "enter")
	s.press("e", "u", "l", "e", "r", "enter") // replaces what stands there
	s.settle()
	s.expect(10, 10, 20) // the kept outputs serve another sampler
	s.press("r").settle()
	if got := s.work.run.Tip().Leg.Plan.Sampler().Name; got != "euler" {
		t.Errorf("the run goes on with %s, want euler", got)
	}
	s.expect(20, 20, 29)
}

func TestBreakpoints(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press(back(15)...).press("b").press("p", "!", "enter").settle() // at step 5: not hit by itself
	s.press("B").reply("step 9").settle().press("r").settle()
	if k := s.work.run.Cursor(); k != 9 || !strings.Contains(s.notice.text, "stopped at breakpoint step 9") {
		t.Errorf("stopped at %d, saying %q", k, s.notice.text)
	}
	s.press("b", "r").settle() // gone again
	s.expect(20, 20, 35)
}

func TestRunToStep(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("g").reply("7").settle().expect(7, 20, 20)
	s.press("p", "!", "enter").settle().press("g").reply("9").settle().expect(9, 9, 23)
}

func TestSweepCostsNoCalls(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	decodes := s.works.Decodes.Load()
	s.press(back(8)...).press("w").settle()
	if s.sweep == nil || s.sweep.picture() == nil {
		t.Fatal("no sweep is shown")
	}
	if n := s.works.Decodes.Load() - decodes; n != sweepValues {
		t.Errorf("%d pictures decoded, want %d", n, sweepValues)
	}
	s.expect(12, 20, 20)
	s.press("9").settle().expect(12, 12, 20)
	if g := s.Settings().Guidance; g != 14 {
		t.Errorf("guidance is %g, want 14", g)
	}
	s.press("w").settle().press("w").settle() // eta
	if s.sweep == nil || !s.sweep.eta {
		t.Fatal("the second sweep is not of eta")
	}
	s.press("right", "enter").settle()
	if s.Settings().Eta == 0 || s.sweep != nil {
		t.Errorf("eta is %g", s.Settings().Eta)
	}
}

func TestCompareWithTheMarked(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("c")
	if !strings.Contains(s.notice.text, "no step is marked") {
		t.Errorf("without a mark: %q", s.notice.text)
	}
	s.press("x", "home", "c").settle()
	if view := s.View(""); !strings.Contains(view, "marked, step 20") || !strings.Contains(view, "difference") {
		t.Error("the marked step is not shown")
	}
	s.press("end", "x").settle()
	if s.marked() != nil {
		t.Error("still compared with a mark that is gone")
	}
}

// TestAheadIsTakenAndDropped: steps computed ahead cost no call when they are asked
// for; those of another prompt are not taken.
func TestAheadIsTakenAndDropped(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press(back(10)...).press("p", "!", "enter").settle().expect(10, 10, 21)
	s.press("A").settle().expect(10, 10, 21+aheadSteps)
	s.press("space").settle()
	if k, calls := s.work.run.Cursor(), s.works.Predicts.Load(); k != 11 || calls != 21+aheadSteps {
		t.Errorf("at step %d after %d calls", k, calls)
	}
	s.press("A", "p", "?", "enter", "space").settle() // off
	if got := s.work.run.Tip().Settings.Prompt; got != "a toy!?" {
		t.Errorf("the step was made for %q", got)
	}
}

func TestSeeds(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	seed := s.Settings().Seed
	s.press("+").settle()
	if got := s.Settings().Seed; got != seed+1 || !s.work.run.Tip().Done() {
		t.Errorf("seed %d after +, want %d", got, seed+1)
	}
	s.press("S")
	if !strings.Contains(s.notice.text, "raise eta") {
		t.Errorf("new noise where none is drawn: %q", s.notice.text)
	}
	s.press(back(10)...).press("tab", "tab", "tab", "up", "up").settle().press("r").settle()
	calls := int(s.works.Predicts.Load())
	s.press(back(5)...).press("S").settle().expect(15, 15, calls)
	if s.Settings().LaterSeed == 0 || s.Settings().Seed != seed+1 {
		t.Error("the coming noise is not another one")
	}
	s.press("L", "R").settle()
	if s.Settings().Seed == seed+1 {
		t.Error("a loose seed stayed")
	}
}

// TestStepsOfAnotherBranchStay: what was made of a branch that was left is kept.
func TestStepsOfAnotherBranchStay(t *testing.T) {
	works := &toy.Toy{}
	s := newScreen(t, works).open().settle()
	s.press(back(10)...).press("p", "!", "enter").settle()
	works.Gate = make(chan struct{}, 4)
	s.press("r")
	for range 3 {
		works.Gate <- struct{}{}
	}
	s.press("[").settle()
	if b := s.work.run.Branches()[1]; b.Tip.Index() < 10 || s.Busy() {
		t.Errorf("the branch ends at %d, busy %t", b.Tip.Index(), s.Busy())
	}
	if b := s.work.run.Current(); b.Name != "a" {
		t.Errorf("on branch %s, want a", b.Name)
	}
}

// TestMoreSettings sets one that has no field, after its cost was said.
func TestMoreSettings(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press(back(8)...).press("o")
	cmd := s.pending[len(s.pending)-1]
	s.pending = s.pending[:len(s.pending)-1]
	choice, ok := cmd().(ask.Choice)
	if !ok {
		t.Fatal("nothing was asked")
	}
	i := slices.IndexFunc(choice.Items, func(i ask.Item) bool { return i.Name == "guidance-schedule" })
	s.pending = append(s.pending, s.Update(choice.Then(i)))
	line, ok := s.pending[len(s.pending)-1]().(ask.Line)
	if !ok {
		t.Fatal("no value was asked for")
	}
	if err := line.Check("wave"); err == nil {
		t.Error("any schedule will do")
	}
	if note := line.Note("linear:7..2"); !strings.Contains(note, "0 now, 7 to the end") {
		t.Errorf("it says %q of its cost", note)
	}
	s.reply("linear:7..2").settle().expect(12, 12, 20)
	if got := s.work.run.At().Settings.Guiding.Schedule; got != "linear:7..2" {
		t.Errorf("the schedule is %q", got)
	}
	if view := s.View(""); !strings.Contains(view, "guidance-schedule") {
		t.Error("the setting is not shown")
	}
}

// full is a recorder whose disk is full.
type full struct{ unrecorded }

func (full) Append(pipeline.Op) error { return errors.New("no space left on device") }

// TestFullDiskDoesNotEndTheRun: steps that cannot be written are shown and gone on from.
func TestFullDiskDoesNotEndTheRun(t *testing.T) {
	s := newScreen(t, &toy.Toy{})
	model := s.works.Model()
	_, cmd := s.SetModel(model, model.Settings(), nil, full{})
	s.pending = append(s.pending, cmd)
	s.settle().expect(20, 20, 20)
}
