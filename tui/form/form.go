// Package form is the settings pane: fields that are chosen, stepped with the
// arrows, typed where they stand, and clicked.
package form

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"ldx/pipeline"
	"ldx/tui/keys"
	"ldx/tui/theme"
)

// Model is the pane. It shows the settings it is given and proposes changed ones;
// whoever owns the run decides and sets them.
type Model struct {
	fields   []field
	settings pipeline.Settings // shown
	defaults pipeline.Settings
	check    func(pipeline.Settings) error
	selected int
	editor   *textarea.Model // nil unless a field is being edited
	problem  string          // why what was typed does not do
	width    int
	compact  bool // texts take fewer rows
	keys     keys.Map
	theme    theme.Theme
}

// New makes an empty pane.
func New(k keys.Map, t theme.Theme) *Model {
	return &Model{fields: fields(), keys: k, theme: t, check: func(pipeline.Settings) error { return nil }}
}

// SetTheme changes the colours.
func (m *Model) SetTheme(t theme.Theme) { m.theme = t }

// SetSize sets the columns and rows the pane's text may take.
func (m *Model) SetSize(w, h int) {
	m.width, m.compact = w, false
	m.compact = len(m.rows()) > h
	if m.editor != nil {
		m.editor.SetWidth(m.editorWidth())
	}
}

// SetModel gives the defaults that fields are reset to, and the check a change
// must pass; its error is shown.
func (m *Model) SetModel(defaults pipeline.Settings, check func(pipeline.Settings) error) {
	m.defaults, m.check = defaults, check
}

// Show sets the settings that are shown. What is being typed stays.
func (m *Model) Show(s pipeline.Settings) { m.settings = s }

// Settings are those shown.
func (m *Model) Settings() pipeline.Settings { return m.settings }

// Editing reports whether a field has the keyboard.
func (m *Model) Editing() bool { return m.editor != nil }

// Draft is the settings as they would be if what is being typed were applied, and
// whether they would do.
func (m *Model) Draft() (pipeline.Settings, bool) {
	if m.editor == nil {
		return m.settings, true
	}
	s, err := m.typed()
	return s, err == nil
}

func (m *Model) typed() (pipeline.Settings, error) {
	s := m.settings
	if err := m.current().set(&s, m.editor.Value()); err != nil {
		return s, err
	}
	return s, m.check(s)
}

func (m *Model) current() field { return m.fields[m.selected] }

// EditPrompt opens the prompt for typing.
func (m *Model) EditPrompt() {
	m.selected = promptField
	m.open()
}

// Key handles a key press. It returns settings when the key changed them, and
// whether the key was for the pane.
func (m *Model) Key(msg tea.KeyPressMsg) (change *pipeline.Settings, handled bool) {
	if m.editor != nil {
		return m.editorKey(msg), true
	}
	e := m.keys.Edit
	switch {
	case key.Matches(msg, e.Next):
		m.selectField(m.selected + 1)
	case key.Matches(msg, e.Previous):
		m.selectField(m.selected - 1)
	case key.Matches(msg, e.Open):
		m.open()
	case key.Matches(msg, e.Prompt):
		m.EditPrompt()
	case key.Matches(msg, e.Up):
		return m.step(1), true
	case key.Matches(msg, e.Down):
		return m.step(-1), true
	case key.Matches(msg, e.Default):
		return m.reset(), true
	case m.typesNumber(msg):
		m.open()
		m.edit(msg)
	default:
		return nil, false
	}
	return nil, true
}

// typesNumber reports whether a key begins a number for the selected field.
func (m *Model) typesNumber(msg tea.KeyPressMsg) bool {
	return !m.current().text && len(msg.Text) == 1 && strings.Contains("0123456789.", msg.Text)
}

func (m *Model) selectField(i int) {
	m.selected = (i + len(m.fields)) % len(m.fields)
	m.problem = ""
}

// step moves the selected number; a change that does not fit the model is said
// and not made.
func (m *Model) step(dir int) *pipeline.Settings {
	f := m.current()
	if f.step == nil {
		return nil
	}
	s := m.settings
	f.step(&s, dir)
	for range f.choices {
		if m.check(s) == nil {
			break
		}
		f.step(&s, dir)
	}
	return m.propose(s)
}

func (m *Model) reset() *pipeline.Settings {
	s := m.settings
	f := m.current()
	if err := f.set(&s, f.get(m.defaults)); err != nil {
		m.problem = err.Error()
		return nil
	}
	return m.propose(s)
}

// propose returns s if it differs from what is shown and passes the check.
func (m *Model) propose(s pipeline.Settings) *pipeline.Settings {
	m.problem = ""
	if s == m.settings {
		return nil
	}
	if err := m.check(s); err != nil {
		m.problem = err.Error()
		return nil
	}
	return &s
}

// Heights of the text fields, in rows.
const (
	promptRows   = 3
	negativeRows = 2
)

func (m *Model) rowsOf(i int) int {
	rows := 1
	switch i {
	case promptField:
		rows = promptRows
	case negativeField:
		rows = negativeRows
	}
	if m.compact {
		rows = max(rows-1, 1)
	}
	return rows
}

// inline reports whether a field's value stands beside its label.
func (m *Model) inline(i int) bool { return !m.fields[i].text || m.rowsOf(i) == 1 }

func (m *Model) open() {
	editor := textarea.New()
	editor.Prompt = ""
	editor.ShowLineNumbers = false
	editor.CharLimit = pipeline.MaxPrompt
	editor.MaxHeight = 0
	editor.KeyMap.InsertNewline = m.keys.Field.NewLine
	editor.KeyMap.InsertNewline.SetEnabled(m.current().text)
	styles := textarea.DefaultStyles(m.theme.Dark)
	styles.Focused.CursorLine = lipgloss.NewStyle()
	styles.Cursor.Blink = false
	editor.SetStyles(styles)
	editor.SetHeight(m.rowsOf(m.selected))
	m.editor = &editor
	editor.SetWidth(m.editorWidth())
	editor.SetValue(m.current().get(m.settings))
	editor.MoveToEnd()
	if !m.current().text {
		editor.SelectAll() // what is typed replaces a number
	}
	_ = editor.Focus() // its command only makes the cursor blink
	m.problem = ""
}

func (m *Model) editorKey(msg tea.KeyPressMsg) *pipeline.Settings {
	f := m.keys.Field
	switch {
	case key.Matches(msg, f.Leave):
		m.editor, m.problem = nil, ""
		return nil
	case key.Matches(msg, f.Accept):
		return m.accept()
	case key.Matches(msg, f.More) && m.current().step != nil:
		m.stepTyped(1)
	case key.Matches(msg, f.Less) && m.current().step != nil:
		m.stepTyped(-1)
	default:
		m.edit(msg)
	}
	return nil
}

// accept applies what was typed, or says why it does not do and stays open.
func (m *Model) accept() *pipeline.Settings {
	s, err := m.typed()
	if err != nil {
		m.problem = err.Error()
		return nil
	}
	m.editor = nil
	return m.propose(s)
}

func (m *Model) stepTyped(dir int) {
	s, err := m.typed()
	if err != nil {
		m.problem = err.Error()
		return
	}
	m.current().step(&s, dir)
	m.editor.SetValue(m.current().get(s))
	m.editor.MoveToEnd()
}

// Paste puts pasted text into the field being edited.
func (m *Model) Paste(msg tea.PasteMsg) {
	if m.editor != nil {
		m.edit(msg)
	}
}

func (m *Model) edit(msg tea.Msg) {
	editor, _ := m.editor.Update(msg) // its commands only blink the cursor
	m.editor = &editor
	m.problem = ""
}
