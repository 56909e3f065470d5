// Package pick is a list to choose from, with the keyboard or the mouse, which may be
// filtered by typing.
package pick

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/box"
	"ldx/tui/keys"
	"ldx/tui/theme"
)

// Item is something to choose.
type Item struct {
	Name   string
	Detail string // muted, behind the name
	Key    string // at the right end
	Search string // what a filter reads; "" is the name
	Faint  bool   // means nothing now, though it can be chosen; its key is in brackets
}

// A Filter lists which of the texts fit a query, the best first.
type Filter func(query string, texts []string) []int

// Result is what became of a list.
type Result int

// The results.
const (
	Stays Result = iota
	Chosen
	Closed
)

// Model is the list.
type Model struct {
	title  string
	none   string // said where there is nothing to choose
	items  []Item
	texts  []string
	filter Filter // nil for none
	input  *textinput.Model
	keys   keys.PopupKeys
	found  []int
	at     int // in found
	top    int // the first of found that is seen
	rows   int // seen at the last View
}

// New makes a list. With a filter, what is typed is its query. none is what is said
// where there is nothing to choose.
func New(title, none string, items []Item, filter Filter, k keys.PopupKeys) *Model {
	m := &Model{title: title, none: clean(none), filter: filter, keys: k, rows: 1}
	for _, it := range items {
		it.Name, it.Detail = clean(it.Name), clean(it.Detail)
		if it.Search == "" {
			it.Search = it.Name
		}
		m.items, m.texts = append(m.items, it), append(m.texts, it.Search)
	}
	if filter != nil {
		m.input = Input("")
	}
	m.search()
	return m
}

// clean makes text one line without what a terminal would obey.
func clean(text string) string {
	return strings.Join(strings.Fields(strings.Map(printable, ansi.Strip(text))), " ")
}

func printable(c rune) rune {
	if c < ' ' || c == 0x7f {
		return ' '
	}
	return c
}

// Input is a line to type in, with a value to begin with.
func Input(value string) *textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	styles := in.Styles()
	styles.Cursor.Blink = false
	styles.Focused.Text, styles.Focused.Prompt = lipgloss.NewStyle(), lipgloss.NewStyle()
	in.SetStyles(styles)
	in.SetValue(value)
	in.CursorEnd()
	_ = in.Focus() // its command only makes the cursor blink
	return &in
}

// Go puts the cursor on item i.
func (m *Model) Go(i int) { m.at = min(max(i, 0), max(len(m.found)-1, 0)) }

func (m *Model) search() {
	m.at, m.top = 0, 0
	if query := m.query(); query != "" {
		m.found = m.filter(query, m.texts)
		return
	}
	m.found = make([]int, len(m.items))
	for i := range m.found {
		m.found[i] = i
	}
}

func (m *Model) query() string {
	if m.input == nil {
		return ""
	}
	return strings.TrimSpace(m.input.Value())
}

// Update takes keys, pasted text and the mouse, its place counted from the corner of
// the list's frame. i is the item chosen.
func (m *Model) Update(msg tea.Msg) (i int, r Result) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		m.typed(msg)
	case tea.MouseClickMsg:
		return m.click(msg)
	case tea.MouseWheelMsg:
		m.wheel(msg)
	}
	return 0, Stays
}

func (m *Model) key(msg tea.KeyPressMsg) (int, Result) {
	if m.input != nil && keys.IsText(tea.Key(msg)) {
		m.typed(msg)
		return 0, Stays
	}
	switch {
	case key.Matches(msg, m.keys.Up):
		m.Go(m.at - 1)
	case key.Matches(msg, m.keys.Down):
		m.Go(m.at + 1)
	case key.Matches(msg, m.keys.PageUp):
		m.Go(m.at - m.rows)
	case key.Matches(msg, m.keys.PageDown):
		m.Go(m.at + m.rows)
	case key.Matches(msg, m.keys.Choose):
		return m.choose()
	case key.Matches(msg, m.keys.Close), msg.Code == tea.KeyEscape: // also where closing is on letters only
		return 0, Closed
	default:
		m.typed(msg)
	}
	return 0, Stays
}

