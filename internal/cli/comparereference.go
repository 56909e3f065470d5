package cli

import (
	"fmt"
	"slices"
	"strings"

	"ldx/pipeline"
)

// referenceDDIM is the reference that is a run of its own: DDIM, 200 steps, eta 0, from
// the same noise and prompt.
const (
	referenceDDIM      = "ddim200"
	referenceDDIMSteps = 200
)

// refer finds what each cell is compared with.
func (g *cells) refer(text string) error {
	switch text {
	case "":
		return nil
	case referenceDDIM:
		g.referDDIM()
		return nil
	}
	want, err := g.parseReference(text)
	if err != nil {
		return err
	}
	for i := range g.count() {
		column, row := i%g.columns(), i/g.columns()
		if want[0] >= 0 {
			column = want[0]
		}
		if len(want) > 1 && want[1] >= 0 {
			row = want[1]
		}
		g.references = append(g.references, row*g.columns()+column)
	}
	return nil
}

// referDDIM adds the runs that cells are compared with, one for each noise and prompt.
func (g *cells) referDDIM() {
	known := map[pipeline.Settings]int{}
	for _, s := range g.settings[:g.count()] {
		s.Sampler, s.Steps, s.Sigmas, s.Spacing, s.Eta = "ddim", referenceDDIMSteps, "", "", 0
		at, ok := known[s]
		if !ok {
			at = len(g.settings)
			known[s] = at
			g.settings = append(g.settings, s)
		}
		g.references = append(g.references, at)
	}
}

// parseReference reads KEY=VALUE,… into a place on each axis, -1 where none is named. A
// comma is part of a value unless a KEY= follows.
func (g *cells) parseReference(text string) ([]int, error) {
	var parts []string
	for _, p := range strings.Split(text, ",") {
		if strings.Contains(p, "=") || len(parts) == 0 {
			parts = append(parts, p)
		} else {
			parts[len(parts)-1] += "," + p
		}
	}
	want := slices.Repeat([]int{-1}, len(g.axes))
	for _, p := range parts {
		key, value, _ := strings.Cut(p, "=")
		found := false
		for k, a := range g.axes {
			if at := slices.Index(a.Values, value); a.Key == key && at >= 0 {
				want[k], found = at, true
			}
		}
		if !found {
			var all []string
			for _, a := range g.axes {
				all = append(all, a.Key+" ("+strings.Join(a.Values, ", ")+")")
			}
			return nil, fmt.Errorf("reference is %q, want KEY=VALUE of what varies, %s, or %s", p, strings.Join(all, "; "), referenceDDIM)
		}
	}
	return want, nil
}
