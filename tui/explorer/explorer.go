package explorer

import (
	"context"
	"image"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
	"ldx/tui/form"
	"ldx/tui/keys"
	"ldx/tui/termimg"
	"ldx/tui/theme"
)

// Deps are what the screen is given from outside.
type Deps struct {
	Images *termimg.Compositor
	Keys   keys.Map
	// Save writes a picture made under settings at a step and returns its path.
	Save func(m *pipeline.Model, s *pipeline.Step, img *image.RGBA) (string, error)
	// Command is the command line that repeats settings.
	Command func(m *pipeline.Model, s pipeline.Settings) string
	// Remember keeps settings for the next start.
	Remember func(m *pipeline.Model, s pipeline.Settings) error
}

// shows is what the large picture shows.
type shows int

const (
	showOriginal shows = iota
	showLatent
	showChannels
	showKinds
)

// Model is the screen.
type Model struct {
	ctx   context.Context // ends with the program
	deps  Deps
	model *pipeline.Model // nil until one is loaded
	track track
	album *album
	job   *job // nil when the model is idle
	jobs  int  // numbers jobs
	then  then // what is wanted after the job

	writing writing

	form    *form.Model
	show    shows
	screens screens
	layout  layout
	notice  notice
	theme   theme.Theme
}

// writing is how far remembering settings for the next start has got.
type writing struct {
	busy bool
	next *pipeline.Settings // to be written after the write under way
}

// then is what follows a job.
type then int

const (
	rest then = iota
	oneStep
	toTheEnd
)

// screens are the places pictures are shown at.
type screens struct{ main, latent, channels *termimg.Surface }

// notice is a line for the person, until the next key.
type notice struct {
	text string
	bad  bool
}

// New makes the screen without a model. Work ends when ctx does.
func New(ctx context.Context, d Deps, t theme.Theme) *Model {
	m := &Model{ctx: ctx, deps: d, album: newAlbum(), form: form.New(d.Keys, t), theme: t}
	m.screens = screens{main: d.Images.NewSurface(), latent: d.Images.NewSurface(), channels: d.Images.NewSurface()}
	m.screens.latent.SetSampling(termimg.Nearest)
	m.screens.channels.SetSampling(termimg.Nearest)
	return m
}

// SetTheme changes the colours.
func (m *Model) SetTheme(t theme.Theme) {
	m.theme = t
	m.form.SetTheme(t)
}

// SetSize lays the screen out anew.
func (m *Model) SetSize(w, h int) {
	m.layout = arrange(w, h)
	inner := m.layout.settings.Padded()
	m.form.SetSize(inner.W, inner.H-stepLines-2) // a rule and what is fixed
}

// Settings are those at the cursor.
func (m *Model) Settings() pipeline.Settings { return m.form.Settings() }

// Loaded is the model that is shown, nil before the first.
func (m *Model) Loaded() *pipeline.Model { return m.model }

// SetModel puts another model on the screen and runs it to the end from the given
// settings. The old one is returned for closing.
func (m *Model) SetModel(model *pipeline.Model, s pipeline.Settings) (old *pipeline.Model, cmd tea.Cmd) {
	m.Stop()
	old, m.model = m.model, model
	m.track, m.album = track{}, newAlbum()
	m.form.SetModel(model.Settings(), model.Check)
	m.form.Show(s)
	m.refresh()
	return old, m.begin(s, true)
}

// Stop cancels all work. What it gives back later is dropped.
func (m *Model) Stop() {
	m.stopJob()
	m.album.stop()
}

func (m *Model) stopJob() {
	if m.job != nil {
		m.job.cancel()
		m.job = nil
	}
	m.then = rest
}

// Busy reports whether the model is at work on a step.
func (m *Model) Busy() bool { return m.job != nil }

// running reports whether the run goes on by itself.
func (m *Model) running() bool {
	return m.job != nil && m.track.leaf() != nil && m.job.until > m.track.leaf().NextStep()
}

// order starts work on the model in place of any that is under way.
func (m *Model) order(o order) tea.Cmd {
	m.stopJob()
	m.album.stop()
	m.jobs++
	m.job = start(m.ctx, m.jobs, m.model, o)
	return m.job.next()
}

// begin starts a run from noise, and goes to its end or stays at its start.
func (m *Model) begin(s pipeline.Settings, toEnd bool) tea.Cmd {
	plan, err := m.model.Info().Plan(s)
	if err != nil {
		m.complain(err)
		return nil
	}
	o := order{first: func(ctx context.Context) (*pipeline.Step, error) { return m.model.Begin(ctx, s) }}
	if toEnd {
		o.until = plan.Calls()
	}
	return m.order(o)
}

// advance goes on from the last kept step to step until.
func (m *Model) advance(until int) tea.Cmd {
	leaf := m.track.leaf()
	return m.order(order{
		first: func(ctx context.Context) (*pipeline.Step, error) { return m.model.Advance(ctx, leaf) },
		until: until,
	})
}

// edit applies changed settings. In mid-run they act at the cursor; at the end,
// where nothing is left to change, on the whole run, which is made again.
func (m *Model) edit(s pipeline.Settings) tea.Cmd {
	m.form.Show(s)
	at := m.track.at()
	if at == nil {
		return m.begin(s, true)
	}
	goOn := m.running() || at.Done()
	if at.Done() {
		at = m.track.path[0]
	}
	plan, err := m.model.Info().Plan(s)
	if err != nil {
		m.complain(err)
		return nil
	}
	o := order{first: func(ctx context.Context) (*pipeline.Step, error) { return m.model.Edit(ctx, at, s) }}
	if goOn {
		o.until = plan.Calls()
	}
	return tea.Batch(m.order(o), m.remember(s))
}

// remember keeps settings for the next start, one write after the other: of
// several changes in a row the last must be what stays.
func (m *Model) remember(s pipeline.Settings) tea.Cmd {
	m.writing.next = &s
	if m.writing.busy {
		return nil
	}
	return m.saveSettings()
}

func (m *Model) saveSettings() tea.Cmd {
	model, s := m.model, *m.writing.next
	m.writing.next, m.writing.busy = nil, true
	return func() tea.Msg { return rememberedMsg{m.deps.Remember(model, s)} }
}

// rememberedMsg says that settings were written.
type rememberedMsg struct{ err error }

func (m *Model) remembered(msg rememberedMsg) tea.Cmd {
	m.writing.busy = false
	if msg.err != nil {
		m.complain(msg.err)
	}
	if m.writing.next == nil {
		return nil
	}
	return m.saveSettings()
}

// Flush writes settings that were still to be written when the program ended.
func (m *Model) Flush() error {
	if m.model == nil || m.writing.next == nil && !m.writing.busy {
		return nil
	}
	return m.deps.Remember(m.model, m.form.Settings())
}

// noticeMsg shows a notice.
type noticeMsg notice

func (m *Model) say(text string)    { m.notice = notice{text: text} }
func (m *Model) complain(err error) { m.notice = notice{text: err.Error(), bad: true} }

// Complain shows an error.
func (m *Model) Complain(err error) { m.complain(err) }

// Editing reports whether a field has the keyboard, so that keys are text.
func (m *Model) Editing() bool { return m.form.Editing() }

// moveTo puts the cursor on kept step k and shows it.
func (m *Model) moveTo(k int) (moved bool) {
	if moved = m.track.move(k); moved {
		m.form.Show(m.track.at().Settings)
		m.refresh()
	}
	return moved
}
