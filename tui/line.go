package tui

import (
	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/ask"
	"ldx/tui/box"
	"ldx/tui/keys"
	"ldx/tui/pick"
	"ldx/tui/theme"
)

// line asks for one line of text.
type line struct {
	ask     ask.Line
	input   *textinput.Model
	problem string // why what was typed does not do
}

func newLine(q ask.Line) *line { return &line{ask: q, input: pick.Input(q.Value)} }

func (l *line) bindings(k keys.Map) []key.Binding {
	return []key.Binding{k.Field.Accept, k.Field.Leave}
}

func (l *line) update(msg tea.Msg, k keys.Map) (tea.Cmd, bool) {
	press, isKey := msg.(tea.KeyPressMsg)
	switch {
	case isKey && key.Matches(press, k.Field.Leave):
		return nil, false
	case isKey && key.Matches(press, k.Field.Accept):
		return l.accept()
	}
	switch msg.(type) {
	case tea.KeyPressMsg, tea.PasteMsg:
		in, _ := l.input.Update(msg) // its commands only blink the cursor
		l.input, l.problem = &in, ""
	}
	return nil, true
}

// accept gives the text on, or says why it does not do and stays.
func (l *line) accept() (tea.Cmd, bool) {
	text := l.input.Value()
	if l.ask.Check != nil {
		if err := l.ask.Check(text); err != nil {
			l.problem = err.Error()
			return nil, true
		}
	}
	return answer(l.ask.Then(text)), false
}

func (l *line) view(w, h int, t theme.Theme) string {
	l.input.SetWidth(max(w-box.Frame-4, 1))
	text := "\n " + t.Accent.Render("› ") + l.input.View()
	if l.problem != "" {
		for row := range splitLines(ansi.Wordwrap("✗ "+l.problem, max(w-box.Frame-2, 1), "")) {
			text += "\n " + t.Bad.Render(row)
		}
	}
	if note := l.note(); note != "" {
		text += "\n\n " + t.Muted.Render(note)
	}
	return box.Draw(t.Muted.Render(l.ask.Title), text, w, min(h, lineHeight), t.Focus)
}

// note is what the text would lead to, where there is something to say of it.
func (l *line) note() string {
	text := l.input.Value()
	if l.ask.Note == nil || l.problem != "" || l.ask.Check != nil && l.ask.Check(text) != nil {
		return ""
	}
	return l.ask.Note(text)
}

// lineHeight has room for the line and a problem of a few lines.
const lineHeight = 8
