package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"ldx/tui/box"
	"ldx/tui/keys"
	"ldx/tui/theme"
)

// popup covers the screen between the header and the help line.
type popup interface {
	view(w, h int, t theme.Theme) string
	bindings(keys.Map) []key.Binding
	// key handles a press: a name to load or "", and whether the popup stays.
	key(msg tea.KeyPressMsg, k keys.Map) (choice string, stay bool)
}

// popupKey passes a key to the popup; esc closes any.
func (r *root) popupKey(msg tea.KeyPressMsg) tea.Cmd {
	choice, stay := r.popup.key(msg, r.keys)
	if !stay {
		r.popup = nil
	}
	if choice != "" {
		return r.load(choice)
	}
	return nil
}

// help is the sheet of all keys.
type help struct{ groups []keys.Group }

func (h help) bindings(k keys.Map) []key.Binding { return []key.Binding{k.Popup.Close} }

func (h help) key(tea.KeyPressMsg, keys.Map) (string, bool) { return "", false }

// Widths of the sheet's columns.
const (
	keyColumn  = 10
	helpColumn = 38
)

func (h help) view(w, height int, t theme.Theme) string {
	columns := make([]string, 0, 2)
	for _, part := range [][]keys.Group{h.groups[:2], h.groups[2:]} {
		columns = append(columns, box.Fit(whole(sheet(part, t), height-box.Frame, t), min(helpColumn, w/2-2), height-box.Frame))
	}
	body := lipgloss.JoinHorizontal(lipgloss.Top, columns...)
	return box.Draw(t.Muted.Render("all keys"), body, w, height, t.Focus)
}

// whole says so where text has more than rows lines.
func whole(text string, rows int, t theme.Theme) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) <= rows {
		return text
	}
	return strings.Join(append(lines[:max(rows-1, 0)], t.Warn.Render(" … needs more rows")), "\n")
}

func sheet(groups []keys.Group, t theme.Theme) string {
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(" " + t.Accent.Render(g.Title) + "\n")
		for _, k := range g.Bindings {
			name := fmt.Sprintf("%-*s", keyColumn, k.Help().Key)
			b.WriteString("  " + t.Key.Render(name) + " " + t.Text.Render(k.Help().Desc) + "\n")
		}
	}
	return b.String()
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

// picker chooses a model.
type picker struct {
	choicesMsg
	at int
}

func (p *picker) bindings(k keys.Map) []key.Binding {
	return []key.Binding{k.Popup.Up, k.Popup.Down, k.Popup.Choose, k.Popup.Close}
}

func (p *picker) key(msg tea.KeyPressMsg, k keys.Map) (string, bool) {
	switch {
	case key.Matches(msg, k.Popup.Up):
		p.at = max(p.at-1, 0)
	case key.Matches(msg, k.Popup.Down):
		p.at = min(p.at+1, len(p.list)-1)
	case key.Matches(msg, k.Popup.Choose) && p.at < len(p.list):
		return p.list[p.at].Name, false
	case key.Matches(msg, k.Popup.Close):
		return "", false
	}
	return "", true
}

func (p *picker) view(w, h int, t theme.Theme) string {
	var b strings.Builder
	if p.err != nil {
		b.WriteString(" " + t.Bad.Render("✗ "+p.err.Error()) + "\n")
	}
	first := max(0, p.at-(h-box.Frame)+1)
	for i, c := range p.list[first:] {
		mark, style := "   ", t.Text
		if first+i == p.at {
			mark, style = t.Accent.Render(" ▸ "), t.Selected
		}
		b.WriteString(mark + style.Render(c.Name) + "  " + t.Muted.Render(c.Detail) + "\n")
	}
	return box.Draw(t.Muted.Render("models"), b.String(), w, h, t.Focus)
}
