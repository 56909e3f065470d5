package explorer

import (
	"ldx/pipeline"
	"ldx/tui/tree"
)

// treeState is what the tree is drawn of.
func (m *Model) treeState() tree.State {
	return tree.State{Run: m.work.run, Breaks: m.breakIndices(), Busy: m.work.job != nil}
}

// treeView draws the tree.
func (m *Model) treeView() string {
	r := m.layout.branches()
	return m.tree.View(m.treeState(), r.W, r.H, m.theme)
}

// treeUnder is the branch and the index drawn at a cell of the tree.
func (m *Model) treeUnder(x, y int) (branch, k int, ok bool) {
	r := m.layout.branches()
	if r.H < 1 || !r.Contains(x, y) || m.form.Editing() {
		return 0, 0, false
	}
	return m.tree.At(x-r.X, y-r.Y)
}

// breakIndices are the indices on the branch at which a breakpoint stops, as far as its
// steps are there.
func (m *Model) breakIndices() (at []int) {
	if len(m.breaks) == 0 {
		return nil
	}
	for _, s := range m.work.run.Path() {
		if m.stops(s) {
			at = append(at, s.Index())
		}
	}
	return at
}

func (m *Model) stops(s *pipeline.Step) bool {
	for _, b := range m.breaks {
		if b.Hit(s) {
			return true
		}
	}
	return false
}
