// Package keys holds every key binding with its help. The help line and the
// sheet of all keys are made from it, so no key is undocumented.
package keys

import (
	"slices"

	"charm.land/bubbles/v2/key"
)

// Map is the explorer's bindings.
type Map struct {
	Run   RunKeys
	Tree  TreeKeys
	Edit  EditKeys
	Show  ShowKeys
	Field FieldKeys
	Popup PopupKeys
}

// RunKeys move along a branch.
type RunKeys struct {
	Step, Back, Forward, First, Last, Run, Goto, Restart, Cancel key.Binding
	Break, BreakWhen, Ahead                                      key.Binding
}

// TreeKeys move between branches and change them.
type TreeKeys struct {
	Fork, Next, Previous, Tree, Rename, Delete, Undo, Redo, Mark, Compare key.Binding
}

// EditKeys change settings.
type EditKeys struct {
	Next, Previous, Open, Up, Down, Default, Prompt, History, Tokens, Sweep, More key.Binding
	NewSeed, SeedUp, SeedDown, LockSeed, Reseed                                   key.Binding
}

// ShowKeys change what is shown, or take it out.
type ShowKeys struct {
	View, Save, Export, Copy, Models, Palette, Help, Quit key.Binding
}

// FieldKeys act while a field is being edited and every other key is text.
type FieldKeys struct {
	Accept, Leave, More, Less, NewLine key.Binding
}

// PopupKeys act in lists and sheets. Where a list is filtered by typing, those of
// them that are text are text.
type PopupKeys struct {
	Up, Down, PageUp, PageDown, Choose, Close key.Binding
}

func bind(help, description string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, description))
}

// New is the default bindings.
func New() Map {
	return Map{Run: runKeys(), Tree: treeKeys(), Edit: editKeys(), Show: showKeys(), Field: fieldKeys(), Popup: popupKeys()}
}

func runKeys() RunKeys {
	return RunKeys{
		Step:    bind("space", "step", "space"),
		Back:    bind("←", "back", "left", "h"),
		Forward: bind("→", "forward along kept steps", "right", "l"),
		First:   bind("home", "first step", "home"),
		Last:    bind("end", "last kept step", "end"),
		Run:     bind("r", "run / pause", "r"),
		Goto:    bind("g", "run to a step", "g"),
		Restart: bind("R", "restart from noise", "R", "shift+r"),
		Cancel:  bind("esc", "cancel what is running", "esc"),

		Break:     bind("b", "breakpoint here", "b"),
		BreakWhen: bind("B", "breakpoint when …", "B", "shift+b"),
		Ahead:     bind("A", "look ahead on / off", "A", "shift+a"),
	}
}

func treeKeys() TreeKeys {
	return TreeKeys{
		Fork:     bind("f", "branch here", "f"),
		Next:     bind("]", "next branch", "]"),
		Previous: bind("[", "previous branch", "["),
		Tree:     bind("t", "tree of branches", "t"),
		Rename:   bind("N", "rename branch", "N", "shift+n"),
		Delete:   bind("D", "delete branch", "D", "shift+d"),
		Undo:     bind("u", "undo", "u", "ctrl+z"),
		Redo:     bind("U", "redo", "U", "shift+u", "ctrl+y"),
		Mark:     bind("x", "mark this step", "x"),
		Compare:  bind("c", "compare with the marked", "c"),
	}
}

func editKeys() EditKeys {
	return EditKeys{
		Next:     bind("tab", "next setting", "tab"),
		Previous: bind("shift+tab", "previous setting", "shift+tab"),
		Open:     bind("enter", "edit setting", "enter"),
		Up:       bind("↑", "more", "up", "k"),
		Down:     bind("↓", "less", "down", "j"),
		Default:  bind("backspace", "setting's default", "backspace"),
		Prompt:   bind("p", "edit prompt", "p"),
		History:  bind("H", "earlier prompts", "H", "shift+h"),
		Tokens:   bind("T", "tokens of the prompt", "T", "shift+t"),
		More:     bind("o", "more settings", "o"),
		Sweep:    bind("w", "sweep guidance or eta", "w"),

		NewSeed:  bind("n", "new random seed", "n"),
		SeedUp:   bind("+", "next seed", "+", "="),
		SeedDown: bind("-", "previous seed", "-"),
		LockSeed: bind("L", "lock seed", "L", "shift+l"),
		Reseed:   bind("S", "new noise from here on", "S", "shift+s"),
	}
}

func showKeys() ShowKeys {
	return ShowKeys{
		View:    bind("v", "x0, latent or channels", "v"),
		Save:    bind("s", "save picture", "s"),
		Export:  bind("e", "save animation, sheet …", "e"),
		Copy:    bind("y", "copy as a command", "y"),
		Models:  bind("m", "models", "m"),
		Palette: bind("ctrl+k", "all actions", "ctrl+k"),
		Help:    bind("?", "all keys", "?"),
		Quit:    bind("q", "quit", "q", "ctrl+c"),
	}
}

func fieldKeys() FieldKeys {
	return FieldKeys{
		Accept:  bind("enter", "apply", "enter"),
		Leave:   bind("esc", "leave it", "esc"),
		More:    bind("↑", "more", "up"),
		Less:    bind("↓", "less", "down"),
		NewLine: bind("ctrl+j", "new line in a prompt", "ctrl+j", "alt+enter", "shift+enter"),
	}
}

func popupKeys() PopupKeys {
	return PopupKeys{
		Up:       bind("↑", "previous", "up", "k"),
		Down:     bind("↓", "next", "down", "j"),
		PageUp:   bind("pgup", "a page up", "pgup"),
		PageDown: bind("pgdown", "a page down", "pgdown", "space"),
		Choose:   bind("enter", "choose", "enter"),
		Close:    bind("esc", "close", "esc", "q"),
	}
}

// Short is the help line, most needed first, without what has no key. Its last always
// entries stay on a narrow screen, where others before them are left out.
func (m Map) Short() (line []key.Binding, always int) {
	r, e, s := m.Run, m.Edit, m.Show
	line = bound(
		named(r.Step, "step"), both(r.Back, r.Forward, "scrub"), named(r.Run, "run"), named(e.Next, "settings"),
		both(e.Up, e.Down, "change"), named(e.Prompt, "prompt"), named(e.NewSeed, "seed"), named(m.Tree.Fork, "branch"),
		named(s.View, "view"), named(s.Save, "save"), named(s.Models, "models"), named(s.Palette, "actions"),
	)
	last := bound(named(s.Help, "all keys"), named(s.Quit, "quit"))
	return append(line, last...), len(last)
}

// Editing is the help line while a field is edited.
func (m Map) Editing() []key.Binding {
	return bound(m.Field.Accept, m.Field.Leave, both(m.Field.More, m.Field.Less, "change a number"))
}

// named is a binding under a shorter description.
func named(b key.Binding, description string) key.Binding {
	b.SetHelp(b.Help().Key, description)
	return b
}

// both is an entry of the help line for two opposite keys.
func both(a, b key.Binding, description string) key.Binding {
	if len(a.Keys()) == 0 || len(b.Keys()) == 0 {
		return key.NewBinding()
	}
	return bind(a.Help().Key+" "+b.Help().Key, description, a.Keys()[0], b.Keys()[0])
}

// bound leaves out what has no key.
func bound(all ...key.Binding) []key.Binding {
	return slices.DeleteFunc(all, func(b key.Binding) bool { return len(b.Keys()) == 0 })
}
