// Command plot measures every sampler's convergence and writes docs/convergence.svg and
// docs/convergence.md. It is a module of its own: nothing else needs a plotting library.
//
//	cd bench/convergence/plot && go run . ../../../docs
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"ldx/bench/convergence"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want one argument, the folder to write convergence.svg and convergence.md to")
	}
	curves, err := measure(convergence.Cases())
	if err != nil {
		return err
	}
	if err := write(panelsOf(curves), filepath.Join(args[0], "convergence.svg")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(args[0], "convergence.md"), []byte(table(curves)), 0o644)
}

// curve is a case with what was measured of it.
type curve struct {
	convergence.Case
	points []convergence.Point // over the plot's range
	order  [2]float64          // between the case's own numbers of steps
	last   convergence.Point   // at the highest of them
}

// The numbers of steps that are drawn. Those over timesteps are parts of 1000.
var (
	overSigmas    = []int{6, 12, 24, 48, 96, 192}
	overTimesteps = []int{10, 20, 40, 100, 200}
)

func measure(cases []convergence.Case) ([]curve, error) {
	var curves []curve
	for _, c := range cases {
		steps := overTimesteps
		if c.OverSigmas() {
			steps = overSigmas
		}
		drawn, err := points(c, steps)
		if err != nil {
			return nil, err
		}
		own, err := points(c, c.Intervals[:])
		if err != nil {
			return nil, err
		}
		curves = append(curves, curve{
			Case: c, points: drawn, last: own[2],
			order: [2]float64{convergence.OrderBetween(own[0], own[1]), convergence.OrderBetween(own[1], own[2])},
		})
	}
	return curves, nil
}

func points(c convergence.Case, steps []int) ([]convergence.Point, error) {
	if c.Order == 0 {
		steps = c.Intervals[:]
	}
	var out []convergence.Point
	for _, n := range steps {
		p, err := c.Measure(n)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// panel is one of the pictures beside each other.
type panel struct {
	title  string
	curves []curve
}

func panelsOf(curves []curve) []panel {
	panels := []panel{{title: "deterministic, over noise levels"}, {title: "stochastic, over noise levels"}, {title: "over timesteps"}}
	for _, c := range curves {
		at := 2
		switch {
		case c.Order == 0 || c.Keys != "" && c.Sampler != "":
			continue // exact: nothing to draw; or a variant that differs in its config alone
		case c.OverSigmas() && c.Stochastic():
			at = 1
		case c.OverSigmas():
			at = 0
		}
		panels[at].curves = append(panels[at].curves, c)
	}
	for _, p := range panels { // legends in the order in which the curves end
		slices.SortStableFunc(p.curves, func(a, b curve) int {
			if a.end() > b.end() {
				return -1
			}
			return 1
		})
	}
	return panels
}

func (c curve) end() float64 { return c.points[len(c.points)-1].Error }
