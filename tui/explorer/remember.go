package explorer

import (
	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// remember keeps settings for the next start, one write after the other: of
// several changes in a row the last must be what stays.
func (m *Model) remember(s pipeline.Settings) tea.Cmd {
	m.work.writing.next = &s
	if m.work.writing.busy {
		return nil
	}
	return m.saveSettings()
}

func (m *Model) saveSettings() tea.Cmd {
	model, s := m.work.model, *m.work.writing.next
	m.work.writing.next, m.work.writing.busy = nil, true
	return func() tea.Msg { return rememberedMsg{m.deps.Remember(model, s)} }
}

// rememberedMsg says that settings were written.
type rememberedMsg struct{ err error }

func (m *Model) remembered(msg rememberedMsg) tea.Cmd {
	m.work.writing.busy = false
	if msg.err != nil {
		m.complain(msg.err)
	}
	if m.work.writing.next == nil {
		return nil
	}
	return m.saveSettings()
}

// Flush writes settings that were still to be written when the program ended.
func (m *Model) Flush() error {
	w := m.work.writing
	if m.work.model == nil || w.next == nil && !w.busy {
		return nil
	}
	return m.deps.Remember(m.work.model, m.form.Settings())
}
