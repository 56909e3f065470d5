package export_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"
	"testing"

	"ldx/internal/export"
	"ldx/internal/toy"
	"ldx/pipeline"
)

// tree is a run on the toy: a whole trunk, and branches from it.
type tree struct {
	t     *testing.T
	model *pipeline.Model
	run   *pipeline.Run
}

func newTree(t *testing.T, change func(*pipeline.Settings)) *tree {
	t.Helper()
	tr := &tree{t, (&toy.Toy{}).Model(), pipeline.NewRun()}
	s := tr.model.Settings()
	change(&s)
	step, err := tr.model.Begin(context.Background(), s)
	tr.take(step, err, tr.run.AimEdit(0))
	tr.finish()
	return tr
}

func (tr *tree) do(op pipeline.Op) {
	tr.t.Helper()
	if op.Step != nil {
		tr.run.Number(op.Step)
	}
	if err := tr.run.Apply(op); err != nil {
		tr.t.Fatalf("%+v: %v", op, err)
	}
}

func (tr *tree) take(s *pipeline.Step, err error, to pipeline.Aim) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.do(pipeline.Op{Do: pipeline.Take, Step: s, Aim: to})
}

func (tr *tree) finish() {
	tr.t.Helper()
	for !tr.run.Tip().Done() {
		step, err := tr.model.Advance(context.Background(), tr.run.Tip())
		tr.take(step, err, tr.run.AimOn())
	}
}

// branch goes back to index k of a branch, changes settings there and goes on to the end.
func (tr *tree) branch(from, k int, change func(*pipeline.Settings)) {
	tr.t.Helper()
	tr.do(pipeline.Op{Do: pipeline.Move, Aim: pipeline.Aim{Branch: from}, To: k})
	s := tr.run.At().Settings
	change(&s)
	step, err := tr.model.Edit(context.Background(), tr.run.At(), s)
	tr.take(step, err, tr.run.AimEdit(k))
	tr.finish()
}

// shades gives each step a picture of its own colour, and keeps which were asked for.
type shades struct{ asked []*pipeline.Step }

func (sh *shades) picture(s *pipeline.Step) (*image.RGBA, error) {
	sh.asked = append(sh.asked, s)
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.Pix[i] = []uint8{200, uint8(s.ID()), 7, 255}[i%4]
	}
	return img, nil
}

// places finds the top left corner of each step's thumbnail on a sheet.
func places(img image.Image) map[int]image.Point {
	at := map[int]image.Point{}
	b := img.Bounds()
	for y := range b.Max.Y {
		for x := range b.Max.X {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			if _, seen := at[int(c.G)]; !seen && c.R == 200 && c.B == 7 {
				at[int(c.G)] = image.Pt(x, y)
			}
		}
	}
	return at
}

func sheetOf(t *testing.T, run *pipeline.Run) (image.Image, []*pipeline.Step) {
	t.Helper()
	var file bytes.Buffer
	var sh shades
	if err := export.Sheet(&file, run, sh.picture, "the parameters"); err != nil {
		t.Fatal(err)
	}
	if _, key, value := text(t, file.Bytes()); key != "parameters" || value != "the parameters" {
		t.Errorf("text %s: %s", key, value)
	}
	img, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	return img, sh.asked
}

// TestSheetHasARowABranch looks at where thumbnails are: a branch's below its origin's,
// steps of one number below each other, shared steps once.
func TestSheetHasARowABranch(t *testing.T) {
	tr := newTree(t, func(s *pipeline.Settings) { s.Steps = 6 })                 // steps 0 to 6
	tr.branch(0, 4, func(s *pipeline.Settings) { s.Guidance = 7.5 })             // 7 to 9
	tr.branch(1, 5, func(s *pipeline.Settings) { s.Prompt = "a second prompt" }) // 10 and 11
	img, asked := sheetOf(t, tr.run)
	at := places(img)
	if len(at) != 12 || len(asked) != 12 {
		t.Fatalf("%d thumbnails of %d pictures, want 12", len(at), len(asked))
	}
	for _, ids := range [][]int{{0, 1, 2, 3, 4, 5, 6}, {7, 8, 9}, {10, 11}} {
		for i := 1; i < len(ids); i++ {
			if a, b := at[ids[i-1]], at[ids[i]]; a.Y != b.Y || a.X >= b.X {
				t.Errorf("step %d at %v, step %d at %v: want one row", ids[i-1], a, ids[i], b)
			}
		}
	}
	for _, pair := range [][2]int{{4, 7}, {6, 9}, {8, 10}, {9, 11}} {
		if a, b := at[pair[0]], at[pair[1]]; a.X != b.X || a.Y+16 >= b.Y {
			t.Errorf("step %d at %v, step %d at %v: want one column", pair[0], a, pair[1], b)
		}
	}
	if b := img.Bounds(); b.Dx() > 4096 {
		t.Errorf("the sheet is %v wide", b.Dx())
	}
}

