package explorer

import (
	"context"
	"errors"
	"image"
	"os"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"ldx/internal/export"
	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/tui/keys"
	"ldx/tui/termimg"
	"ldx/tui/theme"
)

// screen is an explorer on a toy model, driven by hand: its commands wait in a
// list until the test runs them.
type screen struct {
	*Model
	t          *testing.T
	works      *toy.Toy
	pending    []tea.Cmd
	remembered []pipeline.Settings
}

func newScreen(t *testing.T, works *toy.Toy) *screen {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	images := termimg.New(null, termimg.Options{Protocol: termimg.Off, Notify: func() {}})
	ctx, cancel := context.WithCancel(context.Background())
	s := &screen{t: t, works: works}
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(images.Close(), null.Close()); err != nil {
			t.Error(err)
		}
	})
	s.Model = New(ctx, Deps{
		Images: images, Keys: keys.New(),
		Save: func(*pipeline.Model, *pipeline.Step, *image.RGBA) (string, error) { return "a.png", nil },
		Command: func(_ *pipeline.Model, path []*pipeline.Step) (command, but string) {
			return export.PathCommand("", path)
		},
		Remember: func(_ *pipeline.Model, s2 pipeline.Settings) error {
			s.remembered = append(s.remembered, s2)
			return nil
		},
	}, theme.New(true, colorprofile.TrueColor))
	s.SetSize(120, 34)
	return s
}

// open puts the toy on the screen; its first run waits to be carried out.
func (s *screen) open() *screen {
	model := s.works.Model()
	_, cmd := s.SetModel(model, model.Settings(), nil, nil)
	s.pending = append(s.pending, cmd)
	return s
}

// settle runs commands and feeds back what they give until none is left.
func (s *screen) settle() *screen {
	s.t.Helper()
	for n := 0; len(s.pending) > 0; n++ {
		if n > 10_000 {
			s.t.Fatal("commands without end")
		}
		cmd := s.pending[0]
		s.pending = s.pending[1:]
		s.one(cmd)
	}
	return s
}

// one runs a single command.
func (s *screen) one(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		s.pending = append(s.pending, msg...)
	default:
		s.pending = append(s.pending, s.Update(msg))
	}
}

func (s *screen) press(names ...string) *screen {
	s.t.Helper()
	special := map[string]rune{
		"left": tea.KeyLeft, "right": tea.KeyRight, "up": tea.KeyUp, "down": tea.KeyDown, "home": tea.KeyHome, "end": tea.KeyEnd,
		"tab": tea.KeyTab, "enter": tea.KeyEnter, "esc": tea.KeyEscape, "backspace": tea.KeyBackspace, "space": tea.KeySpace,
	}
	for _, name := range names {
		k := tea.Key{Text: name}
		if code, ok := special[name]; ok {
			k = tea.Key{Code: code}
		} else {
			k.Code = []rune(name)[0]
		}
		cmd, _ := s.Key(tea.KeyPressMsg(k))
		s.pending = append(s.pending, cmd)
	}
	return s
}

func (s *screen) expect(cursor, kept, calls int) {
	s.t.Helper()
	run := s.work.run
	if run.Cursor() != cursor || len(run.Path())-1 != kept || int(s.works.Predicts.Load()) != calls {
		s.t.Errorf("cursor %d, kept %d, calls %d; want %d, %d, %d",
			run.Cursor(), len(run.Path())-1, s.works.Predicts.Load(), cursor, kept, calls)
	}
}

func TestFirstPictureStartsByItself(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.expect(20, 20, 20)
	if n := s.works.Decodes.Load(); n != 21 {
		t.Errorf("%d pictures decoded while idle, want all 21", n)
	}
}

func TestScrubbingIsFree(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("left", "left", "left", "right", "home").settle().expect(0, 20, 20)
	s.press("space").settle().expect(1, 20, 20) // a kept step costs nothing
	s.press("end", "right").settle().expect(20, 20, 20)
}

func TestRestartThenStep(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("R").settle().expect(0, 20, 20) // the same again is kept
	s.press("space").settle().expect(1, 20, 20)
	s.press("r").settle().expect(20, 20, 20)
	s.press("left", "p", "!", "enter").settle().expect(19, 19, 21)
	s.press("R").settle().expect(0, 0, 22) // from noise under what changed on the way
	s.press("space").settle().expect(1, 1, 23)
	s.press("r").settle().expect(20, 20, 41)
}

