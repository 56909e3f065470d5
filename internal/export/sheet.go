package export

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ldx/pipeline"
)

// Bounds of a contact sheet, in pixels.
const (
	maxSheetWidth = 4096
	minSheetWidth = 640 // room for the labels
	maxThumb      = 128
	minColumn     = 28 // room for a step's number
	sheetMargin   = 12
	sheetGap      = 4
)

// Sheet writes a contact sheet of a run's tree as a PNG with parameters as in [PNG]: a
// row a branch, hidden ones left out, above it the branch's name, where it left which
// branch and what changed there and later; in it the steps that no row above has, each
// in the column of its number. Thumbnails have at most 128 pixels a side; where the sheet
// would be wider than 4096, columns are left out evenly, but not those of the branches'
// last steps.
//
// One row is drawn and one picture held at a time, and only pictures that are shown are
// asked for, so a sheet takes no more memory for 1000 steps than for 30.
func Sheet(w io.Writer, run *pipeline.Run, pictures func(*pipeline.Step) (*image.RGBA, error), parameters string) error {
	rows := sheetRows(run)
	if len(rows) == 0 {
		return errors.New("contact sheet: the run has no steps")
	}
	pen, err := newPen()
	if err != nil {
		return fmt.Errorf("contact sheet: %w", err)
	}
	s := &sheet{pen: pen, pictures: pictures}
	s.layOut(rows)
	if err := png.Encode(&withText{w: w, parameters: parameters, header: pngHeader}, s); err != nil {
		return err
	}
	return s.err
}

// sheetRow is a branch on the sheet.
type sheetRow struct {
	label string
	steps map[int]*pipeline.Step // its own, by number
	tip   int                    // number of its last own step
	size  image.Point            // of its thumbnails
}

// sheetRows gives the branches of a run, the steps that they share to the first.
func sheetRows(run *pipeline.Run) []sheetRow {
	var rows []sheetRow
	owner := map[*pipeline.Step]string{}
	for _, b := range run.Branches() {
		path := b.Tip.Path()
		own := slices.IndexFunc(path, func(s *pipeline.Step) bool { return owner[s] == "" })
		if own < 0 {
			own = len(path)
		}
		row := sheetRow{label: b.Name, steps: map[int]*pipeline.Step{}, size: thumbSize(b.Tip.Settings)}
		for _, s := range WholeSteps(path[own:]) {
			row.steps[s.Number()], row.tip = s, s.Number()
		}
		for _, s := range path[own:] {
			owner[s] = b.Name
		}
		row.label += label(run, b, path, own, owner)
		rows = append(rows, row)
	}
	return rows
}

// label says where a branch comes from and what changed there and after it.
func label(run *pipeline.Run, b pipeline.Branch, path []*pipeline.Step, own int, owner map[*pipeline.Step]string) string {
	var parts []string
	switch from, ok := run.Branch(b.From); {
	case own == len(path):
		return fmt.Sprintf(", on %s up to step %d, no steps of its own", owner[b.Tip], b.Tip.Number())
	case own > 0:
		parts = append(parts, fmt.Sprintf(", from %s at step %d", owner[path[own-1]], path[own].Number()))
	case ok && from.ID != b.ID: // another start
		changed := Changes{Changed: Differences(from.Tip.Path()[0].Settings, path[0].Settings)}
		parts = append(parts, fmt.Sprintf(", beside %s: %s", from.Name, changed))
	default:
		s := path[0].Settings
		parts = append(parts, fmt.Sprintf(": %s; guidance %s; %s, %d steps; seed %d", strconv.Quote(s.Prompt), number(s.Guidance), s.Sampler, s.Steps, s.Seed))
	}
	for _, c := range ChangesOn(path) {
		switch {
		case c.Index < own: // said of the branch that it left
		case c.Index == own:
			parts[0] += ": " + c.String()
		default:
			parts = append(parts, fmt.Sprintf("step %d: %s", c.Step, c))
		}
	}
	return strings.Join(parts, " · ")
}

// thumbSize is that of a picture, at most maxThumb a side.
func thumbSize(s pipeline.Settings) image.Point {
	longest := max(s.Width, s.Height, 1)
	if longest <= maxThumb {
		return image.Pt(max(s.Width, 1), max(s.Height, 1))
	}
	return image.Pt(max(s.Width*maxThumb/longest, 1), max(s.Height*maxThumb/longest, 1))
}

// columns chooses the step numbers that are shown, at most n.
func columns(rows []sheetRow, n int) []int {
	all, tips := map[int]bool{}, map[int]bool{}
	for _, r := range rows {
		for k := range r.steps {
			all[k] = true
		}
		if len(r.steps) > 0 {
			tips[r.tip] = true
		}
	}
	if len(all) <= n {
		return slices.Sorted(maps.Keys(all))
	}
	chosen := Thinned(slices.Sorted(maps.Keys(tips)), n)
	if left := n - len(chosen); left > 0 {
		maps.DeleteFunc(all, func(k int, _ bool) bool { return tips[k] })
		chosen = append(chosen, Thinned(slices.Sorted(maps.Keys(all)), left)...)
	}
	slices.Sort(chosen)
	return chosen
}
