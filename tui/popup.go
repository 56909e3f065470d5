package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"ldx/tui/ask"
	"ldx/tui/history"
	"ldx/tui/keys"
	"ldx/tui/palette"
	"ldx/tui/pick"
	"ldx/tui/theme"
)

// popup covers the screen between the header and the help line.
type popup interface {
	view(w, h int, t theme.Theme) string
	bindings(keys.Map) []key.Binding
	// update takes a key, pasted text or the mouse, its place counted from the popup's
	// corner: what follows, and whether the popup stays.
	update(msg tea.Msg, k keys.Map) (cmd tea.Cmd, stay bool)
}

// popupTop is the row at which popups begin.
const popupTop = 1

// toPopup passes a message to the popup, which may close.
func (r *root) toPopup(msg tea.Msg) tea.Cmd {
	cmd, stay := r.popup.update(msg, r.keys)
	if !stay {
		r.popup = nil
	}
	return cmd
}

// asked opens the popup that a screen asks for, or fetches what it will show.
func (r *root) asked(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ask.Line:
		r.popup = newLine(msg)
	case ask.Choice:
		r.popup = newChoice(msg, r.keys)
	case ask.Prompts:
		return r.prompts(msg)
	case ask.Tokens:
		return r.tokens(msg)
	}
	return nil
}

// show opens a popup whose contents have come, unless another was opened meanwhile.
func (r *root) show(p popup) {
	if r.popup == nil {
		r.popup = p
	}
}

// list is a popup to choose from.
type list struct {
	*pick.Model
	chosen func(i int) tea.Cmd
}

func (l *list) view(w, h int, t theme.Theme) string { return l.View(w, h, t) }

func (l *list) bindings(keys.Map) []key.Binding { return l.Bindings() }

func (l *list) update(msg tea.Msg, _ keys.Map) (tea.Cmd, bool) {
	i, result := l.Update(msg)
	if result == pick.Chosen {
		return l.chosen(i), false
	}
	return nil, result == pick.Stays
}

// answer is a command that brings what an answer makes, nil for nothing.
func answer(msg tea.Msg) tea.Cmd {
	if msg == nil {
		return nil
	}
	return func() tea.Msg { return msg }
}

func newChoice(c ask.Choice, k keys.Map) *list {
	items := make([]pick.Item, len(c.Items))
	for i, it := range c.Items {
		items[i] = pick.Item{Name: it.Name, Detail: it.Detail}
	}
	model := pick.New(c.Title, "there is nothing to choose", items, nil, k.Popup)
	model.Go(c.At)
	return &list{Model: model, chosen: func(i int) tea.Cmd { return answer(c.Then(i)) }}
}

// openPalette lists the actions; what is chosen comes back as a press of its key.
func (r *root) openPalette() {
	model := palette.New(r.keys, r.enabled)
	r.popup = &list{Model: model.Model, chosen: func(i int) tea.Cmd { return answer(model.Press(i)) }}
}

// enabled reports whether an action means anything now.
func (r *root) enabled(name string) bool {
	switch name {
	case "show.models", "show.help", "show.palette", "show.quit":
		return true
	case "run.cancel":
		return r.loading != nil || r.explorer.Busy()
	}
	if r.explorer.Loaded() == nil {
		return false
	}
	if screen, knows := any(r.explorer).(interface{ Enabled(name string) bool }); knows {
		return screen.Enabled(name)
	}
	return true
}

// choicesMsg brings the models there are.
type choicesMsg struct {
	list []Choice
	err  error
}

// choices asks for the models there are.
func (r *root) choices() tea.Cmd {
	return func() tea.Msg {
		list, err := r.options.Models()
		return choicesMsg{list: list, err: err}
	}
}

// openModels lists models to load.
func (r *root) openModels(msg choicesMsg) {
	none := "there is no model"
	if msg.err != nil {
		none = "✗ " + msg.err.Error()
	}
	items := make([]pick.Item, len(msg.list))
	for i, c := range msg.list {
		items[i] = pick.Item{Name: c.Name, Detail: c.Detail}
	}
	model := pick.New("models", none, items, nil, r.keys.Popup)
	r.show(&list{Model: model, chosen: func(i int) tea.Cmd { return r.load(msg.list[i].Name) }})
	if msg.err != nil && len(msg.list) > 0 {
		r.explorer.Complain(msg.err)
	}
}

// promptsMsg brings the prompts used before.
type promptsMsg struct {
	list []string
	err  error
	then func(string) tea.Msg
}

// prompts reads the prompts used before, those of other programs among them.
func (r *root) prompts(q ask.Prompts) tea.Cmd {
	store := r.options.History
	return func() tea.Msg {
		if store == nil {
			return promptsMsg{then: q.Then}
		}
		err := store.Load()
		return promptsMsg{list: store.Prompts(), err: err, then: q.Then}
	}
}

func (r *root) openPrompts(msg promptsMsg) {
	p := history.NewPopup(msg.list, msg.err, r.keys)
	r.show(&list{Model: p.Model, chosen: func(i int) tea.Cmd { return answer(msg.then(p.Prompt(i))) }})
}

// used is a command that remembers a prompt.
func (r *root) used(prompt string) tea.Cmd {
	store := r.options.History
	if store == nil {
		return nil
	}
	return func() tea.Msg { return usedMsg{store.Add(prompt)} }
}

// usedMsg says that a prompt was remembered.
type usedMsg struct{ err error }
