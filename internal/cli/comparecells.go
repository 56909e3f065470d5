package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ldx/internal/export"
	"ldx/pipeline"
	"ldx/pipeline/compare"
	"ldx/pipeline/named"
)

// cells are the runs of a comparison: those of the grid row by row, then those that are
// only there to compare with.
type cells struct {
	base       pipeline.Settings
	axes       []compare.Axis // columns, then rows
	settings   []pipeline.Settings
	references []int // of each cell, the run that it is compared with; nil for none
	plan       *compare.Plan
}

func (g *cells) columns() int { return len(g.axes[0].Values) }

func (g *cells) rows() int {
	if len(g.axes) < 2 {
		return 1
	}
	return len(g.axes[1].Values)
}

func (g *cells) count() int { return g.columns() * g.rows() }

// values are what varies at a cell.
func (g *cells) values(i int) []string {
	out := []string{g.axes[0].Values[i%g.columns()]}
	if len(g.axes) > 1 {
		out = append(out, g.axes[1].Values[i/g.columns()])
	}
	return out
}

// name tells a run from the others.
func (g *cells) name(i int) string {
	if i >= g.count() {
		return "reference " + referenceDDIM
	}
	var parts []string
	for k, v := range g.values(i) {
		parts = append(parts, g.axes[k].Key+" "+orNone(v))
	}
	return strings.Join(parts, ", ")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// labels are an axis' values with its name.
func labels(a compare.Axis) []string {
	out := make([]string, len(a.Values))
	for i, v := range a.Values {
		out[i] = a.Key + " " + orNone(v)
	}
	return out
}

// order is that in which the runs are made: what others are compared with first, then
// coarsely over the grid.
func (g *cells) order() []int {
	var first []int
	for _, r := range g.references {
		if !slices.Contains(first, r) {
			first = append(first, r)
		}
	}
	for _, i := range compare.Coarse(g.columns(), g.rows()) {
		if !slices.Contains(first, i) {
			first = append(first, i)
		}
	}
	return first
}

// lay finds the model and lays out the cells, without loading anything.
func (c *compareCommand) lay() (pipeline.Folder, *cells, error) {
	axes, err := c.axes()
	if err != nil {
		return pipeline.Folder{}, nil, usage(err)
	}
	folder, info, err := c.sampling.find()
	if err != nil {
		return folder, nil, err
	}
	g, err := c.layOn(info, axes)
	return folder, g, err
}

// layOn lays out the cells for a model.
func (c *compareCommand) layOn(info pipeline.Info, axes []compare.Axis) (*cells, error) {
	g := &cells{axes: axes}
	var err error
	if g.base, err = c.sampling.lay(fresh(info)); err != nil {
		return nil, err
	}
	if err := g.fill(); err != nil {
		return nil, usage(err)
	}
	if err := g.refer(c.reference); err != nil {
		return nil, usage(err)
	}
	g.plan = compare.NewPlan(info, g.settings)
	return g, usage(g.refused())
}

// axes reads the --vary flags.
func (c *compareCommand) axes() ([]compare.Axis, error) {
	switch {
	case len(c.vary) == 0:
		return nil, errors.New("nothing varies: give --vary KEY=VALUES, for example --vary steps=10,20,50")
	case len(c.vary) > 2:
		return nil, errors.New("vary is given more than twice, but a grid has columns and rows only: make one for each value of the third")
	}
	var axes []compare.Axis
	for _, text := range c.vary {
		a, err := compare.ParseVary(text)
		if err != nil {
			return nil, err
		}
		if _, err := named.ByName(a.Key); err != nil {
			return nil, fmt.Errorf("vary: %w", err)
		}
		if c.sampling.flags.Changed(a.Key) {
			return nil, fmt.Errorf("%s is both given and varied, want one of them", a.Key)
		}
		if len(axes) > 0 && axes[0].Key == a.Key {
			return nil, fmt.Errorf("vary has %s twice, want its values in one list", a.Key)
		}
		axes = append(axes, a)
	}
	return axes, c.complement(axes)
}

// complement gives the flags that ask for others, or bring defaults along, their last
// value, so that a varied one does so too: varied strengths need --init, and a varied
// variation strength a variation seed.
func (c *compareCommand) complement(axes []compare.Axis) error {
	asking := []string{"blend", "blend-weight", "init", "strength", "variation-seed", "variation-strength"}
	for _, a := range axes {
		if slices.Contains(asking, a.Key) {
			if err := c.sampling.flags.Set(a.Key, a.Values[len(a.Values)-1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill makes the settings of each cell.
func (g *cells) fill() error {
	if n := g.count(); n > compare.MaxCells {
		side := g.base.Width * g.base.Height * 4
		return fmt.Errorf("%d cells, want at most %d: these would take up to about %d denoiser calls (%.0f hours at 0.1 s each) and hold up to %d MiB of pictures",
			n, compare.MaxCells, n*g.base.Steps, float64(n*g.base.Steps)/36000, n*min(side, 256*256*4)>>20)
	}
	for i := range g.count() {
		s := g.base
		for k, v := range g.values(i) {
			if err := set(&s, g.axes[k].Key, v); err != nil {
				return fmt.Errorf("vary %s: %w", g.axes[k].Key, err)
			}
		}
		g.settings = append(g.settings, s)
	}
	return nil
}

func set(s *pipeline.Settings, key, value string) error {
	setting, err := named.ByName(key)
	if err != nil {
		return err
	}
	if err := setting.Set(s, value); err != nil || key != "init" || value == "" {
		return err
	}
	s.InitSHA256, err = pipeline.PictureSHA256(value)
	return err
}

// refused reports a value that no cell can be run with.
func (g *cells) refused() error {
	for k, a := range g.axes {
		for _, v := range a.Values {
			at, fits := -1, false
			for i := range g.count() {
				if g.values(i)[k] != v {
					continue
				}
				if at < 0 {
					at = i
				}
				fits = fits || g.plan.Err(i) == nil
			}
			if !fits {
				return fmt.Errorf("cell %s: %w", g.name(at), g.plan.Err(at))
			}
		}
	}
	return nil
}

// heading says what all cells have.
func (g *cells) heading(model string) string {
	s := g.base
	all := []export.Pair{
		{Name: "prompt", Value: s.Prompt}, {Name: "negative", Value: s.Negative}, {Name: "sampler", Value: s.Sampler}, {Name: "steps", Value: fmt.Sprint(s.Steps)},
		{Name: "guidance", Value: fmt.Sprint(s.Guidance)}, {Name: "eta", Value: fmt.Sprint(s.Eta)}, {Name: "seed", Value: fmt.Sprint(s.Seed)},
	}
	plain := pipeline.Settings{}
	for _, x := range named.Extras() {
		if v := x.Get(s); v != x.Get(plain) && x.Name != "size" && x.Name != "rng" {
			all = append(all, export.Pair{Name: x.Name, Value: v})
		}
	}
	parts := []string{model}
	for _, p := range all {
		varies := slices.ContainsFunc(g.axes, func(a compare.Axis) bool { return a.Key == p.Name })
		if !varies && p.Value != "" {
			parts = append(parts, p.Name+" "+p.Value)
		}
	}
	return strings.Join(parts, " · ")
}
