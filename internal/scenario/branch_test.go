package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldx/internal/screentest"
	"ldx/pipeline"
)

// whole and kept are the length of the run that is branched, and where.
const (
	whole = 20
	kept  = 8
)

// pictured is a terminal on which pictures are exact.
var pictured = screentest.Options{Cols: 120, Rows: 34, Terminal: screentest.Kitty}

// goStep goes to a kept step by its number.
func goStep(s *screentest.Screen, k int) {
	s.Type("g")
	s.WaitText("run to step")
	s.Type(fmt.Sprint(k) + screentest.Enter)
	atStep(s, k)
}

// costLine is what the pane says of the calls of one kind of change, "" for nothing.
func costLine(s *screentest.Screen, label string) string {
	for row := range strings.Lines(s.Text()) {
		if _, after, ok := strings.Cut(row, "│   "+label+" "); ok {
			return strings.TrimSpace(strings.TrimRight(after, "│ \n"))
		}
	}
	return ""
}

func waitCost(s *screentest.Screen, label, want string) {
	s.Wait(label+" costs "+want, func(s *screentest.Screen) bool { return costLine(s, label) == want })
}

// choose opens the setting that is chosen and empties it.
func choose(s *screentest.Screen, label, was string) {
	s.WaitText("▸ " + label)
	s.Type(screentest.Enter)
	s.WaitText("esc leave it")
	s.Type(strings.Repeat(screentest.Backspace, len(was)))
}

// TestChangeAtKeptStep runs 20 steps, goes back to 8, changes one thing, and runs to
// the end: it costs what the screen said, and the trunk stays as it was, bit for bit.
func TestChangeAtKeptStep(t *testing.T) {
	for _, c := range []struct {
		name      string
		line      string // of the pane, before anything is typed; "" where it says nothing
		open      func(s *screentest.Screen)
		typed     string
		change    func(*pipeline.Settings)
		now, rest int
	}{
		{"prompt", "prompt", func(s *screentest.Screen) { s.Type("p") }, " on a table",
			func(s *pipeline.Settings) { s.Prompt += " on a table" }, 1, 11},
		{"guidance", "guidance, eta", func(s *screentest.Screen) {
			s.Type(screentest.Tab + screentest.Tab)
			choose(s, "guidance", "3.0")
		}, "7.5", func(s *pipeline.Settings) { s.Guidance = 7.5 }, 0, 11},
		{"sampler", "", func(s *screentest.Screen) {
			s.Type(strings.Repeat(screentest.Tab, 4))
			choose(s, "sampler", "ddim")
		}, "euler", func(s *pipeline.Settings) { s.Sampler = "euler" }, 0, 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, p := newModel(t), newPlace(t)
			s := p.screen(pictured, sampling("--steps", fmt.Sprint(whole))...)
			atStep(s, whole)
			settings := m.settings()
			settings.Steps = whole
			trunk := m.to(m.begin(settings), whole).Path()
			m.same(s, screentest.Kitty, trunk[whole])
			last := pixels(shown(t, s))
			goStep(s, kept)
			m.same(s, screentest.Kitty, trunk[kept])
			here := pixels(shown(t, s))
			before := p.session(p.sessionDir())
			if got := calls(before); got != whole {
				t.Errorf("the run took %d calls, want %d", got, whole)
			}
			hashes := digests(t, before.Path())

			cost := fmt.Sprintf("%d now, %d to the end", c.now, c.rest)
			if c.line != "" {
				waitCost(s, c.line, cost)
			}
			c.open(s)
			s.Type(c.typed)
			waitCost(s, "as typed", cost)
			s.Type(screentest.Enter)
			s.WaitText("branch b of a@8")
			atStep(s, kept)
			c.change(&settings)
			edited := m.edit(trunk[kept], settings)
			m.same(s, screentest.Kitty, edited)
			s.Type("r")
			atStep(s, whole)
			m.same(s, screentest.Kitty, m.to(edited, whole))
			s.Type("[") // the trunk, at the same step
			s.Wait("the trunk", func(s *screentest.Screen) bool { return !strings.Contains(s.Text(), "branch b") })
			atStep(s, whole)
			again(t, s, last)
			goStep(s, kept)
			again(t, s, here)
			quit(t, s)

			after := p.session(p.sessionDir())
			if got, want := calls(after), whole+c.now+c.rest; got != want {
				t.Errorf("the denoiser was called %d times, want %d", got, want)
			}
			if got := digests(t, after.Path()); len(got) != whole+1 || !slices.Equal(got, hashes) {
				t.Errorf("the trunk's tensors are\n%s\nand were\n%s", strings.Join(got, "\n"), strings.Join(hashes, "\n"))
			}
			reopened(t, p, after, here, edited, m)
		})
	}
}

