package tui

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
	"ldx/tui/ask"
	"ldx/tui/history"
	"ldx/tui/keys"
)

func (a *app) typed(text string) {
	for _, c := range text {
		a.press(char(c))
	}
}

// place is where text stands on the screen.
func (a *app) place(text string) (x, y int) {
	a.t.Helper()
	for y, line := range strings.Split(a.screen(), "\n") {
		if i := strings.Index(line, text); i >= 0 {
			return ansi.StringWidth(line[:i]), y
		}
	}
	a.t.Fatalf("%q is not on the screen:\n%s", text, a.screen())
	return 0, 0
}

var (
	enter  = tea.Key{Code: tea.KeyEnter}
	escape = tea.Key{Code: tea.KeyEscape}
	down   = tea.Key{Code: tea.KeyDown}
	ctrlK  = tea.Key{Code: 'k', Mod: tea.ModCtrl}
)

// TestPaletteDoesWhatTheKeyDoes chooses actions by their names and compares the screen
// with the one after the key.
func TestPaletteDoesWhatTheKeyDoes(t *testing.T) {
	for name, k := range map[string]tea.Key{
		"show.view": char('v'), "run.first": {Code: tea.KeyHome}, "show.models": char('m'), "edit.next": {Code: tea.KeyTab},
		"show.help": char('?'), "edit.prompt": char('p'), "run.restart": char('R'),
	} {
		byKey, byName := newApp(t, 100, 30, works), newApp(t, 100, 30, works)
		byKey.press(k)
		byName.press(ctrlK)
		byName.typed(name)
		byName.press(enter)
		if byName.screen() != byKey.screen() {
			t.Errorf("%s: the screen is\n%swant\n%s", name, byName.screen(), byKey.screen())
		}
	}
}

func TestPaletteListsEveryAction(t *testing.T) {
	a := newApp(t, 80, 24, works)
	a.press(ctrlK)
	a.golden("palette-80x24")
	text := ""
	for page := ""; page != a.screen(); a.press(tea.Key{Code: tea.KeyPgDown}) {
		page = a.screen()
		text += page
	}
	for _, action := range a.keys.Actions() {
		if action.Scope == keys.Screen && !strings.Contains(text, action.Name) {
			t.Errorf("%s is not in the palette", action.Name)
		}
	}
	a.typed("qzqzq")
	if !strings.Contains(a.screen(), "nothing like that") || a.popup == nil {
		t.Errorf("letters are not text in the palette:\n%s", a.screen())
	}
	if a.press(enter); a.popup == nil {
		t.Error("enter closes the palette with nothing chosen")
	}
	if a.press(escape); a.popup != nil {
		t.Error("esc does not close the palette")
	}
}

func TestLineAsksUntilTheTextDoes(t *testing.T) {
	a := newApp(t, 80, 24, works)
	var got []string
	a.send(ask.Line{
		Title: "run to step", Value: "1",
		Check: func(s string) error {
			if s == "12" {
				return nil
			}
			return errors.New("step is " + s + ", want 12")
		},
		Then: func(s string) tea.Msg { got = append(got, s); return nil },
	})
	a.press(char('q'), enter)
	if !strings.Contains(a.screen(), "✗ step is 1q, want 12") {
		t.Errorf("the problem is not said:\n%s", a.screen())
	}
	a.press(tea.Key{Code: tea.KeyBackspace})
	if strings.Contains(a.screen(), "✗") {
		t.Error("the problem stays while the text is changed")
	}
	a.send(tea.PasteMsg{Content: "2"})
	a.golden("line-80x24")
	a.press(enter)
	if !slices.Equal(got, []string{"12"}) || a.popup != nil {
		t.Errorf("the answers are %q, want 12 and the popup closed", got)
	}
	a.send(ask.Line{Then: func(s string) tea.Msg { got = append(got, s); return nil }})
	a.press(escape)
	if len(got) != 1 || a.popup != nil {
		t.Errorf("esc answers %q", got)
	}
}

func TestChoiceByKeysAndMouse(t *testing.T) {
	a := newApp(t, 80, 24, works)
	var got []int
	question := ask.Choice{
		Title: "save as", At: 1, Then: func(i int) tea.Msg { got = append(got, i); return nil },
		Items: []ask.Item{{Name: "png", Detail: "one picture"}, {Name: "gif"}, {Name: "sheet"}},
	}
	a.send(question)
	a.press(enter)
	a.send(question)
	a.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	a.press(enter)
	a.send(question)
	x, y := a.place("png")
	a.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
	a.send(question)
	a.send(tea.MouseClickMsg{X: x, Y: y + 5, Button: tea.MouseLeft}) // below the list: nothing
	a.press(escape)
	if !slices.Equal(got, []int{1, 2, 0}) || a.popup != nil {
		t.Errorf("chosen are %v, want 1, 2 and 0", got)
	}
}

