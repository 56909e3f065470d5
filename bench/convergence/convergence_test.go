package convergence

import (
	"math"
	"testing"

	"ldx/samplers"
)

// band is how far a measured order may be from the order: at these numbers of steps
// the next term of the error still shows.
const band = 0.5

// TestOrder wants the error to fall as it should, twice, for every sampler.
func TestOrder(t *testing.T) {
	measured := map[string]bool{}
	for _, c := range Cases() {
		measured[c.sampler()] = true
		t.Run(c.Name, func(t *testing.T) {
			var points [3]Point
			for i, n := range c.Intervals {
				var err error
				if points[i], err = c.Measure(n); err != nil {
					t.Fatal(err)
				}
			}
			if c.Order == 0 {
				wantExact(t, points)
				return
			}
			for i, p := range points[1:] {
				order := OrderBetween(points[i], p)
				t.Logf("%d to %d steps: error %.3g to %.3g, order %.2f", points[i].Steps, p.Steps, points[i].Error, p.Error, order)
				if !(math.Abs(order-float64(c.Order)) <= band) {
					t.Errorf("from %d to %d steps the order is %.2f, want %d", points[i].Steps, p.Steps, order, c.Order)
				}
			}
		})
	}
	for _, s := range samplers.Samplers() {
		if !measured[s.Name] {
			t.Errorf("%s is not measured: add it to Cases", s.Name)
		}
	}
}

func wantExact(t *testing.T, points [3]Point) {
	t.Helper()
	for _, p := range points {
		if !(p.Error < 1e-4) {
			t.Errorf("%d steps with a perfect consistency model: error %g, want none", p.Steps, p.Error)
		}
	}
}
