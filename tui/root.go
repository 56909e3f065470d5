package tui

import (
	"context"
	"errors"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

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
	k, t := keys.New(), theme.New(true, colorprofile.TrueColor)
	return &root{
		ctx: ctx, options: o, troubles: make(chan error, 1), images: images, keys: k, theme: t, dark: true, profile: colorprofile.TrueColor,
		explorer: explorer.New(ctx, explorer.Deps{
			Images: images, Keys: k, Save: o.Save, Export: o.Export, Command: o.Command, Remember: o.Remember, Ahead: o.Ahead,
		}, t),
	}
}

// Init asks the terminal what it can do and starts loading.
func (r *root) Init() tea.Cmd {
	return tea.Batch(r.images.Probe(), tea.RequestBackgroundColor, r.lookAgain(), r.listen(), r.load(r.options.Model))
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
		r.dark = msg.IsDark()
		r.setTheme()
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
	case choicesMsg:
		r.popup = &picker{choicesMsg: msg}
	default:
		return r, r.explorer.Update(msg)
	}
	return r, nil
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
		return r.popupKey(msg)
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
		r.popup = help{groups: r.keys.Groups()}
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
		return nil
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
