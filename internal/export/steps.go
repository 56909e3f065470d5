package export

import (
	"image"
	"slices"

	"ldx/pipeline"
)

// Pictures gives the picture of a step. Exporters ask for one at a time, in order, and
// keep none of them.
type Pictures func(*pipeline.Step) (*image.RGBA, error)

// WholeSteps are those of a path at which a step of the sampler is complete, and its
// last, wherever that is.
func WholeSteps(path []*pipeline.Step) []*pipeline.Step {
	var whole []*pipeline.Step
	for i, s := range path {
		if s.Whole() || i == len(path)-1 {
			whole = append(whole, s)
		}
	}
	return whole
}

// Thinned leaves out some of all, evenly, so that at most n are left: the last always,
// the first from two on.
func Thinned[T any](all []T, n int) []T {
	last := len(all) - 1
	switch {
	case len(all) <= n:
		return slices.Clone(all)
	case n <= 1:
		return slices.Clone(all[last:])
	}
	some := make([]T, n)
	for i := range some {
		some[i] = all[(i*last+(n-1)/2)/(n-1)]
	}
	return some
}
