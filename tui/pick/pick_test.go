package pick

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/keys"
	"ldx/tui/theme"
)

var plain = theme.New(true, colorprofile.TrueColor)

func numbered(n int, f Filter) *Model {
	var items []Item
	for i := range n {
		items = append(items, Item{Name: fmt.Sprintf("item %d", i)})
	}
	return New("items", "none", items, f, keys.New().Popup)
}

func press(m *Model, names ...string) (i int, r Result) {
	for _, name := range names {
		k, err := keys.Parse(name)
		if err != nil {
			panic(err)
		}
		i, r = m.Update(tea.KeyPressMsg(k))
	}
	return i, r
}

func TestKeysMoveAndChoose(t *testing.T) {
	tests := map[string]struct {
		filter Filter
		keys   []string
		want   int
		result Result
	}{
		"first":            {nil, []string{"enter"}, 0, Chosen},
		"down":             {nil, []string{"down", "j", "up", "enter"}, 1, Chosen},
		"over the end":     {nil, []string{"pgdown", "pgdown", "pgdown", "pgdown", "down", "enter"}, 29, Chosen},
		"a page back":      {nil, []string{"pgdown", "pgdown", "pgup", "enter"}, 8, Chosen},
		"over the start":   {nil, []string{"up", "pgup", "enter"}, 0, Chosen},
		"closed":           {nil, []string{"q"}, 0, Closed},
		"text in a filter": {Words, []string{"q"}, 0, Stays},
		"filtered":         {Words, []string{"2", "9", "enter"}, 29, Chosen},
		"filter corrected": {Words, []string{"q", "backspace", "2", "down", "enter"}, 12, Chosen},
		"nothing found":    {Words, []string{"q", "enter"}, 0, Stays},
		"left":             {Words, []string{"q", "esc"}, 0, Closed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := numbered(30, tt.filter)
			rows := 10
			if tt.filter != nil {
				rows += 2
			}
			m.View(30, rows, plain) // eight items are seen
			if i, r := press(m, tt.keys...); r != tt.result || r == Chosen && i != tt.want {
				t.Errorf("item %d, result %d; want %d, %d", i, r, tt.want, tt.result)
			}
		})
	}
}

func TestTheChosenIsSeen(t *testing.T) {
	m := numbered(30, nil)
	for _, key := range []string{"down", "up"} {
		for range 40 {
			press(m, key)
			text := ansi.Strip(m.View(24, 7, plain))
			if !strings.Contains(text, "▸ "+m.items[m.at].Name) || strings.Count(text, "item ") != 5 {
				t.Fatalf("item %d is not among five:\n%s", m.at, text)
			}
		}
	}
}

// TestClicksChooseWhatIsThere clicks every row of a scrolled list.
func TestClicksChooseWhatIsThere(t *testing.T) {
	for _, filter := range []Filter{nil, Fuzzy} {
		for y := range 14 {
			m := numbered(30, filter)
			m.Go(20)
			line := strings.Split(ansi.Strip(m.View(30, 12, plain))+"\n\n", "\n")[y]
			i, r := m.Update(tea.MouseClickMsg{X: 4, Y: y, Button: tea.MouseLeft})
			isItem := strings.Contains(line, "item ")
			if isItem != (r == Chosen) || isItem && !strings.Contains(line, fmt.Sprintf("item %d ", i)) {
				t.Errorf("a click on %q gives item %d, result %d", line, i, r)
			}
		}
	}
}

func TestViewHasTheSizeAndObeysNothing(t *testing.T) {
	items := []Item{{Name: "a\x1b[31m\nb\a", Detail: strings.Repeat("long ", 30), Key: "ctrl+x"}, {Name: strings.Repeat("界", 40), Key: "y"}}
	for w := 3; w < 70; w++ {
		for h := 3; h < 8; h++ {
			m := New("a title that is rather long", "none", items, Fuzzy, keys.New().Popup)
			lines := strings.Split(ansi.Strip(m.View(w, h, plain)), "\n")
			for _, l := range lines {
				if ansi.StringWidth(l) != w || len(lines) != h || strings.ContainsAny(l, "\x1b\a") {
					t.Fatalf("%dx%d: %d lines, this of %d columns: %q", w, h, len(lines), ansi.StringWidth(l), l)
				}
			}
		}
	}
}

func TestFilters(t *testing.T) {
	texts := []string{"next seed", "new random seed", "A red APPLE", "apple pie"}
	tests := []struct {
		filter Filter
		query  string
		want   []int
	}{
		{Words, "apple", []int{2, 3}},
		{Words, "apple red", []int{2}},
		{Words, "nwsd", nil},
		{Fuzzy, "newseed", []int{1}},
		{Fuzzy, "xyz", nil},
	}
	for _, tt := range tests {
		if got := tt.filter(tt.query, texts); !slices.Equal(got, tt.want) {
			t.Errorf("%q finds %v, want %v", tt.query, got, tt.want)
		}
	}
}
