package tree

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/tui/theme"
)

var update = flag.Bool("update", false, "write the golden screens anew")

var plain = theme.New(true, colorprofile.TrueColor)

// grove is a run on the toy.
type grove struct {
	t     testing.TB
	model *pipeline.Model
	run   *pipeline.Run
}

func newGrove(t testing.TB) *grove {
	g := &grove{t: t, model: (&toy.Toy{}).Model(), run: pipeline.NewRun()}
	g.restart(7)
	return g
}

func (g *grove) do(op pipeline.Op) {
	g.t.Helper()
	if op.Step != nil {
		g.run.Number(op.Step)
	}
	if err := g.run.Apply(op); err != nil {
		g.t.Fatal(err)
	}
}

func (g *grove) take(s *pipeline.Step, err error, to pipeline.Aim) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	g.do(pipeline.Op{Do: pipeline.Take, Step: s, Aim: to})
}

func (g *grove) restart(seed uint64) {
	g.t.Helper()
	s := g.model.Settings()
	s.Seed = seed
	step, err := g.model.Begin(context.Background(), s)
	g.take(step, err, g.run.AimEdit(0))
}

func (g *grove) advance(k int) {
	g.t.Helper()
	for g.run.Tip().Index() < k {
		step, err := g.model.Advance(context.Background(), g.run.Tip())
		g.take(step, err, g.run.AimOn())
	}
}

func (g *grove) to(branch, k int) {
	g.t.Helper()
	g.do(pipeline.Op{Do: pipeline.Move, Aim: pipeline.Aim{Branch: branch}, To: k})
}

func (g *grove) edit(change func(*pipeline.Settings)) {
	g.t.Helper()
	s := g.run.At().Settings
	change(&s)
	step, err := g.model.Edit(context.Background(), g.run.At(), s)
	g.take(step, err, g.run.AimEdit(g.run.Cursor()))
}

// branchOff leaves a branch at index k with another guidance and goes on to end.
func (g *grove) branchOff(from, k int, guidance float64, end int) {
	g.t.Helper()
	g.to(from, k)
	g.edit(func(s *pipeline.Settings) { s.Guidance = guidance })
	g.advance(end)
}

// wood is a run with all there is to draw.
func wood(t testing.TB) *grove {
	g := newGrove(t)
	g.advance(20)
	g.branchOff(0, 8, 5, 20) // b
	g.branchOff(1, 14, 6, 18)
	g.branchOff(0, 12, 1, 20) // d, drawn above b
	g.to(0, 8)
	g.edit(func(s *pipeline.Settings) { s.Prompt = "a green pear\non a table" }) // e leaves where b does
	g.advance(11)
	g.do(pipeline.Op{Do: pipeline.Mark, To: g.run.Step(5).ID()})
	g.restart(8) // f
	g.advance(3)
	g.to(0, 16)
	g.do(pipeline.Op{Do: pipeline.Fork, Aim: pipeline.Aim{Branch: 0}, To: 16}) // g, without a step
	g.to(4, 10)
	g.do(pipeline.Op{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 4}, Name: "pears and other fruit"})
	return g
}