// reopened opens the newest session: it is where it was left, both branches show their
// pictures, and nothing is computed.
func reopened(t *testing.T, p *place, was *pipeline.Run, here string, edited *pipeline.Step, m model) {
	t.Helper()
	s := p.screen(pictured, "open", "last")
	atStep(s, kept)
	s.WaitText("2 branches")
	again(t, s, here)
	s.Type("]")
	s.WaitText("branch b of a@8")
	atStep(s, kept)
	m.same(s, screentest.Kitty, edited)
	s.Type("[")
	s.Wait("the trunk", func(s *screentest.Screen) bool { return !strings.Contains(s.Text(), "branch b") })
	again(t, s, here)
	quit(t, s)
	is := p.session(p.sessionDir())
	if got, want := outline(is), outline(was); !slices.Equal(got, want) {
		t.Errorf("the opened session has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if is.Len() != was.Len() {
		t.Errorf("the opened session has %d steps, want %d", is.Len(), was.Len())
	}
}

// TestTreeIsKept branches, renames, deletes, undoes and does again under keys. What the
// session holds afterwards is that tree, and opening it shows it as it was.
func TestTreeIsKept(t *testing.T) {
	m, p := newModel(t), newPlace(t)
	s := p.screen(screentest.Options{Cols: 120, Rows: 44, Terminal: screentest.Kitty}, sampling()...)
	atStep(s, steps)
	trunk := m.to(m.begin(m.settings()), steps).Path()

	goStep(s, 3)
	s.Type("f")
	s.WaitText("branch b of a@3")
	s.Type(" ")
	atStep(s, 4)
	m.same(s, screentest.Kitty, trunk[4]) // nothing was changed
	s.Type("N")
	s.WaitText("name of branch b")
	s.Type(screentest.Backspace + "pear" + screentest.Enter)
	s.WaitText("branch pear of a@3")
	s.Type("x")
	s.WaitText("marked step 4 of branch pear")

	s.Type("[")
	s.Wait("the trunk", func(s *screentest.Screen) bool { return !strings.Contains(s.Text(), "branch pear of") })
	goStep(s, 2)
	s.Type(screentest.Tab + screentest.Tab + screentest.Up)
	s.WaitText("branch c of a@2")
	waitField(s, "guidance", "3.5")
	changed := m.settings()
	changed.Guidance = 3.5
	edited := m.edit(trunk[2], changed)
	m.same(s, screentest.Kitty, edited)
	for _, c := range []struct{ key, says, field string }{
		{"u", "undo: at step 2 of branch a", "3.0"},
		{"U", "redo: at step 2 of branch c", "3.5"},
		{"D", "deleted branch c", "3.0"},
		{"u", "undo: at step 2 of branch c", "3.5"},
		{"U", "redo: at step 2 of branch a", "3.0"},
		{"u", "undo: at step 2 of branch c", "3.5"},
		{"]", "branch c of a@2", "3.0"}, // around the end to the trunk
		{"]", "branch pear of a@3", "3.0"},
		{"]", "branch c of a@2", "3.5"},
	} {
		s.Type(c.key)
		waitField(s, "guidance", c.field)
		if c.field == "3.0" && c.key == "]" && c.says == "branch c of a@2" {
			continue
		}
		s.WaitText(c.says)
	}
	m.same(s, screentest.Kitty, edited)
	here, drawn := pixels(shown(t, s)), treeRows(s)
	if len(drawn) != 3 {
		t.Errorf("the tree is\n%s\nwant three branches", strings.Join(drawn, "\n"))
	}
	quit(t, s)
	was := p.session(p.sessionDir())
	if got, want := calls(was), steps+1; got != want { // the fork's step; the edit is free
		t.Errorf("the denoiser was called %d times, want %d", got, want)
	}

	s = p.screen(screentest.Options{Cols: 120, Rows: 44, Terminal: screentest.Kitty}, "open", "last")
	atStep(s, 2)
	again(t, s, here)
	if got := treeRows(s); !slices.Equal(got, drawn) {
		t.Errorf("the opened tree is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(drawn, "\n"))
	}
	s.Type("c")
	s.WaitText("◆ marked, step 4")
	quit(t, s)
	if got, want := outline(p.session(p.sessionDir())), outline(was); !slices.Equal(got, want) {
		t.Errorf("the opened session has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// treeRow is a branch: its name, and its steps after lines that lead down to it.
var treeRow = regexp.MustCompile(`^│ [ ▸]\w+ [ │├╰]*[●○◆▣]`)

// treeRows are the rows of the tree on the screen.
func treeRows(s *screentest.Screen) (rows []string) {
	for row := range strings.Lines(s.Text()) {
		if pane, _, ok := strings.Cut(row, "││"); ok && treeRow.MatchString(pane) {
			rows = append(rows, strings.TrimRight(pane, " "))
		}
	}
	return rows
}
