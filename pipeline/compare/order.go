package compare

import (
	"cmp"
	"slices"
)

// Coarse orders the cells of a grid, row by row, so that those done first are spread
// over it: the corners, then the middles between, and so on to the last.
func Coarse(columns, rows int) []int {
	x, y := levels(columns), levels(rows)
	order := make([]int, columns*rows)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(max(x[a%columns], y[a/columns]), max(x[b%columns], y[b/columns]))
	})
	return order
}

// levels says of each of n places how often the way between the ends is halved until it
// is met.
func levels(n int) []int {
	out := make([]int, n)
	type gap struct{ from, to, level int }
	for gaps := []gap{{0, n - 1, 1}}; len(gaps) > 0; {
		g := gaps[0]
		gaps = gaps[1:]
		if g.to-g.from < 2 {
			continue
		}
		middle := (g.from + g.to) / 2
		out[middle] = g.level
		gaps = append(gaps, gap{g.from, middle, g.level + 1}, gap{middle, g.to, g.level + 1})
	}
	return out
}
