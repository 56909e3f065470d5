package keys

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"
)

// signs are how keys are shown that have a sign.
var signs = map[string]string{"left": "←", "right": "→", "up": "↑", "down": "↓"}

// Remap gives actions other keys, by the actions' names; those not named keep theirs.
// An action without keys has none. Errors name the action and say what would do; m is
// changed only where there is none.
func (m *Map) Remap(to map[string][]string) error {
	changed := *m
	actions := map[string]Action{}
	for _, a := range changed.Actions() {
		actions[a.Name] = a
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		a, ok := actions[name]
		if !ok {
			return fmt.Errorf("keys: there is no action %q%s", name, like(name, changed.Actions()))
		}
		names, err := canonical(a, to[name])
		if err != nil {
			return fmt.Errorf("keys: %s: %w", name, err)
		}
		a.Binding.SetKeys(names...)
		shown := "–"
		if len(to[name]) > 0 {
			if shown = names[0]; signs[shown] != "" {
				shown = signs[shown]
			}
		}
		a.Binding.SetHelp(shown, a.Binding.Help().Desc)
	}
	if err := changed.check(); err != nil {
		return err
	}
	*m = changed
	return nil
}

// canonical checks an action's keys and completes them: a capital letter comes as
// itself or, from some terminals, as shift and the small one.
func canonical(a Action, names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		if name == " " {
			name = "space"
		}
		k, err := Parse(name)
		switch {
		case err != nil:
			return nil, err
		case name == always && a.Name != quit:
			return nil, fmt.Errorf("%s always quits, want another key", always)
		case a.Scope == Field && IsText(k):
			return nil, fmt.Errorf("%q is text in a field, want a key that types nothing, as ctrl+%s", name, strings.ToLower(name))
		}
		out = append(out, name)
		if k.Mod == tea.ModShift && IsText(k) {
			out = append(out, k.Keystroke())
		}
	}
	if a.Name == quit && !slices.Contains(out, always) {
		out = append(out, always)
	}
	return out, nil
}

// What no config can take away: the way out.
const (
	quit   = "show.quit"
	always = "ctrl+c"
)

// required are the actions without which one is stuck.
var required = []string{"field.accept", "field.leave", "popup.choose", "popup.close"}

// check finds a key with two meanings, and what must have a key and has none.
func (m *Map) check() error {
	type place struct {
		scope Scope
		key   string
	}
	owner := map[place]string{}
	var double []string
	for _, a := range m.Actions() {
		if len(a.Binding.Keys()) == 0 && slices.Contains(required, a.Name) {
			return fmt.Errorf("keys: %s has no key, want at least one", a.Name)
		}
		for _, k := range a.Binding.Keys() {
			p := place{a.Scope, k}
			if other, taken := owner[p]; taken && other != a.Name {
				double = append(double, fmt.Sprintf("%q is bound to %s and %s", k, other, a.Name))
			}
			owner[p] = a.Name
		}
	}
	if len(double) > 0 {
		return errors.New("keys: " + double[0] + ", want another key for one of them")
	}
	return nil
}

// like suggests the action whose name comes nearest.
func like(name string, actions []Action) string {
	var names []string
	for _, a := range actions {
		names = append(names, a.Name)
	}
	_, last, _ := strings.Cut(name, ".")
	for _, pattern := range []string{name, last} {
		if found := fuzzy.Find(pattern, names); pattern != "" && len(found) > 0 {
			return fmt.Sprintf(", want for instance %q", found[0].Str)
		}
	}
	return ": ctrl+k in the explorer lists them"
}
