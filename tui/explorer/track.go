package explorer

import "ldx/pipeline"

// track is the run as far as it is kept, and the place looked at. Its methods
// compute nothing: they move along what there is.
type track struct {
	path   []*pipeline.Step // from pure noise to the last kept step
	cursor int
}

// at is the step under the cursor, nil before the first.
func (t *track) at() *pipeline.Step {
	if len(t.path) == 0 {
		return nil
	}
	return t.path[t.cursor]
}

// leaf is the last kept step, nil before the first.
func (t *track) leaf() *pipeline.Step {
	if len(t.path) == 0 {
		return nil
	}
	return t.path[len(t.path)-1]
}

// following reports whether the cursor is on the last kept step.
func (t *track) following() bool { return t.cursor == len(t.path)-1 }

// move puts the cursor on step k, as far as steps are kept, and reports whether
// it moved.
func (t *track) move(k int) bool {
	k = min(max(k, 0), len(t.path)-1)
	if k < 0 || k == t.cursor {
		return false
	}
	t.cursor = k
	return true
}

// add takes in a new step: the one after the last, or another at a kept place,
// which ends the path there. The cursor goes with it if it was at the end, or if
// its own step was replaced.
func (t *track) add(s *pipeline.Step) {
	follow := len(t.path) == 0 || t.following() || t.cursor >= s.Index()
	t.path = s.Path()
	if follow || t.cursor >= len(t.path) {
		t.cursor = len(t.path) - 1
	}
}

// changed is the first step up to the cursor that was made under other settings
// than the one before.
func (t *track) changed() (step int, ok bool) {
	for k := 1; k <= t.cursor && k < len(t.path); k++ {
		if t.path[k].Settings != t.path[k-1].Settings {
			return k, true
		}
	}
	return 0, false
}
