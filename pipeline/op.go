package pipeline

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Op is something that happens to a [Run].
type Op struct {
	Do   Verb   `json:"op"`
	Step *Step  `json:"-"` // [Take]
	Aim         // [Take]; its Branch also for the verbs that have one
	To   int    `json:"to,omitempty"`   // [Move] and [Fork]: an index; [Mark]: a step's number, or -1 for none
	Name string `json:"name,omitempty"` // [Rename]
}

// Verb is what an [Op] does.
type Verb string

// The verbs.
const (
	Take   Verb = "step"   // add a step to a branch
	Move   Verb = "move"   // go to index To of a branch
	Fork   Verb = "fork"   // begin a branch after index To of a branch, with no step of its own yet
	Rename Verb = "rename" // a branch
	Delete Verb = "delete" // hide a branch
	Mark   Verb = "mark"   // remember a step to compare with
	Undo   Verb = "undo"   // the last Take of an edit, Fork, Rename or Delete
	Redo   Verb = "redo"
)

// Apply does op, or says why it cannot and changes nothing.
func (r *Run) Apply(op Op) error {
	if op.Do == Take {
		return r.take(op.Step, op.Aim)
	}
	switch op.Do {
	case Undo, Redo:
		return r.travel(op.Do)
	case Mark:
		r.mark = r.steps[op.To]
		return nil
	}
	if _, ok := r.Branch(op.Branch); !ok {
		return fmt.Errorf("%s: there is no branch %d", op.Do, op.Branch)
	}
	switch op.Do {
	case Move:
		r.show(op.Branch, op.To)
	case Fork:
		return r.fork(op.Branch, op.To)
	case Rename:
		return r.rename(op.Branch, op.Name)
	case Delete:
		return r.remove(op.Branch)
	default:
		return fmt.Errorf("%q is nothing that a run can do", op.Do)
	}
	return nil
}

func (r *Run) fork(branch, k int) error {
	path := r.branches[branch].Tip.Path()
	if k < 0 || k >= len(path) {
		return fmt.Errorf("branch %s has no step %d", r.branches[branch].Name, k)
	}
	id := len(r.branches)
	r.remember(id)
	r.branches = append(r.branches, Branch{ID: id, Name: branchName(id), From: branch, At: k + 1, Forked: true, Tip: path[k]})
	r.show(id, k)
	return nil
}

// MaxBranchName bounds a branch's name, in characters.
const MaxBranchName = 40

func (r *Run) rename(branch int, name string) error {
	name = strings.TrimSpace(name)
	switch {
	case name == "" || utf8.RuneCountInString(name) > MaxBranchName:
		return fmt.Errorf("a branch's name has %d characters, want 1 to %d", utf8.RuneCountInString(name), MaxBranchName)
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return fmt.Errorf("branch name %q has control characters", name)
	}
	for _, b := range r.branches {
		if b.Name == name && b.ID != branch && !b.Hidden {
			return fmt.Errorf("there is a branch %s already", name)
		}
	}
	r.remember(branch)
	r.branches[branch].Name = name
	return nil
}

// remove hides a branch. The cursor goes to where it left another, if it was there.
func (r *Run) remove(branch int) error {
	to := -1
	if b, ok := r.Branch(r.branches[branch].From); ok {
		to = b.ID
	} else {
		for _, b := range r.branches {
			if !b.Hidden && b.ID != branch {
				to = b.ID
			}
		}
	}
	if to < 0 {
		return fmt.Errorf("branch %s is the only one", r.branches[branch].Name)
	}
	r.remember(branch)
	r.branches[branch].Hidden = true
	if branch == r.current {
		r.show(to, r.branches[branch].At)
	}
	return nil
}
