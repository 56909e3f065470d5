// Package palette lists all that keys do. What is chosen there is sent as the press of
// its key, so that it cannot differ from what the key does.
package palette

import (
	tea "charm.land/bubbletea/v2"

	"ldx/tui/keys"
	"ldx/tui/pick"
)

// Model is the list of actions.
type Model struct {
	*pick.Model
	presses []tea.Key
}

// New lists the actions of the screen that have a key. Those of which enabled says that
// they mean nothing now are faint; nil takes all to mean something.
func New(k keys.Map, enabled func(name string) bool) *Model {
	m := &Model{}
	var items []pick.Item
	for _, a := range k.Actions() {
		names := a.Binding.Keys()
		if a.Scope != keys.Screen || len(names) == 0 {
			continue
		}
		press, err := keys.Parse(names[0])
		if err != nil {
			continue // a test parses all defaults, and a config is refused before
		}
		help := a.Binding.Help()
		items = append(items, pick.Item{
			Name: help.Desc, Detail: a.Name, Key: help.Key,
			Search: help.Desc + " " + a.Name,
			Faint:  enabled != nil && !enabled(a.Name),
		})
		m.presses = append(m.presses, press)
	}
	m.Model = pick.New("all actions", "no action has a key", items, pick.Fuzzy, k.Popup)
	return m
}

// Press is the key press that does item i.
func (m *Model) Press(i int) tea.KeyPressMsg { return tea.KeyPressMsg(m.presses[i]) }