// TestSheetLeavesOutWhatIsHidden deletes the branch that another one left: what they
// share has to be shown all the same.
func TestSheetLeavesOutWhatIsHidden(t *testing.T) {
	tr := newTree(t, func(s *pipeline.Settings) { s.Steps = 4 })     // 0 to 4
	tr.branch(0, 2, func(s *pipeline.Settings) { s.Guidance = 7 })   // 5 to 7
	tr.branch(1, 3, func(s *pipeline.Settings) { s.Guidance = 2.5 }) // 8 and 9
	tr.do(pipeline.Op{Do: pipeline.Delete, Aim: pipeline.Aim{Branch: 1}})
	img, _ := sheetOf(t, tr.run)
	at := places(img)
	var shown []int
	for id := range at {
		shown = append(shown, id)
	}
	slices.Sort(shown)
	if want := []int{0, 1, 2, 3, 4, 5, 8, 9}; !slices.Equal(shown, want) {
		t.Errorf("steps %v are shown, want %v", shown, want)
	}
	if at[5].Y != at[8].Y {
		t.Errorf("step 5 at %v, step 8 at %v: want one row", at[5], at[8])
	}
}

// TestSheetOfManySteps leaves columns out, never those of last steps.
func TestSheetOfManySteps(t *testing.T) {
	tr := newTree(t, func(s *pipeline.Settings) { s.Steps = 250 })
	s := tr.run.At().Settings
	s.Seed++
	step, err := tr.model.Begin(context.Background(), s)
	tr.take(step, err, tr.run.AimEdit(0))
	for tr.run.Tip().Index() < 101 {
		step, err := tr.model.Advance(context.Background(), tr.run.Tip())
		tr.take(step, err, tr.run.AimOn())
	}
	img, asked := sheetOf(t, tr.run)
	if w := img.Bounds().Dx(); w > 4096 || w < 3900 {
		t.Errorf("the sheet is %d wide, want close to 4096", w)
	}
	var shown []int // of the first row
	for _, s := range asked {
		if len(shown) == 0 || s.Number() > shown[len(shown)-1] {
			shown = append(shown, s.Number())
		}
	}
	if shown[0] != 0 || shown[len(shown)-1] != 250 || !slices.Contains(shown, 101) {
		t.Errorf("steps %v are shown, want 0, 101 and 250 among them", shown)
	}
	for i := 1; i < len(shown); i++ {
		if shown[i]-shown[i-1] > 3 {
			t.Errorf("between steps %d and %d there is none: not even", shown[i-1], shown[i])
		}
	}
	if last := asked[len(asked)-1]; last != tr.run.Tip() {
		t.Errorf("the last picture is of step %d, want the second branch's last", last.Number())
	}
}

func TestSheetTakesWholeSteps(t *testing.T) {
	tr := newTree(t, func(s *pipeline.Settings) { s.Steps, s.Sampler = 5, "heun" })
	_, asked := sheetOf(t, tr.run)
	if len(asked) != 6 {
		t.Errorf("%d pictures, want one a step and the start", len(asked))
	}
}

func TestSheetSaysWhatFails(t *testing.T) {
	if export.Sheet(io.Discard, pipeline.NewRun(), nil, "") == nil {
		t.Error("a sheet of nothing was written")
	}
	tr := newTree(t, func(s *pipeline.Settings) { s.Steps = 3 })
	broken := errors.New("broken")
	err := export.Sheet(io.Discard, tr.run, func(*pipeline.Step) (*image.RGBA, error) { return nil, broken }, "")
	if !errors.Is(err, broken) {
		t.Errorf("error is %v, want the picture's", err)
	}
}
