package tui

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/box"
	"ldx/tui/keys"
	"ldx/tui/theme"
)

// sheet is text to read, scrolled where it is longer than the screen.
type sheet struct {
	title string
	text  func(w, h int, t theme.Theme) []string // lines of at most w columns, h of which are seen
	// anyKeyCloses is whether keys close the sheet that do nothing else in it.
	anyKeyCloses      bool
	top, rows, length int
}

func (s *sheet) bindings(k keys.Map) []key.Binding {
	if s.length > s.rows {
		return []key.Binding{k.Popup.Up, k.Popup.Down, k.Popup.PageDown, k.Popup.Close}
	}
	return []key.Binding{k.Popup.Close}
}

func (s *sheet) update(msg tea.Msg, k keys.Map) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return nil, s.key(msg, k.Popup)
	case tea.MouseWheelMsg:
		switch msg.Button {
		case tea.MouseWheelUp:
			s.scroll(-wheelRows)
		case tea.MouseWheelDown:
			s.scroll(wheelRows)
		}
	case tea.MouseClickMsg:
		return nil, false
	}
	return nil, true
}

// wheelRows is how far one notch of the wheel goes.
const wheelRows = 3

func (s *sheet) key(msg tea.KeyPressMsg, k keys.PopupKeys) (stay bool) {
	switch {
	case key.Matches(msg, k.Up):
		s.scroll(-1)
	case key.Matches(msg, k.Down):
		s.scroll(1)
	case key.Matches(msg, k.PageUp):
		s.scroll(-s.rows)
	case key.Matches(msg, k.PageDown):
		s.scroll(s.rows)
	case key.Matches(msg, k.Close), msg.Code == tea.KeyEscape:
		return false
	default:
		return !s.anyKeyCloses
	}
	return true
}

func (s *sheet) scroll(by int) { s.top = max(min(s.top+by, s.length-s.rows), 0) }

func (s *sheet) view(w, h int, t theme.Theme) string {
	s.rows = max(h-box.Frame, 1)
	lines := s.text(w-box.Frame, s.rows, t)
	s.length = len(lines)
	s.scroll(0)
	title := t.Muted.Render(s.title)
	if s.length > s.rows {
		title += t.Warn.Render(fmt.Sprintf(" lines %d to %d of %d", s.top+1, s.top+s.rows, s.length))
	}
	return box.Draw(title, strings.Join(lines[s.top:min(s.top+s.rows, s.length)], "\n"), w, h, t.Focus)
}

// splitLines are the lines of a text.
func splitLines(text string) iter.Seq[string] { return strings.SplitSeq(text, "\n") }

// helpSheet is the sheet of all keys.
func helpSheet(groups []keys.Group) *sheet {
	return &sheet{title: "all keys", anyKeyCloses: true, text: func(w, h int, t theme.Theme) []string {
		return flow(helpBlocks(groups, t), w, h)
	}}
}

// helpBlocks are the groups of keys, each a title and a line a key, all of one width
// in columns.
func helpBlocks(groups []keys.Group, t theme.Theme) [][]string {
	keyWidth, width := 0, 0
	for _, g := range groups {
		for _, b := range g.Bindings {
			keyWidth = max(keyWidth, ansi.StringWidth(b.Help().Key))
		}
	}
	var blocks [][]string
	for _, g := range groups {
		block := []string{" " + t.Accent.Render(g.Title)}
		for _, b := range g.Bindings {
			name := b.Help().Key
			gap := strings.Repeat(" ", keyWidth-ansi.StringWidth(name)+1)
			block = append(block, "  "+t.Key.Render(name)+gap+t.Text.Render(b.Help().Desc))
		}
		for _, l := range block {
			width = max(width, ansi.StringWidth(l))
		}
		blocks = append(blocks, block)
	}
	for _, block := range blocks {
		for i, l := range block {
			block[i] = l + strings.Repeat(" ", width-ansi.StringWidth(l))
		}
	}
	return blocks
}

// flow puts blocks of lines of one width into as many columns as fit in w, none higher
// than it must be: h rows where that is enough.
func flow(blocks [][]string, w, h int) []string {
	width := ansi.StringWidth(blocks[0][0])
	columns := max((w+columnGap)/(width+columnGap), 1)
	for ; ; h++ {
		if placed, ok := place(blocks, h); ok && len(placed) <= columns {
			return join(placed, width)
		}
	}
}

// columnGap parts columns.
const columnGap = 1

// place fills columns of at most h rows with whole blocks, an empty line between; ok is
// false where a block is higher.
func place(blocks [][]string, h int) (columns [][]string, ok bool) {
	for _, b := range blocks {
		last := len(columns) - 1
		if last >= 0 && len(columns[last])+1+len(b) <= h {
			columns[last] = append(append(columns[last], ""), b...)
			continue
		}
		if len(b) > h {
			return nil, false
		}
		columns = append(columns, slices.Clone(b))
	}
	return columns, true
}

// join puts columns side by side.
func join(columns [][]string, width int) []string {
	var lines []string
	for i, c := range columns {
		for y, l := range c {
			if y == len(lines) {
				lines = append(lines, "")
			}
			gap := i*(width+columnGap) - ansi.StringWidth(lines[y])
			lines[y] += strings.Repeat(" ", max(gap, 0)) + l
		}
	}
	return lines
}
