package termimg

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/charmbracelet/x/vt"
)

// never covers nothing.
func never(image.Point) bool { return false }

// step is one piece of terminal output, made from two numbers.
type step func(out *bytes.Buffer, x, y int)

// steps returns the kinds of output that Bubble Tea's renderer writes to a
// screen of w×h cells. The emulator's own faults are gone around: it puts wide
// characters wrong at the margin, erases too much with ED 1, does not edit rows
// outside the scrolling region nor stop at the region on the way into it, and
// moves the cursor after IL and DL; terminals disagree about tabs and erasing where
// the next character would wrap.
func steps(w, h int) []step {
	cup := func(x, y int) string { return fmt.Sprintf("\x1b[%d;%dH", y%h+1, x%w+1) }
	text := func(s ...string) step {
		return func(out *bytes.Buffer, x, _ int) { out.WriteString(s[x%len(s)]) }
	}
	// at moves the cursor before a sequence with one number.
	at := func(before string, finals ...string) step {
		return func(out *bytes.Buffer, x, y int) {
			fmt.Fprintf(out, "%s%s\x1b[%d%s", before, cup(x, y), x%5+1, finals[(x+y)%len(finals)])
		}
	}
	return []step{
		text("t", "te", "tex", "text"),
		text(holder, holder+holder, holder+rowHolder+holder+holder),
		text("e\u0301", "\x1b[1;31m", "\x1b]8;;http://x\x1b\\"),
		text("\r", "\n", "\b", "\r\n", "\r\t"),
		text("\x1b[r", "\x1b[2;5r", "\x1b[3;6r"),
		text("\b\x1b[K", "\b\x1b[1K", "\b\x1b[2K", "\b\x1b[J", "\b\x1b[2J"),
		func(out *bytes.Buffer, x, y int) { out.WriteString(cup(x, y)) },
		func(out *bytes.Buffer, x, y int) { out.WriteString(cup(x%(w-3), y) + "日") },
		func(out *bytes.Buffer, x, y int) { out.WriteString(cup(x, y) + "\x1bM") },
		func(out *bytes.Buffer, x, y int) {
			fmt.Fprintf(out, "%sx\x1b[%db", cup(x%(w/2), y), x%5+1)
		},
		func(out *bytes.Buffer, x, y int) {
			out.WriteString(cup(1, 1) + "\x1b7" + cup(x%(w-1), y) + rowHolder + "\x1b8")
		},
		at("\x1b[r", "A", "B", "C", "D", "G", "d"),
		at("\x1b[r", "X", "@", "P"),
		at("", "L\x1b[H", "M\x1b[H", "S\x1b[H", "T\x1b[H"),
	}
}

// script turns bytes into terminal output.
func script(b []byte, w, h int) []byte {
	var out bytes.Buffer
	kinds := steps(w, h)
	for ; len(b) >= 3; b = b[3:] {
		kinds[int(b[0])%len(kinds)](&out, int(b[1]), int(b[2]))
	}
	return out.Bytes()
}

// heldBy returns which cells of an emulator show a holder.
func heldBy(e *vt.Emulator, x, y int) bool {
	c := e.CellAt(x, y)
	return c != nil && isHolder(c.Content)
}

// FuzzShadow compares the shadow with a terminal emulator.
func FuzzShadow(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		b := make([]byte, 90)
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const w, h = 13, 7
		var out bytes.Buffer
		s := newShadow(&out, func(image.Rectangle, bool) {}, never)
		s.resize(image.Pt(w, h))
		e := vt.NewEmulator(w, h)
		in := script(b, w, h)
		s.feed(in)
		if !bytes.Equal(out.Bytes(), in) {
			t.Fatalf("output %q, want %q", out.Bytes(), in)
		}
		if _, err := e.Write(in); err != nil {
			t.Fatal(err)
		}
		for y := range h {
			for x := range w {
				if s.held[y][x] != heldBy(e, x, y) {
					t.Fatalf("%q: cell %d,%d held %t", in, x, y, s.held[y][x])
				}
			}
		}
	})
}
