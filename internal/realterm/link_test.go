package realterm

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// link is the test's end of the line to the demo.
type link struct {
	t      testing.TB
	conn   net.Conn
	answer *bufio.Reader
	scene  scene  // the last that was sent
	status status // the last answer
}

// newLink has the demo started, and waits until it calls. What starts it gets the
// environment that it needs.
func newLink(t testing.TB, launch func(env []string, program string)) *link {
	t.Helper()
	dir := shared(t)
	program := copyProgram(t, dir)
	socket := filepath.Join(dir, "demo")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(socket, 0o777); err != nil {
		t.Fatal(err)
	}
	launch(environ(dir, demoVariable+"="+socket), program)
	if err := listener.(*net.UnixListener).SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatalf("the demo does not call: %v", err)
	}
	l := &link{t: t, conn: conn, answer: bufio.NewReader(conn)}
	t.Cleanup(l.close)
	return l
}

// show has the demo show a scene. What is on the screen changes later.
func (l *link) show(sc scene) {
	l.t.Helper()
	l.scene = sc
	line, err := json.Marshal(sc)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.conn.Write(append(line, '\n')); err != nil {
		l.t.Fatalf("the demo has gone: %v", err)
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		l.t.Fatal(err)
	}
	reply, err := l.answer.ReadBytes('\n')
	if err != nil {
		l.t.Fatalf("the demo does not answer: %v", err)
	}
	if err := json.Unmarshal(reply, &l.status); err != nil {
		l.t.Fatal(err)
	}
}

// settle waits until the demo knows the terminal.
func (l *link) settle(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); !l.status.Settled; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatalf("the terminal has not answered within %s: %+v", patience, l.status)
		}
		l.show(scene{Stamp: settling})
	}
}

// close ends the demo and waits until it has.
func (l *link) close() {
	if err := l.conn.(*net.UnixConn).CloseWrite(); err != nil {
		return // it ended before, and the test has told
	}
	_ = l.conn.SetReadDeadline(time.Now().Add(patience)) // only fails on a closed connection
	_, _ = io.Copy(io.Discard, l.answer)
	_ = l.conn.Close()
}

// copyProgram copies this test binary to where every user may run it.
func copyProgram(t testing.TB, dir string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return copyFile(t, exe, filepath.Join(dir, "demo.test"))
}

// copyFile copies a program and returns the copy's name.
func copyFile(t testing.TB, from, to string) string {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}
