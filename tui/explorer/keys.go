package explorer

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// Key handles a key press and reports whether it was for this screen.
func (m *Model) Key(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	m.notice = notice{}
	if m.work.model == nil {
		return nil, false
	}
	if !m.form.Editing() {
		if m.sweep != nil {
			if cmd, ok := m.sweepKey(msg); ok {
				return cmd, true
			}
		}
		for _, handle := range []func(tea.KeyPressMsg) (tea.Cmd, bool){m.runKey, m.breakKey, m.treeKey, m.seedKey, m.showKey, m.askKey} {
			if cmd, ok := handle(msg); ok {
				return cmd, true
			}
		}
	}
	change, handled := m.form.Key(msg)
	if change != nil {
		return m.edit(*change), true
	}
	return nil, handled
}

// runKey handles the keys that move along the run.
func (m *Model) runKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k, run := m.deps.Keys.Run, m.work.run
	switch {
	case key.Matches(msg, k.Step):
		return m.step(), true
	case key.Matches(msg, k.Back):
		return m.goTo(run.Cursor() - 1), true
	case key.Matches(msg, k.Forward):
		return m.goTo(run.Cursor() + 1), true
	case key.Matches(msg, k.First):
		return m.goTo(0), true
	case key.Matches(msg, k.Last):
		return m.goTo(len(run.Path()) - 1), true
	case key.Matches(msg, k.Run):
		return m.runOrPause(), true
	case key.Matches(msg, k.Restart):
		return m.restart(), true
	case key.Matches(msg, k.Cancel):
		return m.cancel(), true
	}
	return nil, false
}

// breakKey handles the keys of breakpoints and of work ahead.
func (m *Model) breakKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := m.deps.Keys.Run
	switch {
	case key.Matches(msg, k.Goto):
		return m.askStep(), true
	case key.Matches(msg, k.Break):
		m.breakHere()
	case key.Matches(msg, k.BreakWhen):
		return m.askBreak(), true
	case key.Matches(msg, k.Ahead):
		return m.toggleAhead(), true
	default:
		return nil, false
	}
	return nil, true
}

// treeKey handles the keys of branches.
func (m *Model) treeKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := m.deps.Keys.Tree
	switch {
	case key.Matches(msg, k.Fork):
		return m.fork(), true
	case key.Matches(msg, k.Next):
		return m.branch(1), true
	case key.Matches(msg, k.Previous):
		return m.branch(-1), true
	case key.Matches(msg, k.Rename):
		return m.askName(), true
	case key.Matches(msg, k.Delete):
		return m.deleteBranch(), true
	case key.Matches(msg, k.Undo):
		return m.travel(true), true
	case key.Matches(msg, k.Redo):
		return m.travel(false), true
	case key.Matches(msg, k.Tree):
		m.layout.tall = !m.layout.tall
		m.SetSize(m.layout.w, m.layout.h)
		return nil, true
	case key.Matches(msg, k.Mark):
		return m.mark(), true
	case key.Matches(msg, k.Compare):
		return m.toggleCompare(), true
	}
	return nil, false
}

// seedKey handles the keys of seeds.
func (m *Model) seedKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := m.deps.Keys.Edit
	switch {
	case key.Matches(msg, k.NewSeed):
		return m.newSeed(), true
	case key.Matches(msg, k.SeedUp):
		return m.nextSeed(1), true
	case key.Matches(msg, k.SeedDown):
		return m.nextSeed(-1), true
	case key.Matches(msg, k.LockSeed):
		m.lockSeed()
		return nil, true
	case key.Matches(msg, k.Reseed):
		return m.reseed(), true
	}
	return nil, false
}

// showKey handles the keys that change what is shown, or take it out.
func (m *Model) showKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := m.deps.Keys.Show
	switch {
	case key.Matches(msg, k.View):
		m.show = (m.show + 1) % showKinds
		m.refresh()
		return nil, true
	case key.Matches(msg, k.Save):
		return m.save(), true
	case key.Matches(msg, k.Export):
		return m.askExport(), true
	case key.Matches(msg, k.Copy):
		return m.copyCommand(), true
	}
	return nil, false
}

// askKey handles the keys that ask or tell something over the screen.
func (m *Model) askKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := m.deps.Keys.Edit
	switch {
	case key.Matches(msg, k.Sweep):
		return m.toggleSweep(), true
	case key.Matches(msg, k.History):
		return m.askHistory(), true
	case key.Matches(msg, k.More):
		return m.askExtra(), true
	case key.Matches(msg, k.Tokens):
		return m.askTokens(), true
	}
	return nil, false
}
