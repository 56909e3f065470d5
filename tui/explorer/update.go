package explorer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"maps"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
	"ldx/tui/timeline"
)

// Update takes results of work and pasted text. Keys and the mouse have methods
// of their own.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case jobMsg:
		return m.jobEvent(msg)
	case decodedMsg:
		return m.decoded(msg)
	case rememberedMsg:
		return m.remembered(msg)
	case noticeMsg:
		m.notice = notice(msg)
	case tea.PasteMsg:
		m.form.Paste(msg)
	}
	return nil
}

// jobEvent takes in a step that was made, or the end of a job.
func (m *Model) jobEvent(msg jobMsg) tea.Cmd {
	if m.job == nil || msg.id != m.job.id {
		return nil
	}
	if !msg.done {
		m.track.add(msg.step)
		maps.Copy(m.album.views, msg.views)
		m.album.keep(m.track.path)
		if !m.form.Editing() {
			m.form.Show(m.track.at().Settings)
		}
		m.refresh()
		return m.job.next()
	}
	next := m.then
	m.job, m.then = nil, rest
	switch {
	case msg.err != nil:
		if !pipeline.Cancelled(msg.err) {
			m.complain(msg.err)
		}
		m.showKept()
	case next == oneStep:
		return m.step()
	case next == toTheEnd:
		return m.runOrPause()
	}
	return m.idle()
}

// showKept puts the settings of the step that is there back into the pane.
func (m *Model) showKept() {
	if at := m.track.at(); at != nil {
		m.form.Show(at.Settings)
	}
}

// idle finds something to decode while the model has nothing else to do.
func (m *Model) idle() tea.Cmd {
	if m.job != nil || m.model == nil {
		return nil
	}
	s := m.album.wanted(&m.track)
	if s == nil {
		return nil
	}
	return m.album.decode(m.ctx, m.model, s)
}

func (m *Model) decoded(msg decodedMsg) tea.Cmd {
	if msg.album != m.album {
		return nil
	}
	m.album.add(msg)
	if msg.err != nil && !pipeline.Cancelled(msg.err) {
		m.complain(msg.err)
	}
	if msg.step == m.track.at() {
		m.refresh()
	}
	return m.idle()
}

