package palette

import (
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/keys"
	"ldx/tui/pick"
	"ldx/tui/theme"
)

// TestPressesDoTheirActions chooses every action in turn.
func TestPressesDoTheirActions(t *testing.T) {
	k := keys.New()
	if err := k.Remap(map[string][]string{"edit.sweep": {}, "run.step": {"W", "f2"}}); err != nil {
		t.Fatal(err)
	}
	m, n := New(k, nil), 0
	for _, a := range k.Actions() {
		if a.Scope != keys.Screen || a.Name == "edit.sweep" {
			continue
		}
		if press := m.Press(n); !key.Matches(press, *a.Binding) {
			t.Errorf("%s is done by %s", a.Name, press)
		}
		n++
	}
	if len(m.presses) != n {
		t.Errorf("%d actions, want %d: those with a key", len(m.presses), n)
	}
}

func TestFilterFindsByAnyWord(t *testing.T) {
	for query, want := range map[string]string{
		"run.step": "step", "brnch": "branch here", "newseed": "new random seed", "history": "earlier prompts", "quit": "quit",
	} {
		m := New(keys.New(), nil)
		for _, c := range query {
			m.Update(tea.KeyPressMsg(tea.Key{Code: c, Text: string(c)}))
		}
		i, result := m.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyEnter}))
		if result != pick.Chosen {
			t.Fatalf("%q finds nothing", query)
		}
		found := ""
		k := keys.New()
		for _, a := range k.Actions() {
			if a.Scope == keys.Screen && key.Matches(m.Press(i), *a.Binding) {
				found = a.Binding.Help().Desc
			}
		}
		if found != want {
			t.Errorf("%q finds %q first, want %q", query, found, want)
		}
	}
}

func TestWhatMeansNothingIsBracketed(t *testing.T) {
	m := New(keys.New(), func(name string) bool { return name != "run.cancel" })
	text := ansi.Strip(m.View(80, 24, theme.New(true, colorprofile.TrueColor)))
	if !strings.Contains(text, "(esc)") || strings.Contains(text, "(space)") {
		t.Errorf("only what cannot be cancelled should be in brackets:\n%s", text)
	}
}
