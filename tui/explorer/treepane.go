package explorer

// treeView draws the tree.
func (m *Model) treeView() string { return "" }

// treeUnder is the branch and the index drawn at a cell of the tree.
func (m *Model) treeUnder(x, y int) (branch, k int, ok bool) { return 0, 0, false }
