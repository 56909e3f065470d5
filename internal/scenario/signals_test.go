//go:build unix

package scenario

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"ldx/internal/screentest"
)

// interrupted is the exit status after a signal.
const interrupted = 130

var signals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// long is a run that no test waits for the end of.
func long(more ...string) []string {
	return append([]string{"run", "-p", prompt, "-s", "42", "--steps", "500"}, more...)
}

// TestInterruptedRun ends a run in the middle: what was done is written.
func TestInterruptedRun(t *testing.T) {
	for _, signal := range signals {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			s := p.screen(screentest.Options{}, long("--trace", "t.safetensors", "-o", "a.png")...)
			s.WaitText("% steps")
			s.Signal(signal)
			if code := s.Exit(); code != interrupted {
				t.Errorf("exit status %d, want %d", code, interrupted)
			}
			if !strings.Contains(s.Text(), "ldx: interrupted") {
				t.Errorf("the last words are %q, want that it was interrupted", s.Text())
			}
			p.holds("a.png", "t.safetensors")
			tr := readTrace(t, p.read("t.safetensors"))
			if tr.calls < 1 || tr.calls >= 500 {
				t.Errorf("the trace has %d calls, want some of 500", tr.calls)
			}
			decodePNG(t, p.read("a.png"))
			says(t, parameters(t, p.read("a.png")), prompt+"\n", "Steps: 500,", "Seed: 42,")
		})
	}
}

// TestSecondInterrupt ends a run at once that is still writing.
func TestSecondInterrupt(t *testing.T) {
	p := newPlace(t)
	s := p.screen(screentest.Options{}, long("-o", "a.gif")...)
	s.Wait("a tenth of the steps", func(s *screentest.Screen) bool {
		return regexp.MustCompile(`[1-9][0-9]% steps`).MatchString(s.Text())
	})
	s.Signal(syscall.SIGINT)
	s.WaitText("% decode")
	s.Signal(syscall.SIGINT)
	if code := s.Exit(); code != -1 {
		t.Errorf("exit status %d, want the end by the signal", code)
	}
	p.holds()
}

// TestIgnoredSignal goes on after a hang-up that its parent ignores, as nohup has it.
func TestIgnoredSignal(t *testing.T) {
	p := newPlace(t)
	s := screentest.Start(t, screentest.Options{Env: p.env}, "/bin/sh", "-c", `trap "" HUP; cd "$0" && exec "$@"`,
		p.dir, program, "run", "-p", prompt, "--steps", "50", "-o", "a.png")
	s.WaitText("% steps")
	s.Signal(syscall.SIGHUP)
	if code := s.Exit(); code != 0 {
		t.Errorf("exit status %d, want 0: %s", code, s.Text())
	}
	p.holds("a.png")
}

// TestInterruptedExplorer restores the terminal whatever ends the explorer in the
// middle of a step.
func TestInterruptedExplorer(t *testing.T) {
	running := func(t *testing.T) *screentest.Screen {
		s := newPlace(t).screen(screentest.Options{Cols: 120, Rows: 34, Terminal: screentest.Kitty}, "--steps", "900")
		s.WaitText("running, step")
		return s
	}
	for _, signal := range signals {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			s := running(t)
			s.Signal(signal)
			if code := s.Exit(); code != interrupted {
				t.Errorf("exit status %d, want %d", code, interrupted)
			}
			restored(t, s)
		})
	}
	for name, key := range map[string]string{"ctrl+c": screentest.CtrlC, "q": "q"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := running(t)
			s.Type(key)
			if code := s.Exit(); code != 0 {
				raw := s.Raw()
				t.Errorf("exit status %d, want 0; the last words are %.500q", code, raw[max(0, len(raw)-500):])
			}
			restored(t, s)
		})
	}
}

// TestQuitWhileLoading leaves while the model is on its way.
func TestQuitWhileLoading(t *testing.T) {
	for range 4 {
		s := newPlace(t).screen(screentest.Options{})
		s.WaitText("loading emoji-128")
		s.Type("q")
		if code := s.Exit(); code != 0 {
			t.Errorf("exit status %d, want 0:\n%s", code, s.Text())
		}
		restored(t, s)
	}
}

