package termimg

import (
	"image"
	"os"
	"strings"
	"sync"
	"testing"

	tea "charm.land/bubbletea/v2"
)

// notified returns options whose notices arrive on a channel.
func notified(p Protocol) (Options, <-chan struct{}) {
	ch := make(chan struct{}, 100)
	return Options{Protocol: p, Notify: func() { ch <- struct{}{} }}, ch
}

// TestViewBeforePicture checks that the block is there, blank, before a picture
// is, and for every size.
func TestViewBeforePicture(t *testing.T) {
	c := newTestCompositor(t, Options{})
	s := c.NewSurface()
	for _, size := range []image.Point{{0, 0}, {-1, 4}, {3, 0}, {1, 1}, {7, 3}} {
		want := strings.TrimSuffix(strings.Repeat(strings.Repeat(" ", max(0, size.X))+"\n", max(0, size.Y)), "\n")
		if size.X <= 0 {
			want = ""
		}
		if got := s.View(size.X, size.Y); got != want {
			t.Errorf("%v: %q", size, got)
		}
	}
}

// TestNewestWins checks that of many pictures the last one ends up in the view.
func TestNewestWins(t *testing.T) {
	o, ready := notified(Blocks)
	c := newTestCompositor(t, o)
	s := c.NewSurface()
	s.SetSampling(Nearest)
	s.View(4, 2)
	for i := range 100 {
		s.Submit(flat(i))
	}
	want := (blocks{}).encode(request{
		img: flat(99), grid: grid{4, 2, image.Pt(defaultCellWidth, defaultCellHeight)}, sampling: Nearest, scaler: &scaler{},
	}).view
	for s.View(4, 2) != want {
		if _, err := c.Write([]byte("a frame")); err != nil {
			t.Fatal(err)
		}
		<-ready
	}
}

// TestClear checks that a cleared surface is blank at once and stays so.
func TestClear(t *testing.T) {
	o, ready := notified(Blocks)
	c := newTestCompositor(t, o)
	s := c.NewSurface()
	s.View(4, 2)
	s.Submit(flat(200))
	<-ready
	if s.View(4, 2) == blank(4, 2) {
		t.Fatal("no picture")
	}
	for _, img := range []image.Image{nil, image.NewRGBA(image.Rectangle{})} {
		s.Submit(img)
		if s.View(4, 2) != blank(4, 2) {
			t.Errorf("the picture is still there after %T", img)
		}
	}
}

// TestManySurfaces checks that surfaces without a kitty id of their own fall
// back to blocks, and that ids are never shared.
func TestManySurfaces(t *testing.T) {
	c := newTestCompositor(t, Options{Protocol: Kitty})
	seen := map[int]bool{}
	for range 90 {
		s := c.NewSurface()
		c.mu.Lock()
		p := s.key().mode.protocol
		c.mu.Unlock()
		for turn := range idsPerSurface {
			id := s.id(turn)
			if p == Kitty && (seen[id] || id < firstID || id > lastID) {
				t.Fatalf("surface %d has id %d", s.index, id)
			}
			seen[id] = true
		}
		if fits := s.index < (lastID-firstID+1)/idsPerSurface; fits != (p == Kitty) {
			t.Errorf("surface %d uses %s", s.index, p)
		}
	}
}

// TestConcurrentUse lets the race detector look at everything at once.
func TestConcurrentUse(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := New(null, Options{Environ: []string{}})
	var wg sync.WaitGroup
	for n := range 4 {
		s := c.NewSurface()
		wg.Go(func() {
			for i := range 50 {
				s.Submit(flat(i))
				s.View(10+i%3, 5)
				s.Place(n, i%4)
				c.Handle(tea.WindowSizeMsg{Width: 80 + i%2, Height: 24})
				if _, err := c.Write([]byte("\x1b[?2026hx\x1b[?2026l")); err != nil {
					t.Error(err)
				}
				if i%10 == 9 {
					s.Hide()
					c.Report()
				}
			}
		})
	}
	wg.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := null.Close(); err != nil {
		t.Error(err)
	}
}

// flat returns a small grey picture.
func flat(v int) image.Image {
	img := image.NewGray(image.Rect(0, 0, 4, 4))
	for i := range img.Pix {
		img.Pix[i] = uint8(v)
	}
	return img
}