// TestEditsInMidRun is the debugger's promise, in calls.
func TestEditsInMidRun(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("home", "right", "right", "right", "right", "right", "right", "right", "right").settle()
	s.expect(8, 20, 20)
	s.press("p", "!", "enter").settle().expect(8, 8, 21) // a prompt: one call, there
	s.press("tab", "tab", "up").settle().expect(8, 8, 21)
	if g := s.work.run.At().Settings.Guidance; g != 3.5 {
		t.Errorf("guidance is %g, want 3.5", g)
	}
	s.press("tab", "up").settle().expect(8, 8, 21) // eta: none
	s.press("r").settle().expect(20, 20, 32)
	if got := len(s.remembered); got != 3 {
		t.Errorf("%d settings remembered, want 3", got)
	}
}

// TestEditAtTheEndRunsAgain: at the end nothing is left that a change could act on.
func TestEditAtTheEndRunsAgain(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("p", "!", "enter").settle().expect(20, 20, 40)
	s.press("tab", "tab", "up").settle().expect(20, 20, 59) // the first call is kept
	s.press("n").settle().expect(20, 20, 79)
}

func TestCopySaysWhatTheCommandLacks(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("y")
	if s.notice.text != "copied the ldx run command" {
		t.Errorf("at the end: %q", s.notice.text)
	}
	s.press("home", "right", "right", "y")
	if !strings.Contains(s.notice.text, "goes on to the end") {
		t.Errorf("in mid-run: %q", s.notice.text)
	}
	s.press("tab", "tab", "up").settle().press("y")
	if !strings.Contains(s.notice.text, "no change at step 2") {
		t.Errorf("after a change: %q", s.notice.text)
	}
}

func TestQuickEditsAddUp(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("home", "tab", "tab", "up", "up", "up").settle()
	if g := s.Settings().Guidance; g != 4.5 {
		t.Errorf("guidance is %g after three presses, want 4.5", g)
	}
}

func TestStaleResultsAreDropped(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open()
	old := s.pending
	s.pending = nil
	s.press("R").settle() // another job takes the place of the first
	for _, cmd := range old {
		s.one(cmd)
	}
	s.settle()
	if s.work.run.Cursor() != 0 || len(s.work.run.Path()) != 1 {
		t.Errorf("cursor %d of %d steps: a result of the cancelled job was taken", s.work.run.Cursor(), len(s.work.run.Path()))
	}
}

func TestCancelKeepsWhatIsDone(t *testing.T) {
	works := &toy.Toy{Gate: make(chan struct{})}
	s := newScreen(t, works).open()
	for range 3 { // three calls get through
		works.Gate <- struct{}{}
	}
	s.press("esc").settle()
	if s.Busy() {
		t.Error("still busy after esc")
	}
	if len(s.work.run.Path()) != 3 {
		t.Errorf("%d steps kept, want 3", len(s.work.run.Path()))
	}
	s.press("space") // goes on from there
	works.Gate <- struct{}{}
	s.settle()
	if len(s.work.run.Path()) != 4 {
		t.Errorf("%d steps kept after one more, want 4", len(s.work.run.Path()))
	}
}

func TestFailureIsSaid(t *testing.T) {
	for name, fail := range map[string]func(int) error{
		"error": func(int) error { return errors.New("out of memory") },
		"panic": func(int) error { panic("out of memory") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(t, &toy.Toy{Fail: fail}).open().settle()
			if s.Busy() || !strings.Contains(s.View(""), "out of memory") {
				t.Error("the failure is not on the screen")
			}
		})
	}
}

func TestWrongValueStaysInTheField(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	s.press("tab", "tab", "tab", "enter", "9", "enter").settle()
	if !s.Editing() || !strings.Contains(s.View(""), "eta is 9, want 0 to 1") {
		t.Errorf("the reason is not shown:\n%s", ansi.Strip(s.View("")))
	}
	s.press("esc").settle()
	if s.Editing() || s.Settings().Eta != 0 {
		t.Error("leaving the field changed the setting")
	}
	s.expect(20, 20, 20)
}

// TestScreenFitsEverySize sweeps sizes: every line is exactly as wide as the
// screen, and there are as many as rows.
func TestScreenFitsEverySize(t *testing.T) {
	s := newScreen(t, &toy.Toy{}).open().settle()
	for _, editing := range []bool{false, true} {
		for w := MinWidth; w <= 220; w += 7 {
			for h := MinHeight; h <= 70; h += 3 {
				s.SetSize(w, h)
				lines := strings.Split(s.View("loading"), "\n")
				if len(lines) != h-2 {
					t.Fatalf("%dx%d: %d lines, want %d", w, h, len(lines), h-2)
				}
				for i, line := range lines {
					if got := ansi.StringWidth(line); got != w {
						t.Fatalf("%dx%d: line %d is %d wide: %q", w, h, i, got, ansi.Strip(line))
					}
				}
			}
		}
		if !editing {
			s.press("p", "w", "i", "d", "e").settle()
		}
	}
}
