package pipeline_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ldx/internal/toy"
	"ldx/pipeline"
)

// tree is a run on the toy, with all that was done to it.
type tree struct {
	t     *testing.T
	works *toy.Toy
	model *pipeline.Model
	run   *pipeline.Run
	log   []pipeline.Op
}

func newTree(t *testing.T) *tree {
	works := &toy.Toy{}
	return &tree{t: t, works: works, model: works.Model(), run: pipeline.NewRun()}
}

func (tr *tree) do(op pipeline.Op) {
	tr.t.Helper()
	if op.Step != nil {
		tr.run.Number(op.Step)
	}
	if err := tr.run.Apply(op); err != nil {
		tr.t.Fatalf("%+v: %v", op, err)
	}
	tr.log = append(tr.log, op)
}

func (tr *tree) begin(s pipeline.Settings) {
	tr.t.Helper()
	step, err := tr.model.Begin(context.Background(), s)
	tr.take(step, err, tr.run.AimEdit(0))
}

func (tr *tree) take(s *pipeline.Step, err error, to pipeline.Aim) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.do(pipeline.Op{Do: pipeline.Take, Step: s, Aim: to})
}

// advance goes on from the tip to index k.
func (tr *tree) advance(k int) {
	tr.t.Helper()
	for tr.run.Tip().Index() < k {
		step, err := tr.model.Advance(context.Background(), tr.run.Tip())
		tr.take(step, err, tr.run.AimOn())
	}
}

func (tr *tree) edit(change func(*pipeline.Settings)) {
	tr.t.Helper()
	s := tr.run.At().Settings
	change(&s)
	step, err := tr.model.Edit(context.Background(), tr.run.At(), s)
	tr.take(step, err, tr.run.AimEdit(tr.run.Cursor()))
}

func (tr *tree) to(branch, k int) {
	tr.t.Helper()
	tr.do(pipeline.Op{Do: pipeline.Move, Aim: pipeline.Aim{Branch: branch}, To: k})
}

// TestTrunkStaysAndCallsAreCounted is the debugger's promise: 20 steps, back to 8,
// another prompt, to the end. The trunk is as it was, and the denoiser was called once
// at the cursor and 11 times to the end. Another guidance costs nothing at the cursor.
func TestTrunkStaysAndCallsAreCounted(t *testing.T) {
	tests := map[string]struct {
		change func(*pipeline.Settings)
		calls  int64
	}{
		"prompt":   {func(s *pipeline.Settings) { s.Prompt = "another" }, 20 + 12},
		"guidance": {func(s *pipeline.Settings) { s.Guidance = 5 }, 20 + 11},
		"eta":      {func(s *pipeline.Settings) { s.Eta = 1 }, 20 + 11},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t)
			tr.begin(toySettings(tr.model))
			tr.advance(20)
			var sums []float64
			for _, s := range tr.run.Path() {
				sums = append(sums, checksum(t, s))
			}
			tr.to(0, 8)
			tr.edit(tt.change)
			tr.advance(20)
			if got := tr.works.Predicts.Load(); got != tt.calls {
				t.Errorf("%d calls, want %d", got, tt.calls)
			}
			if b := tr.run.Current(); b.Name != "b" || b.From != 0 || b.At != 8 {
				t.Errorf("on branch %+v, want b from the first at 8", b)
			}
			tr.to(0, 20)
			for k, s := range tr.run.Path() {
				if checksum(t, s) != sums[k] {
					t.Errorf("step %d of the trunk changed", k)
				}
			}
		})
	}
}

// names lists the branches with the indices of their tips.
func names(r *pipeline.Run) (out []string) {
	for _, b := range r.Branches() {
		out = append(out, b.Name+strings.Repeat("·", b.Tip.Index()))
	}
	return out
}

func TestEditsBranchOrReplace(t *testing.T) {
	tr := newTree(t)
	tr.begin(toySettings(tr.model))
	tr.advance(3)
	more := func(s *pipeline.Settings) { s.Guidance++ }
	tr.edit(more) // at the tip: nothing lies beyond
	tr.edit(more)
	if got := names(tr.run); !slices.Equal(got, []string{"a···"}) {
		t.Fatalf("branches are %v after edits at the tip", got)
	}
	tr.to(0, 1)
	tr.edit(more)
	tr.edit(more)
	if got := names(tr.run); !slices.Equal(got, []string{"a···", "b·"}) {
		t.Fatalf("branches are %v after edits in the middle", got)
	}
	if got, want := tr.run.At().Settings.Guidance, tr.model.Settings().Guidance+2; got != want {
		t.Errorf("guidance is %g, want %g", got, want)
	}
	undo := pipeline.Op{Do: pipeline.Undo}
	tr.do(undo)
	tr.do(undo) // the branch itself
	if got := names(tr.run); !slices.Equal(got, []string{"a···"}) || tr.run.Cursor() != 1 {
		t.Fatalf("branches are %v and the cursor is at %d after undoing", got, tr.run.Cursor())
	}
	tr.do(undo)
	tr.do(undo)
	if got, want := tr.run.Tip().Settings.Guidance, tr.model.Settings().Guidance; got != want || tr.run.CanUndo() {
		t.Errorf("guidance is %g and there is more to undo: %t", got, tr.run.CanUndo())
	}
	for range 4 {
		tr.do(pipeline.Op{Do: pipeline.Redo})
	}
	if got := names(tr.run); !slices.Equal(got, []string{"a···", "b·"}) || tr.run.CanRedo() {
		t.Errorf("branches are %v after doing it all again", got)
	}
}

