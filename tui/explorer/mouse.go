package explorer

import (
	tea "charm.land/bubbletea/v2"

	"ldx/tui/timeline"
)

// Click handles a press of the left button: on a setting, a slider or the
// timeline, where a step that is not there yet is computed.
func (m *Model) Click(x, y int) tea.Cmd {
	m.notice = notice{}
	if r := m.layout.settings.Padded(); m.work.model != nil && r.Contains(x, y) {
		if change := m.form.Click(x-r.X, y-r.Y); change != nil {
			return m.edit(*change)
		}
		return nil
	}
	if cmd, ok := m.clickSweep(x, y); ok {
		return cmd
	}
	if branch, k, ok := m.treeUnder(x, y); ok {
		return m.toBranch(branch, k)
	}
	if k, ok := m.stepUnder(x, y); ok {
		return m.runTo(k)
	}
	return nil
}

// Drag scrubs along kept steps while the button is held on the timeline.
func (m *Model) Drag(x, y int) tea.Cmd {
	if k, ok := m.stepUnder(x, y); ok {
		return m.goTo(k)
	}
	return nil
}

// stepUnder is the step drawn at a cell of the timeline or of its thumbnails.
func (m *Model) stepUnder(x, y int) (step int, ok bool) {
	bar, strip, at := m.layout.bar(), m.layout.strip(), m.work.run.At()
	if at == nil || m.form.Editing() {
		return 0, false
	}
	end := m.work.run.Tip().End()
	switch {
	case bar.Contains(x, y):
		return timeline.StepAt(x-bar.X, end, bar.W), true
	case strip.Contains(x, y):
		n := m.thumbs()
		return stripStep(min((x-strip.X)*n/strip.W, n-1), n, end), true
	}
	return 0, false
}

// clickSweep takes the value under a cell.
func (m *Model) clickSweep(x, y int) (tea.Cmd, bool) {
	r := m.layout.main.Inner()
	if m.sweep == nil || !r.Contains(x, y) {
		return nil, false
	}
	rows := max(min(r.H, r.W/2), 1) // a square picture, in cells twice as high as wide
	column, row := (x-r.X-(r.W-2*rows)/2)*sweepSide/(2*rows), (y-r.Y-(r.H-rows)/2)*sweepSide/rows
	if min(column, row) < 0 || max(column, row) >= sweepSide {
		return nil, true
	}
	return m.takeSwept(row*sweepSide + column), true
}

// Wheel scrubs along kept steps.
func (m *Model) Wheel(delta int) tea.Cmd { return m.goTo(m.work.run.Cursor() + delta) }
