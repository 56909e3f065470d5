// Package screentest runs a command on a pseudoterminal and looks at what a
// terminal would show: text, and pictures drawn with sixels, with kitty's Unicode
// placeholders or placements, with iTerm2's inline images or with block
// characters. It answers the command's questions as a terminal of a chosen kind
// would.
package screentest

import (
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Timeout is how long Wait and Exit wait: far longer than a correct program
// takes on a busy machine.
const Timeout = 60 * time.Second

// Options describes the terminal. The zero value is a plain one of 80x24 cells
// of 10x20 pixels.
type Options struct {
	Cols, Rows int
	// Cell is the size of a cell in pixels.
	Cell     image.Point
	Terminal Terminal
	// Rate is how many bytes a second the terminal takes, 0 for as many as come.
	Rate int
	// Remote says that the terminal is on another machine: it reads no files.
	Remote bool
	// Env is added to a small environment: PATH, TERM, LANG and a HOME of its
	// own. A later entry for a name replaces an earlier one.
	Env []string
}

// Screen is a running command and what it shows.
type Screen struct {
	*state
	// held says that this handle is used while the state's lock is held.
	held bool
}

// state is what all handles of a screen share.
type state struct {
	t       testing.TB
	options Options
	pty     *os.File
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the output has ended

	mu       sync.Mutex
	changed  *sync.Cond // something was shown, or the output ended
	emulator *vt.Emulator
	progress
	raw      []byte
	faults   []string
	graphics graphics
}

// progress is how far the output has got.
type progress struct {
	sync     bool   // within a synchronized update
	within   bool   // within a sequence that shows nothing before its end
	resizing bool   // the command has not drawn the screen anew after Resize
	resized  bool   // nothing has been shown since Resize
	after    []byte // what the terminal does by itself after a picture
	// shown counts what Wait should look at, seen is the last that it did.
	shown, seen int
	waiting     bool
}

// Start starts a command on a new terminal. The command is killed when the test
// ends, and the test fails if the command wrote image escapes that a terminal
// would reject.
func Start(t testing.TB, o Options, name string, args ...string) *Screen {
	t.Helper()
	o = o.withDefaults()
	cmd := exec.Command(name, args...)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8",
		"TERM=" + o.Terminal.term(),
	}, o.Env...)
	tty, err := pty.StartWithSize(cmd, o.winsize())
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skipf("no pseudoterminals here: %v", err)
	}
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	s := &Screen{state: &state{
		t: t, options: o, pty: tty, cmd: cmd, ended: make(chan struct{}),
		emulator: vt.NewEmulator(o.Cols, o.Rows),
		graphics: newGraphics(o.Cell),
	}}
	s.changed = sync.NewCond(&s.mu)
	s.answer()
	s.decode()
	go s.reply()
	go s.feed()
	t.Cleanup(s.stop)
	return s
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	if o.Cols == 0 || o.Rows == 0 {
		o.Cols, o.Rows = 80, 24
	}
	if o.Cell == (image.Point{}) {
		o.Cell = image.Pt(10, 20)
	}
	return o
}

// winsize returns the size as the kernel holds it.
func (o Options) winsize() *pty.Winsize {
	return &pty.Winsize{
		Cols: uint16(o.Cols), Rows: uint16(o.Rows),
		X: uint16(o.Cols * o.Cell.X), Y: uint16(o.Rows * o.Cell.Y),
	}
}

// lock locks the state unless this handle holds the lock; the result unlocks.
func (s *Screen) lock() (unlock func()) {
	if s.held {
		return func() {}
	}
	s.mu.Lock()
	return s.mu.Unlock
}

// Type sends keys, as a terminal encodes them.
func (s *Screen) Type(keys string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(keys); err != nil {
		s.t.Errorf("type %q: %v", keys, err)
	}
}

// Click presses and releases the left button on a cell, counted from 0.
func (s *Screen) Click(x, y int) {
	s.t.Helper()
	s.Type(fmt.Sprintf("\x1b[<0;%d;%dM\x1b[<0;%d;%dm", x+1, y+1, x+1, y+1))
}

