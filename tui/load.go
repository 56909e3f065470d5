package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
	"ldx/tui/explorer"
	"ldx/tui/theme"
)

// loading is a model on its way.
type loading struct {
	id     int
	name   string
	cancel context.CancelFunc
	events chan loadMsg
	last   Progress
}

// loadMsg is progress of load id, or its end.
type loadMsg struct {
	id       int
	progress Progress
	done     bool
	model    *pipeline.Model
	settings pipeline.Settings
	record   record
	err      error
}

// record is where a run is written, and what there is of it already.
type record struct {
	to  Recorder // nil for nowhere
	run *pipeline.Run
}

// close writes what is left.
func (r record) close() error {
	if r.to == nil {
		return nil
	}
	return r.to.Close()
}

// writer is what the explorer writes with.
func (r record) writer() explorer.Recorder {
	if r.to == nil {
		return nil // and not a Recorder that is a nil one
	}
	return r.to
}

// troubleMsg says that writing a run begins to fail, or works again.
type troubleMsg struct{ err error }

// listen waits for the next trouble with writing.
func (r *root) listen() tea.Cmd {
	return func() tea.Msg {
		select {
		case err := <-r.troubles:
			return troubleMsg{err}
		case <-r.ctx.Done():
			return nil
		}
	}
}

func (r *root) trouble(msg troubleMsg) tea.Cmd {
	if msg.err != nil {
		r.explorer.Complain(msg.err)
	} else {
		r.explorer.Tell("the session is saved again")
	}
	return r.listen()
}

// load starts loading a model by name in place of any other on its way.
func (r *root) load(name string) tea.Cmd {
	if r.loading != nil {
		r.loading.cancel()
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.loads++
	l := &loading{id: r.loads, name: name, cancel: cancel, events: make(chan loadMsg, 1), last: Progress{What: "loading " + name}}
	r.loading = l
	go func() {
		defer close(l.events)
		msg := loadMsg{id: l.id, done: true}
		msg.model, msg.settings, msg.err = r.options.Load(ctx, name, func(p Progress) {
			select { // progress that nobody has read yet is overtaken, not waited for
			case l.events <- loadMsg{id: l.id, progress: p}:
			default:
			}
		})
		if msg.err == nil && r.options.Record != nil {
			msg.record.to, msg.record.run, msg.err = r.options.Record(msg.model)
		}
		l.events <- msg
	}()
	return l.next()
}

func (l *loading) next() tea.Cmd {
	return func() tea.Msg {
		msg, ok := <-l.events
		if !ok {
			return nil
		}
		return msg
	}
}

// loaded takes in what loading says. A model that nobody waits for any more is
// closed again.
func (r *root) loaded(msg loadMsg) tea.Cmd {
	if r.loading == nil || msg.id != r.loading.id {
		return closeModel(msg.model, msg.record)
	}
	if !msg.done {
		r.loading.last = msg.progress
		return r.loading.next()
	}
	r.loading = nil
	if msg.err != nil {
		if !pipeline.Cancelled(msg.err) {
			r.failed = msg.err
			r.explorer.Complain(msg.err)
		}
		return closeModel(msg.model, msg.record)
	}
	r.failed = nil
	old, cmd := r.explorer.SetModel(msg.model, msg.settings, msg.record.run, msg.record.writer())
	before := r.record
	if r.record = msg.record; r.record.to != nil {
		r.record.to.OnTrouble(func(err error) {
			select { // only the newest is of use
			case r.troubles <- err:
			default:
			}
		})
	}
	return tea.Batch(cmd, closeModel(old, before), r.used(msg.settings.Prompt))
}

// closeModel frees a model once its last call has returned, and ends the writing of its
// run.
func closeModel(m *pipeline.Model, written record) tea.Cmd {
	if m == nil {
		return nil
	}
	return func() tea.Msg {
		_ = m.Close() // it is gone either way
		if err := written.close(); err != nil {
			return troubleMsg{err}
		}
		return nil
	}
}

// cancelLoading gives up the model on its way and reports whether there was one.
func (r *root) cancelLoading() bool {
	if r.loading == nil {
		return false
	}
	r.loading.cancel()
	r.loading = nil
	return true
}

// loadCells is the width of the progress bar.
const loadCells = 24

// text is what stands in place of the picture meanwhile; cancel is the key that cancels.
func (l *loading) text(t theme.Theme, cancel string) string {
	line := l.last.What
	if l.last.Total > 0 {
		full := int(loadCells * min(l.last.Done, l.last.Total) / l.last.Total)
		bar := t.Accent.Render(strings.Repeat("━", full)) + t.Faint.Render(strings.Repeat("─", loadCells-full))
		line += fmt.Sprintf("\n\n  %s %3d %%", bar, 100*min(l.last.Done, l.last.Total)/l.last.Total)
	}
	return "\n  " + t.Text.Render(line) + "\n\n  " + t.Faint.Render(cancel+" cancels")
}
