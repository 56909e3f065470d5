package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
)

// Run is a tree of steps and the place in it that is looked at. Its branches are paths
// from a start to a tip; they share the steps they have in common, and no step is ever
// changed. All that happens to it is an [Op], so that a run that is written down as its
// operations comes back the same. One goroutine owns it.
type Run struct {
	steps    map[int]*Step
	ids      atomic.Int64 // given to steps so far
	branches []Branch
	current  int     // branch
	path     []*Step // of the current branch
	cursor   int     // index on path
	mark     *Step
	history  history
}

// Branch is a path of steps.
type Branch struct {
	ID     int
	Name   string
	From   int   // the branch that it left, or -1
	At     int   // index of its first own step
	Forked bool  // it leaves after the step before At, and not with another one at At
	Tip    *Step // its last step
	Hidden bool  // deleted, until that is undone
}

// Aim says which branch a step to come belongs to. A branch that does not exist yet
// begins with the step.
type Aim struct {
	Branch int `json:"branch"`
	From   int `json:"from,omitempty"` // where a new branch leaves, and at which index
	At     int `json:"at,omitempty"`
}

// NewRun is a run without steps.
func NewRun() *Run { return &Run{steps: map[int]*Step{}, current: -1} }

// At is the step under the cursor, nil before the first.
func (r *Run) At() *Step {
	if len(r.path) == 0 {
		return nil
	}
	return r.path[r.cursor]
}

// Tip is the last step of the current branch, nil before the first.
func (r *Run) Tip() *Step {
	if len(r.path) == 0 {
		return nil
	}
	return r.path[len(r.path)-1]
}

// Path lists the steps of the current branch. It is not to be written to.
func (r *Run) Path() []*Step { return r.path }

// Cursor is the index of the step that is looked at.
func (r *Run) Cursor() int { return r.cursor }

// AtTip reports whether the cursor is on the last step of its branch.
func (r *Run) AtTip() bool { return r.cursor == len(r.path)-1 }

// Marked is the step to compare with, nil for none.
func (r *Run) Marked() *Step { return r.mark }

// Step is the step of a number, nil for none.
func (r *Run) Step(id int) *Step { return r.steps[id] }

// Len is the number of steps.
func (r *Run) Len() int { return len(r.steps) }

// Current is the branch of the cursor; its ID is -1 before the first.
func (r *Run) Current() Branch {
	if r.current < 0 {
		return Branch{ID: -1}
	}
	return r.branches[r.current]
}

// Branch is the branch of a number; ok is false where there is none, or it is hidden.
func (r *Run) Branch(id int) (b Branch, ok bool) {
	if id < 0 || id >= len(r.branches) || r.branches[id].Hidden {
		return Branch{}, false
	}
	return r.branches[id], true
}

// Branches lists the branches that are not hidden, in the order in which they were made.
func (r *Run) Branches() []Branch {
	return slices.DeleteFunc(slices.Clone(r.branches), func(b Branch) bool { return b.Hidden })
}

// NextBranch is the number of the branch that comes next.
func (r *Run) NextBranch() int { return len(r.branches) }

// AimOn is where a step on from the tip belongs.
func (r *Run) AimOn() Aim {
	if r.current < 0 {
		return r.aimNew(0)
	}
	return Aim{Branch: r.current}
}

// AimEdit is where another step in place of the one at index k belongs: it takes the
// place of a tip; what has been gone on from stays, and the step begins a branch.
func (r *Run) AimEdit(k int) Aim {
	if r.current >= 0 && k == len(r.path)-1 {
		return Aim{Branch: r.current}
	}
	return r.aimNew(k)
}

func (r *Run) aimNew(k int) Aim {
	return Aim{Branch: r.NextBranch(), From: r.current, At: k}
}

// Number gives a new step its number in the run, before anybody else sees it. It may be
// called by any goroutine.
func (r *Run) Number(s *Step) { s.id = int(r.ids.Add(1)) - 1 }

// take adds a step. On its branch it follows the tip, or else replaces what is there
// from its index on. The cursor goes with it where it was at the tip, or further on
// than the step.
func (r *Run) take(s *Step, to Aim) error {
	if err := r.fits(s, to); err != nil {
		return err
	}
	r.steps[s.id] = s
	r.ids.Store(max(r.ids.Load(), int64(s.id)+1))
	if to.Branch == len(r.branches) {
		r.remember(to.Branch)
		r.branches = append(r.branches, Branch{ID: to.Branch, Name: branchName(to.Branch), From: to.From, At: s.index, Tip: s})
		r.show(to.Branch, s.index)
		return nil
	}
	b := &r.branches[to.Branch]
	if b.Tip != s.Parent {
		r.remember(to.Branch)
	}
	here := to.Branch == r.current
	follow := here && (r.AtTip() || r.cursor >= s.index)
	b.Tip, b.At, b.Hidden = s, min(b.At, s.index), false
	switch {
	case here && s.Parent != nil && s.Parent == r.Tip():
		r.path = append(r.path, s)
	case here:
		r.show(to.Branch, r.cursor)
	}
	if follow {
		r.cursor = s.index
	}
	return nil
}

// fits reports why a step cannot be added.
func (r *Run) fits(s *Step, to Aim) error {
	_, taken := r.steps[s.id]
	switch {
	case taken:
		return fmt.Errorf("there are two steps %d", s.id)
	case s.Parent != nil && r.steps[s.Parent.id] != s.Parent:
		return fmt.Errorf("step %d follows one that is not in the run", s.id)
	case s.index != indexAfter(s.Parent):
		return fmt.Errorf("step %d has index %d, want %d", s.id, s.index, indexAfter(s.Parent))
	case to.Branch < 0 || to.Branch > len(r.branches) || to.From < -1 || to.From >= max(len(r.branches), 1):
		return fmt.Errorf("step %d is of branch %d from %d, but there are %d", s.id, to.Branch, to.From, len(r.branches))
	}
	return nil
}

func indexAfter(s *Step) int {
	if s == nil {
		return 0
	}
	return s.index + 1
}

// show goes to a branch, and along it to index k as far as there are steps.
func (r *Run) show(branch, k int) {
	tip := r.branches[branch].Tip
	if branch != r.current || r.Tip() != tip {
		r.current, r.path = branch, tip.Path()
	}
	r.cursor = min(max(k, 0), len(r.path)-1)
}

// branchName is a to z, then aa, ab and so on.
func branchName(n int) string {
	name := ""
	for n++; n > 0; n = (n - 1) / 26 {
		name = string(rune('a'+(n-1)%26)) + name
	}
	return name
}

// Snapshot is the run as it stands, for somebody else to read.
func (r *Run) Snapshot() *Run {
	s := &Run{steps: maps.Clone(r.steps), branches: slices.Clone(r.branches), current: r.current, path: r.path, cursor: r.cursor, mark: r.mark}
	s.ids.Store(r.ids.Load())
	return s
}