var privateMode = regexp.MustCompile(`\x1b\[\?([0-9;]+)([hl])`)

// restored checks that all that the program asked of the terminal is taken back.
func restored(t *testing.T, s *screentest.Screen) {
	t.Helper()
	raw := s.Raw()
	if s.AltScreen() || !bytes.Contains(raw, []byte("\x1b[?1049h")) {
		t.Error("the alternate screen was not on or is still on")
	}
	last := map[string]string{}
	for _, m := range privateMode.FindAllSubmatch(raw, -1) {
		for _, mode := range strings.Split(string(m[1]), ";") {
			last[mode] = string(m[2])
		}
	}
	for mode, is := range last {
		want := "l"
		if mode == "25" { // the cursor
			want = "h"
		}
		if is != want {
			t.Errorf("private mode %s is left at %q, want %q", mode, is, want)
		}
	}
	for _, mouse := range []string{"1002", "1006", "25"} {
		if last[mouse] == "" {
			t.Errorf("private mode %s was never set: this test looks for the wrong one", mouse)
		}
	}
	if n := s.KittyPictures(); n > 0 {
		t.Errorf("%d pictures are left in the terminal", n)
	}
}

// TestTerminalSettings compares what stty says before and after.
func TestTerminalSettings(t *testing.T) {
	if _, err := exec.LookPath("stty"); err != nil {
		t.Skip("there is no stty")
	}
	p := newPlace(t)
	s := screentest.Start(t, screentest.Options{Env: p.env}, "/bin/sh", "-c",
		`before=$(stty -g); "$@"; code=$?; [ "$before" = "$(stty -g)" ] && echo settings kept; exit $code`, "sh", program, "--steps", "900")
	s.WaitText("running, step")
	s.Type(screentest.CtrlC)
	if code := s.Exit(); code != 0 || !strings.Contains(s.Text(), "settings kept") {
		t.Errorf("exit status %d, and the terminal says %q", code, s.Text())
	}
}

// TestTerminalGoes closes the terminal under the explorer.
func TestTerminalGoes(t *testing.T) {
	p := newPlace(t)
	cmd := p.command("--steps", "900")
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 80, Rows: 24})
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skip("no pseudoterminals here")
	}
	p.must(err)
	readUntil(t, tty, "running")
	p.must(tty.Close())
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != interrupted {
		t.Errorf("exit status %d (%v), want %d", code, err, interrupted)
	}
	if log, err := os.ReadFile(p.state + "/ldx/ldx.log"); err != nil || bytes.Contains(log, []byte("panic")) {
		t.Errorf("the log holds %q (%v), want no panic", log, err)
	}
}

// readUntil reads a terminal until a text has come.
func readUntil(t *testing.T, tty *os.File, text string) {
	t.Helper()
	timer := time.AfterFunc(screentest.Timeout, func() { _ = tty.Close() }) // ends the read
	defer timer.Stop()
	var all []byte
	for b := make([]byte, 1<<16); !bytes.Contains(all, []byte(text)); {
		n, err := tty.Read(b)
		all = append(all, b[:n]...)
		if err != nil {
			t.Fatalf("no %q: %v after %q", text, err, all)
		}
	}
}

// TestNoTerminal has no terminal on one side or the other.
func TestNoTerminal(t *testing.T) {
	const want = "the explorer needs a terminal"
	t.Run("neither", func(t *testing.T) {
		p := newPlace(t)
		p.run().fails(t, 1, want, "ldx run works without one")
		p.holds()
	})
	for name, redirect := range map[string]string{
		"input": "</dev/null", "input is closed": "<&-", "output": ">out", "output is closed": ">&-",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			s := screentest.Start(t, screentest.Options{Env: p.env}, "/bin/sh", "-c", `cd "$0" && exec "$@" `+redirect, p.dir, program)
			if code := s.Exit(); code != 1 || !strings.Contains(strings.ReplaceAll(s.Text(), "\n", ""), want) {
				t.Errorf("exit status %d, and the terminal says %q; want 1 and %q", code, s.Text(), want)
			}
			if raw := s.Raw(); bytes.Contains(raw, []byte("\x1b[?1049h")) {
				t.Errorf("the screen was opened: %q", raw)
			}
		})
	}
}
