package tui

import (
	"context"
	"errors"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"ldx/pipeline"
	"ldx/tui/ask"
	"ldx/tui/explorer"
	"ldx/tui/keys"
	"ldx/tui/termimg"
	"ldx/tui/theme"
)

// root is the one Bubble Tea model.
type root struct {
	ctx      context.Context
	options  Options
	images   *termimg.Compositor
	keys     keys.Map
	theme    theme.Theme
	dark     bool
	profile  colorprofile.Profile
	w, h     int
	explorer *explorer.Model
	popup    popup // what covers the screen, nil for nothing
	loading  *loading
	loads    int   // numbers loads
	failed   error // why there is no model
	record   record
	troubles chan error // with writing the run
}

func newRoot(ctx context.Context, o Options, images *termimg.Compositor) *root {
	k, dark := keys.New(), o.Theme != theme.Light
	if o.Keys != nil {
		k = *o.Keys
	}
	t := theme.New(dark, colorprofile.TrueColor)
	return &root{
		ctx: ctx, options: o, troubles: make(chan error, 1), images: images, keys: k, theme: t, dark: dark, profile: colorprofile.TrueColor,
		explorer: explorer.New(ctx, explorer.Deps{
			Images: images, Keys: k, Save: o.Save, Export: o.Export, Ahead: o.Ahead, Command: o.Command, Remember: rememberAll(o),
		}, t),
	}
}

// rememberAll keeps the prompt of settings with the settings.
func rememberAll(o Options) func(*pipeline.Model, pipeline.Settings) error {
	if o.History == nil {
		return o.Remember
	}
	return func(m *pipeline.Model, s pipeline.Settings) error {
		return errors.Join(o.Remember(m, s), o.History.Add(s.Prompt))
	}
}

// Init asks the terminal what it can do and starts loading.
func (r *root) Init() tea.Cmd {
	cmds := []tea.Cmd{r.images.Probe(), r.lookAgain(), r.listen(), r.load(r.options.Model)}
	if r.options.Theme == theme.Auto {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	return tea.Batch(cmds...)
}

// settled is when a terminal that opens its window for the program has given it
// its size.
const settled = 250 * time.Millisecond

// sizeMsg is the size that the terminal has.
type sizeMsg struct{ w, h int }

// lookAgain looks at the terminal's size once more: Bubble Tea reads it before it
// listens for changes, and misses one in between.
func (r *root) lookAgain() tea.Cmd {
	return tea.Tick(settled, func(time.Time) tea.Msg {
		w, h, err := term.GetSize(r.images.Fd())
		if err != nil {
			return nil
		}
		return sizeMsg{w, h}
	})
}

// close frees the model after the program has ended.
func (r *root) close() error {
	if m := r.explorer.Loaded(); m != nil {
		return errors.Join(r.explorer.Flush(), m.Close(), r.record.close())
	}
	return nil
}

// Update routes a message to whom it concerns.
func (r *root) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	r.images.Handle(msg)
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		r.w, r.h = msg.Width, msg.Height
		r.explorer.SetSize(r.w, r.h)
	case sizeMsg:
		if msg.w != r.w || msg.h != r.h {
			return r, tea.RequestWindowSize
		}
	case tea.BackgroundColorMsg:
		if r.options.Theme == theme.Auto {
			r.dark = msg.IsDark()
			r.setTheme()
		}
	case tea.ColorProfileMsg:
		r.profile = msg.Profile
		r.setTheme()
	case tea.KeyPressMsg:
		return r, r.key(msg)
	case tea.MouseMsg:
		return r, r.mouse(msg)
	case loadMsg:
		return r, r.loaded(msg)
	case troubleMsg:
		return r, r.trouble(msg)
	default:
		return r, r.other(msg)
	}
	return r, nil
}

// other routes what is not the terminal's: for a popup, or for the explorer.
func (r *root) other(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ask.Line, ask.Choice, ask.Prompts, ask.Tokens:
		return r.asked(msg)
	case choicesMsg:
		r.openModels(msg)
	case promptsMsg:
		r.openPrompts(msg)
	case tokensMsg:
		r.show(tokenSheet(msg))
	case usedMsg:
		if msg.err != nil {
			r.explorer.Complain(msg.err)
		}
	case tea.PasteMsg:
		if r.popup != nil {
			return r.toPopup(msg)
		}
		return r.explorer.Update(msg)
	default:
		return r.explorer.Update(msg)
	}
	return nil
}

func (r *root) setTheme() {
	r.theme = theme.New(r.dark, r.profile)
	r.explorer.SetTheme(r.theme)
}

// key passes a key press to the popup, to the explorer, or acts on it.
func (r *root) key(msg tea.KeyPressMsg) tea.Cmd {
	if msg.String() == "ctrl+c" {
		return r.quit()
	}
	if r.popup != nil {
		return r.toPopup(msg)
	}
	if key.Matches(msg, r.keys.Run.Cancel) && r.cancelLoading() {
		return nil
	}
	if cmd, handled := r.explorer.Key(msg); handled {
		return cmd
	}
	switch {
	case key.Matches(msg, r.keys.Show.Quit):
		return r.quit()
	case key.Matches(msg, r.keys.Show.Help):
		r.popup = helpSheet(r.keys.Groups())
	case key.Matches(msg, r.keys.Show.Palette):
		r.openPalette()
	case key.Matches(msg, r.keys.Show.Models):
		return r.choices()
	}
	return nil
}

func (r *root) quit() tea.Cmd {
	r.explorer.Stop()
	r.cancelLoading()
	return tea.Quit
}

func (r *root) mouse(msg tea.MouseMsg) tea.Cmd {
	if r.popup != nil {
		return r.popupMouse(msg)
	}
	m := msg.Mouse()
	switch msg.(type) {
	case tea.MouseClickMsg:
		if m.Button == tea.MouseLeft {
			return r.explorer.Click(m.X, m.Y)
		}
	case tea.MouseMotionMsg:
		if m.Button == tea.MouseLeft {
			return r.explorer.Drag(m.X, m.Y)
		}
	case tea.MouseWheelMsg:
		switch m.Button {
		case tea.MouseWheelUp:
			return r.explorer.Wheel(-1)
		case tea.MouseWheelDown:
			return r.explorer.Wheel(1)
		}
	}
	return nil
}

// popupMouse passes presses and the wheel to the popup, counted from its corner.
func (r *root) popupMouse(msg tea.MouseMsg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.MouseClickMsg:
		msg.Y -= popupTop
		return r.toPopup(msg)
	case tea.MouseWheelMsg:
		return r.toPopup(msg)
	}
	return nil
}
