package realterm

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait: far longer than a correct program takes on a busy
// machine.
const patience = 30 * time.Second

// poll is the pause between two looks at something that other processes do.
const poll = 5 * time.Millisecond

// need skips the test unless all programs are installed.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("needs %s, which is not installed: .ci/setup installs it", p)
		}
	}
}

// needTerminfo skips where the system does not know a terminal, so that tmux would not
// start in it.
func needTerminfo(t testing.TB, term string) {
	t.Helper()
	if err := exec.Command("infocmp", term).Run(); err != nil {
		t.Skipf("needs the description of %s, which is not installed: .ci/setup installs it", term)
	}
}

// output collects what a process writes; it is read while the process runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

// String returns the last kilobytes of the output.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.buf.Bytes()
	return string(b[max(0, len(b)-4096):])
}

// process is a program that runs until the test ends.
type process struct {
	cmd  *exec.Cmd
	out  output
	done chan struct{} // closed when it has ended
}

// start starts a program with an environment and nothing else of this process's,
// and kills it when the test ends.
func start(t testing.TB, env []string, files []*os.File, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Env, p.cmd.ExtraFiles = env, files
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	// Children that outlive the program keep its output open.
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // it is killed: how it ended says nothing
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, p.out.String())
		}
	})
	return p
}

// kill ends the program and waits until it has ended. It may clean up, as Xvfb
// does, if that does not take long.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
	select {
	case <-p.done:
	case <-time.After(time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// ended says whether the program has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// await waits until is says true, and fails the test if a process ends before or
// patience does.
func await(t testing.TB, what string, p *process, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(poll) {
		switch {
		case p.ended():
			t.Fatalf("%s ended before: %s", p.cmd.Path, what)
		case time.Now().After(deadline):
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// environ returns the environment for programs on a virtual screen: what they
// need of this one, and more.
func environ(home string, more ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
		"COLORTERM=truecolor", "SHELL=/bin/sh",
	}
	return append(env, more...)
}

// shared returns a new folder that every user may write to: some terminals refuse
// to run as root, and run as nobody.
func shared(t testing.TB) string {
	t.Helper()
	// t.TempDir is in a folder of the owner's alone, and too long for a socket.
	dir, err := os.MkdirTemp("", "realterm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Programs whose terminal was killed may still be ending, and write.
		deadline := time.Now().Add(patience)
		for err := os.RemoveAll(dir); err != nil; err = os.RemoveAll(dir) {
			if time.Now().After(deadline) {
				t.Error(err)
				return
			}
			time.Sleep(poll)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
