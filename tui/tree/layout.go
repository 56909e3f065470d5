package tree

import (
	"cmp"
	"slices"

	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
)

// layout is the tree in the order of its rows. It is made anew where branches come, go
// or change; a step more at a tip is added to it.
type layout struct {
	branches []pipeline.Branch // what it was made of
	nodes    []node            // beside branches
	owner    map[int]int       // the index in branches of the row that a step is drawn on, by the step's number
	rows     []row
	rowOf    map[int]int // by a branch's number
	end      int         // the largest index there is or will be
	name     int         // the widest name, in columns
}

// node is what of a branch is its own.
type node struct {
	first    *pipeline.Step // its first own step, nil for none
	parent   int            // the index of the branch that it is drawn under, or -1
	at       int            // the index at which it leaves: that of its first own step
	children []int
}

// row is a branch as it is drawn.
type row struct {
	branch pipeline.Branch
	first  *pipeline.Step
	parent int // its row, or -1
	at     int
}

// update makes the layout that of a run. Branches are compared whole: undoing a change
// leaves their number and that of the steps as it was.
func (l *layout) update(run *pipeline.Run) {
	branches := run.Branches()
	changed := -1
	for i, b := range branches {
		if i >= len(l.branches) || b != l.branches[i] {
			if changed >= 0 || i >= len(l.branches) || !l.grew(i, b) {
				l.build(branches)
				return
			}
			changed = i
		}
	}
	if len(branches) != len(l.branches) {
		l.build(branches)
		return
	}
	if changed >= 0 {
		l.grow(changed, branches[changed])
	}
}

// grew reports whether branch i became b by nothing but steps after its own.
func (l *layout) grew(i int, b pipeline.Branch) bool {
	old := l.branches[i]
	tip := b.Tip
	if old.Tip = tip; old != b || l.nodes[i].first == nil {
		return false
	}
	for tip != nil && tip.Index() > l.branches[i].Tip.Index() {
		tip = tip.Parent
	}
	return tip == l.branches[i].Tip
}

func (l *layout) grow(i int, b pipeline.Branch) {
	for s := b.Tip; s != l.branches[i].Tip; s = s.Parent {
		if _, drawn := l.owner[s.ID()]; !drawn {
			l.owner[s.ID()] = i
		}
	}
	l.branches[i], l.rows[l.rowOf[b.ID]].branch = b, b
	l.measure()
}

func (l *layout) build(branches []pipeline.Branch) {
	l.branches, l.nodes = branches, make([]node, len(branches))
	l.owner = make(map[int]int, len(branches))
	var roots []int
	for i, b := range branches {
		n := l.claim(i, b.Tip)
		l.nodes[i] = n
		if n.parent < 0 {
			roots = append(roots, i)
		} else {
			l.nodes[n.parent].children = append(l.nodes[n.parent].children, i)
		}
	}
	l.order(roots)
	l.name = 0
	for _, b := range branches {
		l.name = max(l.name, ansi.StringWidth(b.Name))
	}
	l.measure()
}

// claim finds a branch's own steps: those back from its tip to one that an older branch
// has. Where a branch left is not taken from its record, as the branch that it left may
// have been deleted, or changed since.
func (l *layout) claim(i int, tip *pipeline.Step) node {
	n := node{parent: -1, at: tip.Index() + 1}
	for s := tip; s != nil; s = s.Parent {
		if owner, drawn := l.owner[s.ID()]; drawn {
			n.parent = owner
			return n
		}
		l.owner[s.ID()] = i
		n.first, n.at = s, s.Index()
	}
	return n
}

// order lists the rows depth first; of siblings, the last to leave comes first, and the
// oldest of those that leave together.
func (l *layout) order(roots []int) {
	l.rows = make([]row, 0, len(l.branches))
	l.rowOf = make(map[int]int, len(l.branches))
	slices.Reverse(roots)
	stack := roots
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n, parent := &l.nodes[i], -1
		if n.parent >= 0 {
			parent = l.rowOf[l.branches[n.parent].ID]
		}
		l.rowOf[l.branches[i].ID] = len(l.rows)
		l.rows = append(l.rows, row{branch: l.branches[i], first: n.first, parent: parent, at: n.at})
		slices.SortFunc(n.children, func(a, b int) int { // the other way round: the last is taken first
			return cmp.Or(cmp.Compare(l.nodes[a].at, l.nodes[b].at), cmp.Compare(b, a))
		})
		stack = append(stack, n.children...)
	}
}

func (l *layout) measure() {
	l.end = 0
	for _, b := range l.branches {
		l.end = max(l.end, b.Tip.End())
	}
}
