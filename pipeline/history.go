package pipeline

import "errors"

// history is what can be undone and done again. Steps are not part of it: they stay,
// and only which branches lead to them changes.
type history struct{ past, future []moment }

// moment is how a run stood before an operation: the one branch that it changed, and
// where the cursor was.
type moment struct {
	branch          Branch
	begun           bool // the operation began the branch: before, it was not there
	current, cursor int
}

// remember keeps how the run stands before a change of a branch, which may be one that
// is to begin. The first of all branches cannot be undone.
func (r *Run) remember(branch int) {
	if r.current < 0 {
		return
	}
	m := moment{branch: Branch{ID: branch}, begun: branch == len(r.branches), current: r.current, cursor: r.cursor}
	if !m.begun {
		m.branch = r.branches[branch]
	}
	r.history.past, r.history.future = append(r.history.past, m), nil
}

// CanUndo and CanRedo report whether there is anything to undo or to do again.
func (r *Run) CanUndo() bool { return len(r.history.past) > 0 }

// CanRedo is CanUndo's opposite.
func (r *Run) CanRedo() bool { return len(r.history.future) > 0 }

// travel goes to the moment before the last operation, or back to the one after it.
func (r *Run) travel(verb Verb) error {
	from, to := &r.history.past, &r.history.future
	if verb == Redo {
		from, to = to, from
	}
	if len(*from) == 0 {
		return errors.New("there is nothing to " + string(verb))
	}
	m := (*from)[len(*from)-1]
	*from = (*from)[:len(*from)-1]
	now := moment{branch: r.branches[m.branch.ID], current: r.current, cursor: r.cursor}
	if m.begun {
		m.branch = now.branch
		m.branch.Hidden = true
	}
	*to = append(*to, now)
	r.branches[m.branch.ID] = m.branch
	r.show(m.current, m.cursor)
	return nil
}
