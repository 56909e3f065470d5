package explorer

import (
	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// Update takes results of work and pasted text. Keys and the mouse have methods
// of their own.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case jobMsg:
		return m.jobEvent(msg)
	case aheadMsg:
		m.work.ahead.ended(msg)
		return m.failed(msg.err)
	case decodedMsg:
		return m.decoded(msg)
	case seenMsg:
		return m.seen(msg)
	case sweptMsg:
		return m.swept(msg)
	case rememberedMsg:
		return m.remembered(msg)
	case noticeMsg:
		m.notice = notice(msg)
	case actMsg:
		return msg.act(m)
	case tea.PasteMsg:
		m.form.Paste(msg)
	}
	return nil
}

// actMsg is what is to happen once the person has answered a question.
type actMsg struct{ act func(*Model) tea.Cmd }

func (m *Model) failed(err error) tea.Cmd {
	if err != nil && !pipeline.Cancelled(err) {
		m.complain(err)
	}
	return nil
}

// jobEvent takes in steps that were made, or the end of a job. Of a job that another
// one replaced, only steps that go on from where it was are of use.
func (m *Model) jobEvent(msg jobMsg) tea.Cmd {
	current := m.work.job == msg.job
	if msg.done {
		if !current {
			return nil
		}
		return m.jobEnd(msg)
	}
	for _, s := range msg.steps {
		if !current && !m.extends(s, msg.job.aim) {
			continue
		}
		op := pipeline.Op{Do: pipeline.Take, Step: s, Aim: msg.job.aim}
		if err := m.work.run.Apply(op); err != nil {
			m.complain(err)
			continue
		}
		m.work.recorder.Queue(op)
	}
	if !current {
		return nil
	}
	msg.job.told = true
	for s, v := range msg.views {
		m.album.look(s, v, m.work.run.Path())
	}
	if !m.form.Editing() {
		m.showKept()
	}
	m.refresh()
	return m.work.job.next()
}

// extends reports whether a step follows the tip of the branch that it was made for.
func (m *Model) extends(s *pipeline.Step, aim pipeline.Aim) bool {
	b, ok := m.work.run.Branch(aim.Branch)
	return ok && s.Parent != nil && b.Tip == s.Parent
}

// jobEnd does what was wanted after the job.
func (m *Model) jobEnd(msg jobMsg) tea.Cmd {
	next := m.work.then
	m.work.job, m.work.then = nil, rest
	switch {
	case msg.err != nil:
		_ = m.failed(msg.err)
		m.showKept()
	case msg.hit != nil:
		m.say("stopped at breakpoint " + msg.hit.String() + ": r goes on")
	case next == oneStep:
		return m.step()
	case next == toTheEnd:
		return m.runOrPause()
	}
	return m.idle()
}

// showKept puts the settings of the step that is there back into the pane.
func (m *Model) showKept() {
	if at := m.work.run.At(); at != nil {
		m.form.Show(at.Settings)
	}
}

// idle finds something to do while the model has nothing else: pictures first, then
// the next steps.
func (m *Model) idle() tea.Cmd {
	if m.work.job != nil || m.work.model == nil {
		return nil
	}
	if s := m.album.unseen(m.work.run); s != nil {
		return m.album.see(m.work.model, s)
	}
	if m.sweep != nil {
		if cmd := m.sweep.decode(m.ctx, m.work.model, m.album); cmd != nil {
			return cmd
		}
	}
	if s := m.album.wanted(m.work.run); s != nil {
		return m.album.decode(m.ctx, m.work.model, s)
	}
	if tip := m.work.run.Tip(); m.work.ahead.on && tip != nil && m.album.decoding == nil {
		return m.work.ahead.start(m.ctx, m.work.model, tip)
	}
	return nil
}

func (m *Model) decoded(msg decodedMsg) tea.Cmd {
	if msg.album != m.album {
		return nil
	}
	m.album.add(msg)
	_ = m.failed(msg.err)
	m.refresh()
	return m.idle()
}

func (m *Model) seen(msg seenMsg) tea.Cmd {
	if msg.album != m.album {
		return nil
	}
	m.album.seen(msg, m.work.run.Path())
	_ = m.failed(msg.err)
	m.refresh()
	return m.idle()
}