func TestBranchesAreNamedAndDeleted(t *testing.T) {
	tr := newTree(t)
	tr.begin(toySettings(tr.model))
	tr.advance(3)
	tr.do(pipeline.Op{Do: pipeline.Fork, Aim: pipeline.Aim{Branch: 0}, To: 1})
	tr.advance(2)
	tr.do(pipeline.Op{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 1}, Name: " moody "})
	for _, bad := range []pipeline.Op{
		{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 1}, Name: "a"},
		{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 1}, Name: strings.Repeat("x", pipeline.MaxBranchName+1)},
		{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 1}, Name: "\x1b[2J"},
		{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 7}, Name: "x"},
		{Do: pipeline.Fork, Aim: pipeline.Aim{Branch: 0}, To: 9},
		{Do: "jump"},
	} {
		if err := tr.run.Apply(bad); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error is %v, want one line", bad, err)
		}
	}
	tr.do(pipeline.Op{Do: pipeline.Delete, Aim: pipeline.Aim{Branch: 1}})
	if err := tr.run.Apply(pipeline.Op{Do: pipeline.Delete}); err == nil {
		t.Error("the only branch was deleted")
	}
	if got := tr.run.Current().Name; got != "a" || tr.run.Cursor() != 2 {
		t.Errorf("on branch %s at %d, want a at 2, where the other left it", got, tr.run.Cursor())
	}
	tr.do(pipeline.Op{Do: pipeline.Undo})
	if got := names(tr.run); !slices.Equal(got, []string{"a···", "moody··"}) || tr.run.Current().Name != "moody" {
		t.Errorf("branches are %v after undoing", got)
	}
}

// TestRunIsItsOperations does random things to a run and then all of them again to
// another: the two stand alike.
func TestRunIsItsOperations(t *testing.T) {
	for seed := range uint64(30) {
		tr := newTree(t)
		random := rand.New(rand.NewPCG(seed, 0))
		tr.begin(toySettings(tr.model))
		for range 60 {
			tr.random(random)
		}
		again := pipeline.NewRun()
		for _, op := range tr.log {
			if err := again.Apply(op); err != nil {
				t.Fatalf("seed %d: %+v: %v", seed, op, err)
			}
		}
		if got, want := names(again), names(tr.run); !slices.Equal(got, want) {
			t.Errorf("seed %d: branches are %v, want %v", seed, got, want)
		}
		if again.At() != tr.run.At() || again.Cursor() != tr.run.Cursor() || again.Current().ID != tr.run.Current().ID || again.Len() != tr.run.Len() {
			t.Errorf("seed %d: the cursor is elsewhere", seed)
		}
		if path := tr.run.At().Path(); !slices.Equal(path, tr.run.Path()[:len(path)]) {
			t.Errorf("seed %d: the path is not that of its steps", seed)
		}
	}
}

func (tr *tree) random(r *rand.Rand) {
	branches := tr.run.Branches()
	b := branches[r.IntN(len(branches))]
	switch r.IntN(8) {
	case 0, 1:
		if tip := tr.run.Tip(); !tip.Done() {
			tr.advance(tip.Index() + 1 + r.IntN(2))
		}
	case 2:
		tr.edit(func(s *pipeline.Settings) { s.Guidance = float64(r.IntN(9)) })
	case 3:
		tr.to(b.ID, r.IntN(b.Tip.Index()+1))
	case 4:
		tr.do(pipeline.Op{Do: pipeline.Fork, Aim: pipeline.Aim{Branch: b.ID}, To: r.IntN(b.Tip.Index() + 1)})
	case 5:
		if len(branches) > 1 {
			tr.do(pipeline.Op{Do: pipeline.Delete, Aim: pipeline.Aim{Branch: b.ID}})
		}
	case 6:
		if tr.run.CanUndo() {
			tr.do(pipeline.Op{Do: pipeline.Undo})
		}
	case 7:
		if tr.run.CanRedo() {
			tr.do(pipeline.Op{Do: pipeline.Redo})
		}
	}
}
