package keys

import "charm.land/bubbles/v2/key"

// Action is something that keys do.
type Action struct {
	Name    string // dotted and stable: config files and the palette know it by this
	Group   string // the title on the sheet of keys
	Scope   Scope
	Binding *key.Binding
}

// Scope is where an action's keys are heard. Within one no key has two meanings.
type Scope int

// The scopes.
const (
	Screen Scope = iota // the explorer, while nothing is edited and no popup is open
	Field               // a field that is edited: all other keys are text
	Popup               // lists and sheets
)

// Actions lists every binding in the order of the sheet of keys. Its Bindings point
// into m.
func (m *Map) Actions() []Action {
	var all []Action
	all = append(all, m.runActions()...)
	all = append(all, m.treeActions()...)
	all = append(all, m.editActions()...)
	all = append(all, m.showActions()...)
	return append(all, m.otherActions()...)
}

func (m *Map) runActions() []Action {
	const group, scope = "Steps", Screen
	k := &m.Run
	return []Action{
		{"run.step", group, scope, &k.Step},
		{"run.back", group, scope, &k.Back},
		{"run.forward", group, scope, &k.Forward},
		{"run.first", group, scope, &k.First},
		{"run.last", group, scope, &k.Last},
		{"run.run", group, scope, &k.Run},
		{"run.goto", group, scope, &k.Goto},
		{"run.restart", group, scope, &k.Restart},
		{"run.cancel", group, scope, &k.Cancel},
		{"run.break", group, scope, &k.Break},
		{"run.break_when", group, scope, &k.BreakWhen},
		{"run.ahead", group, scope, &k.Ahead},
	}
}

func (m *Map) treeActions() []Action {
	const group, scope = "Branches", Screen
	k := &m.Tree
	return []Action{
		{"tree.fork", group, scope, &k.Fork},
		{"tree.next", group, scope, &k.Next},
		{"tree.previous", group, scope, &k.Previous},
		{"tree.tree", group, scope, &k.Tree},
		{"tree.rename", group, scope, &k.Rename},
		{"tree.delete", group, scope, &k.Delete},
		{"tree.undo", group, scope, &k.Undo},
		{"tree.redo", group, scope, &k.Redo},
		{"tree.mark", group, scope, &k.Mark},
		{"tree.compare", group, scope, &k.Compare},
	}
}

func (m *Map) editActions() []Action {
	const group, scope = "Settings", Screen
	k := &m.Edit
	return []Action{
		{"edit.next", group, scope, &k.Next},
		{"edit.previous", group, scope, &k.Previous},
		{"edit.open", group, scope, &k.Open},
		{"edit.prompt", group, scope, &k.Prompt},
		{"edit.history", group, scope, &k.History},
		{"edit.tokens", group, scope, &k.Tokens},
		{"edit.more", group, scope, &k.More},
		{"edit.up", group, scope, &k.Up},
		{"edit.down", group, scope, &k.Down},
		{"edit.default", group, scope, &k.Default},
		{"edit.sweep", group, scope, &k.Sweep},
		{"edit.new_seed", group, scope, &k.NewSeed},
		{"edit.seed_up", group, scope, &k.SeedUp},
		{"edit.seed_down", group, scope, &k.SeedDown},
		{"edit.lock_seed", group, scope, &k.LockSeed},
		{"edit.reseed", group, scope, &k.Reseed},
	}
}

func (m *Map) showActions() []Action {
	const group, scope = "Show", Screen
	k := &m.Show
	return []Action{
		{"show.view", group, scope, &k.View},
		{"show.save", group, scope, &k.Save},
		{"show.export", group, scope, &k.Export},
		{"show.copy", group, scope, &k.Copy},
		{"show.models", group, scope, &k.Models},
		{"show.palette", group, scope, &k.Palette},
		{"show.help", group, scope, &k.Help},
		{"show.quit", group, scope, &k.Quit},
	}
}

func (m *Map) otherActions() []Action {
	const field, popup = "While editing", "In lists"
	f, p := &m.Field, &m.Popup
	return []Action{
		{"field.accept", field, Field, &f.Accept},
		{"field.leave", field, Field, &f.Leave},
		{"field.more", field, Field, &f.More},
		{"field.less", field, Field, &f.Less},
		{"field.newline", field, Field, &f.NewLine},
		{"popup.up", popup, Popup, &p.Up},
		{"popup.down", popup, Popup, &p.Down},
		{"popup.page_up", popup, Popup, &p.PageUp},
		{"popup.page_down", popup, Popup, &p.PageDown},
		{"popup.choose", popup, Popup, &p.Choose},
		{"popup.close", popup, Popup, &p.Close},
	}
}

// Group is a titled list of bindings.
type Group struct {
	Title    string
	Bindings []key.Binding
}

// Groups lists every binding for the sheet of all keys.
func (m Map) Groups() []Group {
	var groups []Group
	for _, a := range m.Actions() {
		if n := len(groups); n == 0 || groups[n-1].Title != a.Group {
			groups = append(groups, Group{Title: a.Group})
		}
		g := &groups[len(groups)-1]
		g.Bindings = append(g.Bindings, *a.Binding)
	}
	return groups
}
