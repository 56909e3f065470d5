package form

import (
	"cmp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
)

// Widths of the columns of a number's row: label, value, slider.
const (
	labelWidth = 10
	valueWidth = 6
	sliderMin  = 6
	textIndent = 2
)

// row is one line of the pane and the field it belongs to.
type row struct {
	field int
	text  string
}

// View is the pane's text, not fitted to a height.
func (m *Model) View() string {
	rows := m.rows()
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = r.text
	}
	return strings.Join(lines, "\n")
}

// Problem is why the last change was not made, or "".
func (m *Model) Problem() string { return m.problem }

// rows lays the fields out; a click is looked up in the same list.
func (m *Model) rows() []row {
	var rows []row
	for i, f := range m.fields {
		if m.inline(i) {
			rows = append(rows, row{i, m.numberRow(i, f)})
			continue
		}
		rows = append(rows, row{i, m.label(i, f)})
		for _, line := range m.textRows(i, f) {
			rows = append(rows, row{i, strings.Repeat(" ", textIndent) + line})
		}
	}
	return rows
}

// label is a field's name, marked when it is the one keys act on.
func (m *Model) label(i int, f field) string {
	if i == m.selected {
		return m.theme.Accent.Render("▸ ") + m.theme.Selected.Render(f.label)
	}
	return "  " + m.theme.Muted.Render(f.label)
}

func (m *Model) textRows(i int, f field) []string {
	if m.editor != nil && i == m.selected {
		return strings.Split(m.editor.View(), "\n")
	}
	n := m.rowsOf(i)
	text := strings.Join(strings.Fields(f.get(m.settings)), " ")
	if text == "" {
		text = m.theme.Faint.Render("none")
	} else {
		text = m.theme.Text.Render(ansi.Wordwrap(ansi.Strip(text), max(m.width-textIndent, 1), ""))
	}
	lines := strings.Split(text, "\n")
	for len(lines) < n {
		lines = append(lines, "")
	}
	if len(lines) > n {
		lines = lines[:n]
		lines[n-1] = ansi.Truncate(lines[n-1], max(m.width-textIndent-1, 0), "") + m.theme.Muted.Render("…")
	}
	return lines
}

func (m *Model) numberRow(i int, f field) string {
	label := m.label(i, f)
	label += strings.Repeat(" ", max(labelWidth-ansi.StringWidth(label), 0))
	if m.editor != nil && i == m.selected {
		return label + " " + m.editor.View()
	}
	value := strings.Join(strings.Fields(f.get(m.settings)), " ")
	if f.text {
		value = ansi.Truncate(cmp.Or(value, "none"), max(m.width-labelWidth-1, 0), "…")
	}
	if f.choices == 0 && !f.text {
		value = strings.Repeat(" ", max(valueWidth-len(value), 0)) + value
	}
	text := label + " " + m.theme.Text.Render(value)
	if bar := m.sliderWidth(); f.slider != nil && bar >= sliderMin {
		text += " " + m.bar(f.slider.at(m.settings), bar)
	}
	return text
}

func (m *Model) sliderWidth() int { return m.width - labelWidth - valueWidth - 2 }

func (m *Model) bar(at float64, w int) string {
	knob := int(at*float64(w-1) + 0.5)
	return m.theme.Accent.Render(strings.Repeat("━", knob)+"●") + m.theme.Faint.Render(strings.Repeat("─", w-1-knob))
}

func (m *Model) editorWidth() int {
	if !m.inline(m.selected) {
		return max(m.width-textIndent, 1)
	}
	return max(m.width-labelWidth-1, 1)
}

// Click handles a click at column x, line y of the pane: it selects the field, a
// second click opens it, and one on a slider moves it there.
func (m *Model) Click(x, y int) *pipeline.Settings {
	rows := m.rows()
	if m.editor != nil || y < 0 || y >= len(rows) {
		return nil
	}
	again := rows[y].field == m.selected
	m.selectField(rows[y].field)
	from, w := labelWidth+valueWidth+2, m.sliderWidth()
	if f := m.current(); f.slider != nil && w >= sliderMin && x >= from && x < from+w {
		s := m.settings
		f.slider.move(&s, float64(x-from)/float64(w-1))
		return m.propose(s)
	}
	if again {
		m.open()
	}
	return nil
}