// Key handles a key press and reports whether it was for this screen.
func (m *Model) Key(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	m.notice = notice{}
	if m.model == nil {
		return nil, false
	}
	if !m.form.Editing() {
		if cmd, ok := m.runKey(msg); ok {
			return cmd, true
		}
		if cmd, ok := m.showKey(msg); ok {
			return cmd, true
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
	k := m.deps.Keys.Run
	switch {
	case key.Matches(msg, k.Step):
		return m.step(), true
	case key.Matches(msg, k.Back):
		return m.goTo(m.track.cursor - 1), true
	case key.Matches(msg, k.Forward):
		return m.goTo(m.track.cursor + 1), true
	case key.Matches(msg, k.First):
		return m.goTo(0), true
	case key.Matches(msg, k.Last):
		return m.goTo(len(m.track.path) - 1), true
	case key.Matches(msg, k.Run):
		return m.runOrPause(), true
	case key.Matches(msg, k.Restart):
		return m.begin(m.form.Settings(), false), true
	case key.Matches(msg, k.Cancel):
		return m.cancel(), true
	}
	return nil, false
}

// goTo moves the cursor along kept steps and decodes what is there.
func (m *Model) goTo(k int) tea.Cmd {
	if !m.moveTo(k) {
		return nil
	}
	return m.idle()
}

// step goes one step on: along what is kept, else by the model. While the model
// is at work, one more is remembered.
func (m *Model) step() tea.Cmd {
	leaf := m.track.leaf()
	switch {
	case m.job != nil:
		m.then = oneStep
		return nil
	case leaf == nil:
		return m.begin(m.form.Settings(), false)
	case !m.track.following():
		return m.goTo(m.track.cursor + 1)
	case leaf.Done():
		return m.ended()
	}
	return m.advance(leaf.NextStep())
}

func (m *Model) ended() tea.Cmd {
	m.say("the run has ended: change a setting to run again, R starts from noise")
	return nil
}

// runOrPause goes on to the end from the last kept step, or stops a run. While a
// single step is under way the run follows it.
func (m *Model) runOrPause() tea.Cmd {
	if m.running() {
		return m.cancel()
	}
	if m.job != nil {
		m.then = toTheEnd
		return nil
	}
	leaf := m.track.leaf()
	if leaf == nil {
		return m.begin(m.form.Settings(), true)
	}
	if leaf.Done() {
		return m.ended()
	}
	m.moveTo(len(m.track.path) - 1)
	return m.advance(leaf.End())
}

// cancel stops the step under way; all kept ones stay.
func (m *Model) cancel() tea.Cmd {
	if m.job == nil {
		return nil
	}
	m.job.cancel() // what it has done is told with its end
	m.then = rest
	m.say("stopped: r goes on, space steps")
	return nil
}

// runTo goes to step k, computing as far as it must.
func (m *Model) runTo(k int) tea.Cmd {
	leaf := m.track.leaf()
	if leaf == nil || k <= leaf.Index() {
		return m.goTo(k)
	}
	m.moveTo(len(m.track.path) - 1)
	return m.advance(k)
}

// showKey handles the keys that change what is shown, or take it out.
func (m *Model) showKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := m.deps.Keys
	switch {
	case key.Matches(msg, k.Show.View):
		m.show = (m.show + 1) % showKinds
		m.refresh()
	case key.Matches(msg, k.Show.Save):
		return m.save(), true
	case key.Matches(msg, k.Show.Copy):
		return m.copyCommand(), true
	case key.Matches(msg, k.Edit.NewSeed):
		return m.newSeed(), true
	default:
		return nil, false
	}
	return nil, true
}

// copyCommand puts the command for the settings at the cursor on the clipboard, and
// says where it would make another picture than the one on the screen.
func (m *Model) copyCommand() tea.Cmd {
	text := "copied the ldx run command"
	if k, changed := m.track.changed(); changed {
		text += fmt.Sprintf("; it has no change at step %d", m.track.path[k].Number())
	} else if at := m.track.at(); at != nil && !at.Done() {
		text += "; it goes on to the end"
	}
	m.say(text)
	return tea.SetClipboard(m.deps.Command(m.model, m.form.Settings()))
}

// newSeed makes the run again from other noise.
func (m *Model) newSeed() tea.Cmd {
	s := m.form.Settings()
	s.Seed = pipeline.RandomSeed()
	return m.edit(s)
}

// save writes the picture at the cursor, decoding it first where that is needed.
func (m *Model) save() tea.Cmd {
	at := m.track.at()
	if at == nil {
		m.complain(errors.New("there is no picture yet"))
		return nil
	}
	img, model, ctx := m.album.decoded[at].img, m.model, m.ctx
	m.say("saving…")
	return func() tea.Msg {
		path, err := m.saveNow(ctx, model, at, img)
		if err != nil {
			return noticeMsg{text: err.Error(), bad: true}
		}
		return noticeMsg{text: "saved " + path}
	}
}

func (m *Model) saveNow(ctx context.Context, model *pipeline.Model, at *pipeline.Step, img *image.RGBA) (path string, err error) {
	err = guard(func() error {
		if img == nil {
			if img, err = model.Picture(ctx, at); err != nil {
				return err
			}
		}
		path, err = m.deps.Save(model, at, img)
		return err
	})
	return path, err
}

// Click handles a press of the left button: on a setting, a slider or the
// timeline, where a step that is not there yet is computed.
func (m *Model) Click(x, y int) tea.Cmd {
	m.notice = notice{}
	if r := m.layout.settings.Padded(); m.model != nil && r.Contains(x, y) {
		if change := m.form.Click(x-r.X, y-r.Y); change != nil {
			return m.edit(*change)
		}
		return nil
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

// stepUnder is the step drawn at a cell of the timeline.
func (m *Model) stepUnder(x, y int) (step int, ok bool) {
	bar, at := m.layout.bar(), m.track.at()
	if at == nil || !bar.Contains(x, y) || m.form.Editing() {
		return 0, false
	}
	return timeline.StepAt(x-bar.X, at.End(), bar.W), true
}

// Wheel scrubs along kept steps.
func (m *Model) Wheel(delta int) tea.Cmd { return m.goTo(m.track.cursor + delta) }
