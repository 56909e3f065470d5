// Package keys holds every key binding with its help. The help line and the
// sheet of all keys are made from it, so no key is undocumented.
package keys

import "charm.land/bubbles/v2/key"

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
	Next, Previous, Open, Up, Down, Default, Prompt, History, Tokens, Sweep key.Binding
	NewSeed, SeedUp, SeedDown, LockSeed, Reseed                             key.Binding
}

// ShowKeys change what is shown, or take it out.
type ShowKeys struct {
	View, Save, Export, Copy, Models, Palette, Help, Quit key.Binding
}

// FieldKeys act while a field is being edited and every other key is text.
type FieldKeys struct {
	Accept, Leave, More, Less key.Binding
}

// PopupKeys act in lists; any key closes the sheet of keys.
type PopupKeys struct {
	Up, Down, Choose, Close key.Binding
}

func bind(help, description string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, description))
}

// New is the default bindings.
func New() Map {
	return Map{
		Run: RunKeys{
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
		},
		Tree: TreeKeys{
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
		},
		Edit: EditKeys{
			Next:     bind("tab", "next setting", "tab"),
			Previous: bind("shift+tab", "previous setting", "shift+tab"),
			Open:     bind("enter", "edit setting", "enter"),
			Up:       bind("↑", "more", "up", "k"),
			Down:     bind("↓", "less", "down", "j"),
			Default:  bind("backspace", "setting's default", "backspace"),
			Prompt:   bind("p", "edit prompt", "p"),
			History:  bind("H", "earlier prompts", "H", "shift+h"),
			Tokens:   bind("T", "tokens of the prompt", "T", "shift+t"),
			Sweep:    bind("w", "sweep guidance or eta", "w"),

			NewSeed:  bind("n", "new random seed", "n"),
			SeedUp:   bind("+", "next seed", "+", "="),
			SeedDown: bind("-", "previous seed", "-"),
			LockSeed: bind("L", "lock seed", "L", "shift+l"),
			Reseed:   bind("S", "new noise from here on", "S", "shift+s"),
		},
		Show: ShowKeys{
			View:    bind("v", "x0, latent or channels", "v"),
			Save:    bind("s", "save picture", "s"),
			Export:  bind("e", "save animation, sheet …", "e"),
			Copy:    bind("y", "copy as a command", "y"),
			Models:  bind("m", "models", "m"),
			Palette: bind("ctrl+k", "all actions", "ctrl+k"),
			Help:    bind("?", "all keys", "?"),
			Quit:    bind("q", "quit", "q", "ctrl+c"),
		},
		Field: FieldKeys{
			Accept: bind("enter", "apply", "enter"),
			Leave:  bind("esc", "leave it", "esc"),
			More:   bind("↑", "more", "up"),
			Less:   bind("↓", "less", "down"),
		},
		Popup: PopupKeys{
			Up:     bind("↑", "previous", "up", "k"),
			Down:   bind("↓", "next", "down", "j"),
			Choose: bind("enter", "choose", "enter"),
			Close:  bind("esc", "close", "esc", "q", "m"),
		},
	}
}

// Group is a titled list of bindings.
type Group struct {
	Title    string
	Bindings []key.Binding
}

// Groups lists every binding for the sheet of all keys.
func (m Map) Groups() []Group {
	r, t, e, s, f, p := m.Run, m.Tree, m.Edit, m.Show, m.Field, m.Popup
	return []Group{
		{"Steps", []key.Binding{r.Step, r.Back, r.Forward, r.First, r.Last, r.Run, r.Goto, r.Restart, r.Cancel, r.Break, r.BreakWhen, r.Ahead}},
		{"Branches", []key.Binding{t.Fork, t.Next, t.Previous, t.Tree, t.Rename, t.Delete, t.Undo, t.Redo, t.Mark, t.Compare}},
		{"Settings", []key.Binding{e.Next, e.Previous, e.Open, e.Prompt, e.History, e.Tokens, e.Up, e.Down, e.Default, e.Sweep, e.NewSeed, e.SeedUp, e.SeedDown, e.LockSeed, e.Reseed}},
		{"Show", []key.Binding{s.View, s.Save, s.Export, s.Copy, s.Models, s.Palette, s.Help, s.Quit}},
		{"While editing", []key.Binding{f.Accept, f.Leave, f.More, f.Less}},
		{"In lists", []key.Binding{p.Up, p.Down, p.Choose, p.Close}},
	}
}

// Short is the help line, most needed first. Its last always entries stay on a
// narrow screen, where others before them are left out.
func (m Map) Short() (line []key.Binding, always int) {
	return []key.Binding{
		bind("space", "step"), bind("←→", "scrub"), bind("r", "run"), bind("tab ↑↓", "settings"), bind("p", "prompt"),
		bind("n", "seed"), bind("v", "view"), bind("s", "save"), bind("m", "models"),
		bind("?", "all keys"), bind("q", "quit"),
	}, 2
}

// Editing is the help line while a field is edited.
func (m Map) Editing() []key.Binding {
	return []key.Binding{m.Field.Accept, m.Field.Leave, bind("↑ ↓", "change a number")}
}
