package explorer

import "strings"

// Enabled reports whether an action, by its name in package keys, would do anything now.
func (m *Model) Enabled(name string) bool {
	switch {
	case name == "show.quit" || name == "show.help" || name == "show.models" || name == "show.palette":
		return true
	case m.work.model == nil:
		return false
	case strings.HasPrefix(name, "tree."):
		return m.treeEnabled(name)
	}
	return m.runEnabled(name)
}

func (m *Model) runEnabled(name string) bool {
	run := m.work.run
	at := run.At()
	switch name {
	case "run.back", "run.first":
		return run.Cursor() > 0
	case "run.forward", "run.last":
		return at != nil && !run.AtTip()
	case "run.cancel":
		return m.work.job != nil || m.sweep != nil
	case "edit.sweep":
		return at != nil && !at.Done() && m.work.job == nil
	case "run.break", "run.goto", "show.save", "show.export", "show.copy":
		return at != nil
	}
	return true
}

func (m *Model) treeEnabled(name string) bool {
	run := m.work.run
	switch name {
	case "tree.next", "tree.previous", "tree.delete":
		return len(run.Branches()) > 1
	case "tree.undo":
		return run.CanUndo()
	case "tree.redo":
		return run.CanRedo()
	case "tree.compare":
		return run.Marked() != nil
	}
	return run.At() != nil
}
