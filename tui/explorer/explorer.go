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
	"ldx/tui/tree"
)

// Deps are what the screen is given from outside.
type Deps struct {
	Images *termimg.Compositor
	Keys   keys.Map
	// Save writes a picture made under settings at a step and returns its path.
	Save func(m *pipeline.Model, s *pipeline.Step, img *image.RGBA) (string, error)
	// Export writes something else than a picture and returns its path.
	Export func(ctx context.Context, what Export, m *pipeline.Model, run *pipeline.Run) (string, error)
	// Command is the command line that repeats a path, and what it does otherwise.
	Command func(m *pipeline.Model, path []*pipeline.Step) (command, but string)
	// Remember keeps settings, and a prompt that was typed, for the next start.
	Remember func(m *pipeline.Model, s pipeline.Settings) error
	// Ahead has the next steps computed before they are asked for.
	Ahead bool
}

// Recorder writes a run down as it happens. Its methods may be called by several
// goroutines.
type Recorder interface {
	// Append writes an operation and returns once it is written; what cannot be is
	// tried again with the next. Whoever made a step and numbered it appends it, before
	// it is shown. It is not called from Update.
	Append(op pipeline.Op) error
	// Queue writes every operation that the run took, the steps once more, in that
	// order, in the background.
	Queue(op pipeline.Op)
	// Usage tells the bytes of tensors in memory, those on disk, and how many steps are
	// on disk only.
	Usage() (memory, disk int64, spilled int)
	// Notice is a sentence on what differs from where an opened run was made, or "".
	Notice() string
}

// shows is what the large picture shows.
type shows int

const (
	showOriginal shows = iota
	showLatent
	showComing
	showChannels
	showKinds
)

// Model is the screen.
type Model struct {
	ctx   context.Context // ends with the program
	deps  Deps
	work  work
	album *album
	form  *form.Model
	loose bool // a restart takes a new seed

	breaks  []pipeline.Breakpoint
	sweep   *sweep // nil unless values are shown side by side
	compare bool   // the marked step is shown too
	show    shows
	screens screens
	layout  layout
	tree    *tree.Model
	notice  notice
	theme   theme.Theme
}