// Resize gives the terminal another size in cells.
func (s *Screen) Resize(cols, rows int) {
	s.t.Helper()
	defer s.lock()()
	s.options.Cols, s.options.Rows = cols, rows
	s.resizing, s.resized = true, true
	s.emulator.Resize(cols, rows)
	if err := pty.Setsize(s.pty, s.options.winsize()); err != nil {
		s.t.Errorf("resize to %dx%d: %v", cols, rows, err)
	}
}

// Wait waits until the screen is as it should be, and fails the test if it does
// not get there. The predicate is called for all that is shown, but not within
// a synchronized update; it may use all methods that look.
func (s *Screen) Wait(what string, is func(*Screen) bool) {
	s.t.Helper()
	defer s.lock()()
	inner := &Screen{state: s.state, held: true}
	expired := false
	timer := time.AfterFunc(Timeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		expired = true
		s.changed.Broadcast()
	})
	defer timer.Stop()
	s.waiting = true
	defer func() {
		s.waiting = false
		s.changed.Broadcast()
	}()
	for {
		s.seen = s.shown
		if !s.sync && !s.within && is(inner) {
			return
		}
		s.changed.Broadcast()
		select {
		case <-s.ended:
			s.t.Fatalf("the command ended before: %s\n%s", what, inner.Text())
		default:
		}
		if expired {
			s.t.Fatalf("not within %s: %s\n%s", Timeout, what, inner.Text())
		}
		s.changed.Wait()
	}
}

// WaitText waits until the screen shows a text.
func (s *Screen) WaitText(text string) {
	s.t.Helper()
	s.Wait(fmt.Sprintf("text %q", text), func(s *Screen) bool { return strings.Contains(s.Text(), text) })
}

// Text returns the rows of the screen, without the blanks at their ends, joined
// by newlines.
func (s *Screen) Text() string {
	defer s.lock()()
	var b strings.Builder
	for y := range s.emulator.Height() {
		if y > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.row(y))
	}
	return b.String()
}

// Row returns one row of the screen, without the blanks at its end; no-break
// spaces are given as spaces, and so are pieces of kitty pictures and what they
// cover.
func (s *Screen) Row(y int) string {
	defer s.lock()()
	return s.row(y)
}

// row implements Row. The caller holds the lock.
func (s *state) row(y int) string {
	var b strings.Builder
	for x := 0; x < s.emulator.Width(); x++ {
		c := s.emulator.CellAt(x, y)
		switch {
		case c == nil || c.Content == "" || s.covered(image.Pt(x, y)) || c.Content == "\u00a0" || c.Content == "\u2007" || strings.HasPrefix(c.Content, placeholder):
			b.WriteByte(' ')
		default:
			b.WriteString(c.Content)
			x += max(1, c.Width) - 1
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Size returns the size of the terminal in cells.
func (s *Screen) Size() (cols, rows int) {
	defer s.lock()()
	return s.emulator.Width(), s.emulator.Height()
}

// AltScreen says whether the alternate screen is on.
func (s *Screen) AltScreen() bool {
	defer s.lock()()
	return s.emulator.IsAltScreen()
}

// Raw returns all bytes that the command has written.
func (s *Screen) Raw() []byte {
	defer s.lock()()
	return append([]byte(nil), s.raw...)
}

// Faults returns what a terminal would have rejected or misdrawn.
func (s *Screen) Faults() []string {
	defer s.lock()()
	return append([]string(nil), s.faults...)
}

// Exit waits until the command has ended and all of its output was read, and
// returns its exit status, or -1 if a signal ended it.
func (s *Screen) Exit() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(Timeout):
		s.t.Fatalf("the command has not ended within %s\n%s", Timeout, s.Text())
	}
	return s.cmd.ProcessState.ExitCode()
}

// stop ends the command and reports its faults.
func (s *Screen) stop() {
	select {
	case <-s.ended:
	default:
		if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.t.Errorf("kill: %v", err)
		}
		<-s.ended
	}
	for _, f := range s.Faults() {
		s.t.Errorf("terminal fault: %s", f)
	}
}

// KittyPictures returns how many pictures a terminal with kitty's protocol keeps.
func (s *Screen) KittyPictures() int {
	defer s.lock()()
	return len(s.graphics.kitty)
}

// Signal sends a signal to the command.
func (s *Screen) Signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Errorf("send %s: %v", sig, err)
	}
}
