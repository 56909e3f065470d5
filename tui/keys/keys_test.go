package keys

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// bindings finds every binding of a map by reflection.
func bindings(v reflect.Value) (all []*key.Binding) {
	if b, ok := v.Addr().Interface().(*key.Binding); ok {
		return []*key.Binding{b}
	}
	for i := range v.NumField() {
		all = append(all, bindings(v.Field(i))...)
	}
	return all
}

func TestActionsAreAllBindings(t *testing.T) {
	m := New()
	var listed []*key.Binding
	names := map[string]bool{}
	for _, a := range m.Actions() {
		listed = append(listed, a.Binding)
		if names[a.Name] {
			t.Errorf("%s is there twice", a.Name)
		}
		names[a.Name] = true
	}
	count := 0
	for _, g := range m.Groups() {
		count += len(g.Bindings)
	}
	all := bindings(reflect.ValueOf(&m).Elem())
	for _, b := range all {
		if !slices.Contains(listed, b) {
			t.Errorf("%s (%s) is no action", b.Help().Key, b.Help().Desc)
		}
	}
	if len(listed) != len(all) || count != len(all) {
		t.Errorf("%d actions and %d on the sheet, want %d", len(listed), count, len(all))
	}
	if err := m.check(); err != nil {
		t.Error(err)
	}
}

// TestKeysAreKeys holds every default against what a terminal would send.
func TestKeysAreKeys(t *testing.T) {
	m := New()
	for _, a := range m.Actions() {
		for _, name := range a.Binding.Keys() {
			k, err := Parse(name)
			if err != nil {
				t.Errorf("%s: %v", a.Name, err)
			} else if !key.Matches(tea.KeyPressMsg(k), *a.Binding) {
				t.Errorf("%s: the key %s is %q", a.Name, name, k.String())
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"": "is no key", "spacebar": "is no key", "shift+ctrl+a": "is no key", "ctrl+": "is no key",
		"ctrl+A": `"ctrl+a"`, "ab": "is no key", "\x1b": "is no key", "\xff": "is no key", "\u00a0": "is no key",
	} {
		if k, err := Parse(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error with %s", name, k, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a", "R", "space", "ctrl+alt+shift+f5", "é", "ctrl+ß", "+", "ctrl++", "Dž"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		k, err := Parse(name)
		if err != nil {
			return
		}
		if got := k.String(); got != name {
			t.Errorf("%q is the key %q", name, got)
		}
	})
}

func TestRemap(t *testing.T) {
	tests := map[string]struct {
		to   map[string][]string
		want string // in the error, or "" for none
	}{
		"another key":    {map[string][]string{"run.step": {"f5", "."}}, ""},
		"swapped":        {map[string][]string{"run.run": {"s"}, "show.save": {"r"}}, ""},
		"none":           {map[string][]string{"edit.sweep": {}}, ""},
		"unknown action": {map[string][]string{"run.stop": {"a"}}, `no action "run.stop"`},
		"a near name":    {map[string][]string{"steps.fork": {"a"}}, `"tree.fork"`},
		"unknown key":    {map[string][]string{"run.step": {"leertaste"}}, `run.step: "leertaste" is no key`},
		"twice":          {map[string][]string{"run.step": {"r"}}, `"r" is bound to run.step and run.run`},
		"taken capital":  {map[string][]string{"run.step": {"shift+r"}}, `"shift+r" is bound to run.step and run.restart`},
		"text in fields": {map[string][]string{"field.accept": {"y"}}, `"y" is text in a field`},
		"no way out":     {map[string][]string{"popup.close": nil}, "popup.close has no key"},
		"interrupt":      {map[string][]string{"run.step": {"ctrl+c"}}, "ctrl+c always quits"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := New()
			err := m.Remap(tt.to)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Fatalf("%v, want an error with %s", err, tt.want)
			}
			if fresh := New(); err != nil && !reflect.DeepEqual(m, fresh) {
				t.Error("the map changed with an error")
			}
		})
	}
}

func TestRemappedKeysAreShownAndMatch(t *testing.T) {
	m := New()
	if err := m.Remap(map[string][]string{"run.step": {"Q", "right"}, "run.forward": {"up"}, "edit.up": {"ctrl+u"}, "show.quit": {"f10"}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Q", "shift+q", "right"} {
		if k, err := Parse(name); err != nil || !key.Matches(tea.KeyPressMsg(k), m.Run.Step) {
			t.Errorf("%s (%v) does not step", name, err)
		}
	}
	if key.Matches(tea.KeyPressMsg(tea.Key{Code: tea.KeySpace, Text: " "}), m.Run.Step) {
		t.Error("space steps still")
	}
	if !slices.Contains(m.Show.Quit.Keys(), "ctrl+c") {
		t.Error("ctrl+c does not quit")
	}
	line, _ := m.Short()
	if got := line[0].Help().Key + line[1].Help().Key; got != "Q← ↑" {
		t.Errorf("the help line has %q", got)
	}
}

// TestShortLeavesOutWhatHasNoKey unbinds what the help line has.
func TestShortLeavesOutWhatHasNoKey(t *testing.T) {
	m := New()
	before, _ := m.Short()
	if err := m.Remap(map[string][]string{"run.back": {}, "show.help": {}, "edit.prompt": {}}); err != nil {
		t.Fatal(err)
	}
	line, always := m.Short()
	if len(line) != len(before)-3 || always != 1 {
		t.Errorf("%d entries, the last %d always; want %d and 1", len(line), always, len(before)-3)
	}
	for _, b := range line {
		if len(b.Keys()) == 0 {
			t.Errorf("%q has no key", b.Help().Desc)
		}
	}
}