// work is the model, the run on it, and what is under way.
type work struct {
	model    *pipeline.Model // nil until one is loaded
	run      *pipeline.Run
	recorder Recorder
	ahead    *ahead
	job      *job // nil when the model is idle
	then     then // what is wanted after the job
	writing  writing
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
type screens struct {
	main, latent, channels, strip *termimg.Surface
	drawn                         strip
}

func (s screens) all() []*termimg.Surface {
	return []*termimg.Surface{s.main, s.latent, s.channels, s.strip}
}

// notice is a line for the person, until the next key.
type notice struct {
	text string
	bad  bool
}

// New makes the screen without a model. Work ends when ctx does.
func New(ctx context.Context, d Deps, t theme.Theme) *Model {
	m := &Model{
		ctx: ctx, deps: d, album: newAlbum(), form: form.New(d.Keys, t), tree: &tree.Model{}, theme: t,
		work: work{run: pipeline.NewRun(), recorder: unrecorded{}, ahead: &ahead{on: d.Ahead}},
	}
	m.screens = screens{main: d.Images.NewSurface(), latent: d.Images.NewSurface(), channels: d.Images.NewSurface(), strip: d.Images.NewSurface()}
	m.screens.latent.SetSampling(termimg.Nearest)
	m.screens.channels.SetSampling(termimg.Nearest)
	return m
}

// unrecorded is the recorder of a run that is not written down.
type unrecorded struct{}

func (unrecorded) Append(pipeline.Op) error           { return nil }
func (unrecorded) Queue(pipeline.Op)                  {}
func (unrecorded) Usage() (memory, disk int64, n int) { return 0, 0, 0 }
func (unrecorded) Notice() string                     { return "" }

// SetTheme changes the colours.
func (m *Model) SetTheme(t theme.Theme) {
	m.theme = t
	m.form.SetTheme(t)
}

// SetSize lays the screen out anew.
func (m *Model) SetSize(w, h int) {
	m.layout = arrange(w, h, m.layout.tall)
	inner := m.layout.settings.Padded()
	m.form.SetSize(inner.W, inner.H-stepLines-2) // a rule and what is fixed
	m.refresh()
}

// Settings are those at the cursor.
func (m *Model) Settings() pipeline.Settings { return m.form.Settings() }

// Loaded is the model that is shown, nil before the first.
func (m *Model) Loaded() *pipeline.Model { return m.work.model }

// SetModel puts another model on the screen. A run that has steps is gone on with,
// else one is made to the end from the given settings. The old model is returned for
// closing.
func (m *Model) SetModel(model *pipeline.Model, s pipeline.Settings, run *pipeline.Run, r Recorder) (old *pipeline.Model, cmd tea.Cmd) {
	m.Stop()
	if run == nil {
		run = pipeline.NewRun()
	}
	if r == nil {
		r = unrecorded{}
	}
	old = m.work.model
	m.work = work{model: model, run: run, recorder: r, ahead: &ahead{on: m.work.ahead.on}}
	m.album, m.sweep, m.compare = newAlbum(), nil, false
	m.form.SetModel(model.Settings(), model.Check)
	if text := r.Notice(); text != "" {
		m.say(text)
	}
	if at := run.At(); at != nil {
		m.form.Show(at.Settings)
		m.refresh()
		return old, m.idle()
	}
	m.form.Show(s)
	m.refresh()
	return old, m.begin(s, true)
}

// Stop cancels all work. What it gives back later is dropped.
func (m *Model) Stop() {
	m.stopJob()
	m.album.stop()
	m.work.ahead.stop()
}

func (m *Model) stopJob() {
	if m.work.job != nil {
		m.work.job.cancel()
		m.work.job = nil
	}
	m.work.then = rest
}

// Busy reports whether the model is at work on a step.
func (m *Model) Busy() bool { return m.work.job != nil }

// running reports whether the run goes on by itself.
func (m *Model) running() bool {
	j, tip := m.work.job, m.work.run.Tip()
	return j != nil && tip != nil && j.until > tip.NextStep()
}

// order starts work on the model in place of any that is under way.
func (m *Model) order(o order) tea.Cmd {
	m.stopJob()
	m.album.stop()
	m.work.ahead.stop()
	m.sweep = nil
	w := worker{m.work.model, m.work.run, m.work.recorder, m.work.ahead}
	m.work.job = w.start(m.ctx, o)
	return m.work.job.next()
}

// begin starts a run from noise, and goes to its end or stays at its start.
func (m *Model) begin(s pipeline.Settings, toEnd bool) tea.Cmd {
	plan, err := m.work.model.Info().Plan(s)
	if err != nil {
		m.complain(err)
		return nil
	}
	model := m.work.model
	o := order{
		first: func(ctx context.Context) (*pipeline.Step, error) { return model.Begin(ctx, s) },
		aim:   m.aim(0), change: true, again: toEnd,
	}
	if toEnd {
		o.until = plan.Calls()
		o.breaks = m.breaks
	}
	return m.order(o)
}

// advance goes on from the tip to index until.
func (m *Model) advance(until int) tea.Cmd {
	tip, model, ahead := m.work.run.Tip(), m.work.model, m.work.ahead
	o := order{
		first: func(ctx context.Context) (*pipeline.Step, error) { return ahead.next(ctx, model, tip) },
		until: until, aim: m.work.run.AimOn(),
	}
	if until > tip.NextStep() {
		o.breaks = m.breaks
	}
	return m.order(o)
}

// aim is where a step belongs that takes the place of the one at index k. Changes in
// quick succession make one branch, not several.
func (m *Model) aim(k int) pipeline.Aim {
	if j := m.work.job; j != nil && j.change && (!j.told || j.again) {
		return j.aim
	}
	return m.work.run.AimEdit(k)
}

// edit applies changed settings. In mid-run they act at the cursor; at the end,
// where nothing is left to change, on the whole run, which is made again.
func (m *Model) edit(s pipeline.Settings) tea.Cmd {
	m.form.Show(s)
	at := m.work.run.At()
	if at == nil {
		return m.begin(s, true)
	}
	again := at.Done() || m.work.job != nil && m.work.job.again
	goOn := again || m.running()
	if again {
		at = m.work.run.Path()[0]
	}
	plan, err := m.work.model.Info().Plan(s)
	if err != nil {
		m.complain(err)
		return nil
	}
	model := m.work.model
	o := order{
		first: func(ctx context.Context) (*pipeline.Step, error) { return model.Edit(ctx, at, s) },
		aim:   m.aim(at.Index()), change: true, again: again,
	}
	if goOn {
		o.until, o.breaks = at.Index()+plan.Calls(), m.breaks
	}
	return tea.Batch(m.order(o), m.remember(s))
}

// do is an operation on the run, which is written down too.
func (m *Model) do(op pipeline.Op) tea.Cmd {
	if err := m.work.run.Apply(op); err != nil {
		m.complain(err)
		return nil
	}
	m.work.recorder.Queue(op)
	m.sweep = nil
	if at := m.work.run.At(); at != nil && !m.form.Editing() {
		m.form.Show(at.Settings)
	}
	m.refresh()
	return m.idle()
}

// noticeMsg shows a notice.
type noticeMsg notice

func (m *Model) say(text string)    { m.notice = notice{text: text} }
func (m *Model) complain(err error) { m.notice = notice{text: err.Error(), bad: true} }

// Tell shows a notice.
func (m *Model) Tell(text string) { m.say(text) }

// Complain shows an error.
func (m *Model) Complain(err error) { m.complain(err) }

// Editing reports whether a field has the keyboard, so that keys are text.
func (m *Model) Editing() bool { return m.form.Editing() }