func (m *Model) choose() (int, Result) {
	if m.at >= len(m.found) {
		return 0, Stays
	}
	return m.found[m.at], Chosen
}

func (m *Model) typed(msg tea.Msg) {
	if m.input == nil {
		return
	}
	before := m.query()
	in, _ := m.input.Update(msg) // its commands only blink the cursor
	if m.input = &in; m.query() != before {
		m.search()
	}
}

func (m *Model) click(msg tea.MouseClickMsg) (int, Result) {
	row := msg.Y - 1 - m.heading()
	if msg.Button != tea.MouseLeft || msg.X < 1 || row < 0 || row >= m.rows || m.top+row >= len(m.found) {
		return 0, Stays
	}
	m.at = m.top + row
	return m.choose()
}

func (m *Model) wheel(msg tea.MouseWheelMsg) {
	switch msg.Button {
	case tea.MouseWheelUp:
		m.Go(m.at - 1)
	case tea.MouseWheelDown:
		m.Go(m.at + 1)
	}
}

// heading is the rows above the list.
func (m *Model) heading() int {
	if m.input != nil {
		return 2
	}
	return 0
}

// Bindings are for the help line.
func (m *Model) Bindings() []key.Binding {
	return []key.Binding{m.keys.Up, m.keys.Down, m.keys.Choose, m.keys.Close}
}

// View draws the list in a frame of w columns by h rows.
func (m *Model) View(w, h int, t theme.Theme) string {
	m.rows = max(h-box.Frame-m.heading(), 1)
	m.top = max(min(m.top, m.at, len(m.found)-m.rows), m.at-m.rows+1, 0)
	lines := make([]string, 0, h)
	if m.input != nil {
		m.input.SetWidth(max(w-6, 1))
		lines = append(lines, " "+t.Accent.Render("› ")+m.input.View(), "")
	}
	for i := m.top; i < min(m.top+m.rows, len(m.found)); i++ {
		lines = append(lines, m.line(i, w-box.Frame, t))
	}
	switch {
	case len(m.items) == 0:
		lines = append(lines, " "+t.Muted.Render(m.none))
	case len(m.found) == 0:
		lines = append(lines, " "+t.Muted.Render("nothing like that"))
	}
	title := t.Muted.Render(m.title)
	if len(m.found) > m.rows || len(m.found) < len(m.items) {
		title += t.Faint.Render(fmt.Sprintf(" %d of %d", min(m.at+1, len(m.found)), len(m.found)))
	}
	return box.Draw(title, strings.Join(lines, "\n"), w, h, t.Focus)
}

// line is a row of the list, w columns wide.
func (m *Model) line(i, w int, t theme.Theme) string {
	it := m.items[m.found[i]]
	mark, style := "   ", t.Text
	if it.Faint {
		style = t.Faint
	}
	if i == m.at {
		mark, style = t.Accent.Render(" ▸ "), t.Selected
	}
	if it.Faint && it.Key != "" {
		it.Key = "(" + it.Key + ")" // not told by colour alone
	}
	room := w - 3 - ansi.StringWidth(it.Key) - 2
	text := ansi.Truncate(it.Name, max(room, 0), "…")
	line := mark + style.Render(text)
	left := room - ansi.StringWidth(text)
	if it.Detail != "" && left > 4 {
		detail := ansi.Truncate(it.Detail, left-2, "…")
		line += "  " + t.Muted.Render(detail)
		left -= 2 + ansi.StringWidth(detail)
	}
	if it.Key == "" {
		return line
	}
	keyStyle := t.Key
	if it.Faint {
		keyStyle = t.Faint
	}
	return line + strings.Repeat(" ", max(left, 0)+1) + keyStyle.Render(it.Key)
}