func screen(view string) string {
	lines := strings.Split(ansi.Strip(view), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestGoldenTrees(t *testing.T) {
	tests := map[string]struct{ w, h int }{"wide-80x9": {80, 9}, "panel-40x4": {40, 4}, "narrow-20x8": {20, 8}}
	for name, size := range tests {
		t.Run(name, func(t *testing.T) {
			g, m := wood(t), &Model{}
			view := m.View(State{Run: g.run, Breaks: []int{4, 15, 99}, Busy: true}, size.w, size.h, plain)
			for _, line := range strings.Split(view, "\n") {
				if w := ansi.StringWidth(line); w > size.w {
					t.Errorf("a line has %d columns, want at most %d: %s", w, size.w, ansi.Strip(line))
				}
			}
			got, path := screen(view), filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the tree is\n%swant (go test -update writes it anew)\n%s", got, want)
			}
		})
	}
}

// TestLayoutFollowsTheRun compares what is kept from frame to frame with a drawing from
// nothing, after every operation.
func TestLayoutFollowsTheRun(t *testing.T) {
	g, kept := newGrove(t), &Model{}
	same := func(what string) {
		t.Helper()
		s := State{Run: g.run}
		fresh := &Model{}
		want := fresh.View(s, 80, 40, plain)
		if got := kept.View(s, 80, 40, plain); got != want {
			t.Errorf("after %s the tree is\n%swant\n%s", what, screen(got), screen(want))
		}
	}
	steps := []struct {
		what string
		do   func()
	}{
		{"a start", func() {}},
		{"a step", func() { g.advance(1) }},
		{"the end", func() { g.advance(20) }},
		{"a branch", func() { g.branchOff(0, 8, 5, 12) }},
		{"another tip", func() { g.edit(func(s *pipeline.Settings) { s.Eta = 1 }) }},
		{"undo", func() { g.do(pipeline.Op{Do: pipeline.Undo}) }},
		{"redo", func() { g.do(pipeline.Op{Do: pipeline.Redo}) }},
		{"a child", func() { g.branchOff(1, 10, 2, 14) }},
		{"its parent deleted", func() { g.do(pipeline.Op{Do: pipeline.Delete, Aim: pipeline.Aim{Branch: 1}}) }},
		{"fork", func() { g.do(pipeline.Op{Do: pipeline.Fork, Aim: pipeline.Aim{Branch: 0}, To: 3}) }},
		{"its first step", func() { g.advance(4) }},
		{"another start", func() { g.restart(9) }},
		{"the first deleted", func() { g.do(pipeline.Op{Do: pipeline.Delete, Aim: pipeline.Aim{Branch: 0}}) }},
		{"undo of that", func() { g.do(pipeline.Op{Do: pipeline.Undo}) }},
	}
	for _, s := range steps {
		s.do()
		same(s.what)
	}
}

// TestEveryStepIsDrawnOnce counts the steps of a tree that has room.
func TestEveryStepIsDrawnOnce(t *testing.T) {
	g, m := wood(t), &Model{}
	view := ansi.Strip(m.View(State{Run: g.run}, 36, 20, plain))
	count := 0
	for _, glyph := range []string{stepHere, stepElse, stepCursor, stepMarked} {
		count += strings.Count(view, glyph)
	}
	if want := g.run.Len(); count != want {
		t.Errorf("%d steps are drawn, want %d:\n%s", count, want, view)
	}
}

func TestAtFindsWhatIsDrawn(t *testing.T) {
	for _, w := range []int{15, 30, 80} {
		g, m := wood(t), &Model{}
		lines := strings.Split(ansi.Strip(m.View(State{Run: g.run, Breaks: []int{2}}, w, 20, plain)), "\n")
		for y, line := range lines {
			x := strings.Index(line, stepCursor)
			if x < 0 {
				continue
			}
			branch, step, ok := m.At(ansi.StringWidth(line[:x]), y)
			if c := g.run.Cursor(); !ok || branch != g.run.Current().ID || step != c && m.at.track == 21 {
				t.Errorf("width %d: the cursor is on branch %d at %d (%t), want %d at %d", w, branch, step, ok, g.run.Current().ID, c)
			}
		}
		if _, _, ok := m.At(5, 0); ok {
			t.Error("there is a step in the heading")
		}
		if _, _, ok := m.At(5, len(lines)); ok {
			t.Error("there is a step below the tree")
		}
		if branch, step, ok := m.At(0, 1); branch != 0 || step != 20 || !ok {
			t.Errorf("the first name is branch %d at %d (%t), want 0 at 20", branch, step, ok)
		}
	}
}

func TestColumnsAndIndices(t *testing.T) {
	for end := range 120 {
		for w := 2; w < 90; w++ {
			last := -1
			for k := range end + 1 {
				x := column(k, end, w)
				if x < last || x >= max(w, end+1) || end >= w && x >= w {
					t.Fatalf("index %d of %d in %d columns is at %d after %d", k, end, w, x, last)
				}
				if got := index(x, end, w); column(got, end, w) != x {
					t.Fatalf("column %d of %d for 0 to %d is index %d, drawn at %d", x, w, end, got, column(got, end, w))
				}
				last = x
			}
		}
	}
}

// TestCurrentBranchIsSeen goes through the branches of a tree higher than its pane.
func TestCurrentBranchIsSeen(t *testing.T) {
	g, m := newGrove(t), &Model{}
	g.advance(20)
	for k := range 19 {
		g.branchOff(0, k, 9, k+1)
	}
	for _, b := range g.run.Branches() {
		g.to(b.ID, b.Tip.Index())
		for _, h := range []int{1, 2, 5} {
			view := ansi.Strip(m.View(State{Run: g.run}, 60, h, plain))
			if !strings.Contains(view, "▸"+b.Name) || !strings.Contains(view, stepCursor) {
				t.Fatalf("branch %s is not among %d rows:\n%s", b.Name, h, view)
			}
			if !strings.ContainsAny(view, "↑↓") {
				t.Fatalf("%d rows do not say that there are more:\n%s", h, view)
			}
		}
	}
}

func TestNoStepsNoTree(t *testing.T) {
	m := &Model{}
	if got := m.View(State{Run: pipeline.NewRun()}, 40, 5, plain); got != "" {
		t.Errorf("a run without steps is drawn as %q", got)
	}
	if _, _, ok := m.At(0, 0); ok {
		t.Error("there is a step in it")
	}
}
