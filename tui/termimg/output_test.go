package termimg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
)

// newTestCompositor returns a compositor that writes to a file nobody reads.
func newTestCompositor(t *testing.T, o Options) *Compositor {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if o.Environ == nil {
		o.Environ = []string{"TERM=xterm-256color"}
	}
	c := New(null, o)
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), null.Close()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// pipe returns a compositor that writes to a pipe, and the pipe's other end.
func pipe(t *testing.T) (*Compositor, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return New(w, Options{Protocol: Sixel, Environ: []string{}}), r
}

// TestTextArrives checks that all text arrives, in order, before Close returns.
func TestTextArrives(t *testing.T) {
	c, r := pipe(t)
	var want bytes.Buffer
	got := make(chan []byte, 1)
	go func() {
		b := make([]byte, 1<<20)
		n, err := io.ReadAtLeast(r, b, 1000*len("frame 000\r\n"))
		if err != nil {
			t.Error(err)
		}
		got <- b[:n]
	}()
	for i := range 1000 {
		line := fmt.Sprintf("frame %03d\r\n", i)
		want.WriteString(line)
		if n, err := c.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if b := <-got; !bytes.Equal(b, want.Bytes()) {
		t.Errorf("read %d bytes, want %d; starts with %.40q", len(b), want.Len(), b)
	}
	if _, err := c.Write([]byte("late")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after Close: %v, want %v", err, os.ErrClosed)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestCharacterOverWrites checks that a character survives being cut.
func TestCharacterOverWrites(t *testing.T) {
	c, r := pipe(t)
	text := "é日本\x1b[31m!"
	for i := range len(text) {
		if _, err := c.Write([]byte(text[i : i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(text))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != text {
		t.Errorf("read %q, %v, want %q", b, err, text)
	}
}

// TestTerminalGone checks that nothing waits for a terminal that is gone.
func TestTerminalGone(t *testing.T) {
	c, r := pipe(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, err = c.Write([]byte("hello"))
	}
	if err := c.Close(); err == nil {
		t.Error("Close reported no error")
	}
}

// TestTerminalStalled checks that Close gives up on a terminal that takes no
// output, and says how much is lost.
func TestTerminalStalled(t *testing.T) {
	c, r := pipe(t)
	if _, err := c.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err == nil {
		t.Error("Close reported no error")
	}
	if _, err := io.CopyN(io.Discard, r, 1<<20); err != nil {
		t.Error(err)
	}
	<-c.out.done
}