// writeFile is enough of an atomic write for one program.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func TestEditedPromptsComeBack(t *testing.T) {
	a := newApp(t, 80, 24, works)
	a.options.History = history.New(filepath.Join(t.TempDir(), "prompts.json"), writeFile)
	remember := rememberAll(a.options)
	for _, p := range []string{"a red apple", "a green pear", "a red apple"} {
		if err := remember(a.explorer.Loaded(), pipeline.Settings{Prompt: p}); err != nil {
			t.Fatal(err)
		}
	}
	var got string
	question := ask.Prompts{Then: func(p string) tea.Msg { got = p; return nil }}
	a.send(question)
	a.golden("prompts-80x24")
	a.press(down, enter)
	if got != "a green pear" {
		t.Errorf("the second is %q, want the one before the last", got)
	}
	a.send(question)
	a.typed("APPLE red")
	a.press(enter)
	if got != "a red apple" {
		t.Errorf("filtered, the first is %q", got)
	}
}

func TestPromptsThatCannotBeRead(t *testing.T) {
	a := newApp(t, 80, 24, works)
	a.send(ask.Prompts{Then: func(string) tea.Msg { return nil }})
	if !strings.Contains(a.screen(), "no prompt has been used yet") {
		t.Errorf("an empty history is not said:\n%s", a.screen())
	}
	a.press(escape)
	folder := t.TempDir()
	a.options.History = history.New(folder, writeFile)
	a.send(ask.Prompts{Then: func(string) tea.Msg { return nil }})
	if !strings.Contains(a.screen(), "✗ ") {
		t.Errorf("a folder in place of the file is not said:\n%s", a.screen())
	}
}

func TestTokensAreListed(t *testing.T) {
	view := pipeline.TokenView{Chunks: 2, Room: 2, Used: 3, Tokens: []pipeline.PromptToken{
		{Text: "red", ID: 736, Weight: 1.1}, {Text: " \x1b[31m", ID: 3055, Weight: 1},
		{Text: "pear", ID: 22955, Weight: 1, Chunk: 1}, {Text: "tree", ID: 2677, Weight: 1, Chunk: 1, Cut: true},
	}}
	a := newApp(t, 80, 24, works)
	a.send(tokensMsg{title: "tokens of the prompt", view: view})
	a.golden("tokens-80x24")
	if a.press(char('q')); a.popup != nil {
		t.Error("q does not close the sheet of tokens")
	}
	a.send(ask.Tokens{Text: "a toy"})
	if !strings.Contains(a.screen(), "no tokens") {
		t.Errorf("a text encoder without tokens is not said:\n%s", a.screen())
	}
	a.press(escape)
	a.send(ask.Tokens{Text: "a toy", Syntax: "latin"})
	if !strings.Contains(a.screen(), "✗") || !strings.Contains(a.screen(), "latin") {
		t.Errorf("an unknown syntax is not said:\n%s", a.screen())
	}
}

// TestLateContentsDoNotCover keeps the popup that was opened meanwhile.
func TestLateContentsDoNotCover(t *testing.T) {
	a := newApp(t, 80, 24, works)
	a.press(char('?'))
	before := a.screen()
	a.send(choicesMsg{list: []Choice{{Name: "late"}}})
	a.send(tokensMsg{title: "late"})
	if a.screen() != before {
		t.Errorf("what came late covers the sheet of keys:\n%s", a.screen())
	}
}

// TestRemappedKeys steps with another key, which the help line shows.
func TestRemappedKeys(t *testing.T) {
	a := newApp(t, 120, 34, works)
	k := keys.New()
	if err := k.Remap(map[string][]string{"show.help": {"f1"}, "show.palette": {"ctrl+p"}}); err != nil {
		t.Fatal(err)
	}
	options := a.options
	options.Keys = &k
	b := newRoot(a.ctx, options, a.images)
	b.Update(tea.WindowSizeMsg{Width: 120, Height: 34})
	if !key.Matches(tea.KeyPressMsg(tea.Key{Code: tea.KeyF1}), b.keys.Show.Help) || !strings.Contains(ansi.Strip(b.helpLine()), "f1 all keys") {
		t.Errorf("f1 is not for help: %s", ansi.Strip(b.helpLine()))
	}
	b.Update(tea.KeyPressMsg(tea.Key{Code: tea.KeyF1}))
	if b.popup == nil {
		t.Error("f1 does not open the sheet of keys")
	}
}
