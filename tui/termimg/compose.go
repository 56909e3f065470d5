package termimg

import (
	"bytes"
	"image"
	"os"
	"sync/atomic"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// composer joins frames of text and the pictures that are drawn over them. Only
// the output's goroutine uses it.
type composer struct {
	file   *os.File
	c      *Compositor
	shadow *shadow
	drawn  map[*Surface]*drawn
	text   bytes.Buffer // the frames, as far as they are passed on
	buf    bytes.Buffer
	// overdue says that a picture has moved, and that the text that goes with
	// it has not come.
	overdue atomic.Bool
}

// drawn is a picture that the terminal shows over its text.
type drawn struct {
	picture *picture
	area    image.Rectangle // cells of the screen
	damaged bool
	moved   bool // by scrolling
}

// overlay is a picture that should be over the text.
type overlay struct {
	surface *Surface
	picture *picture
	area    image.Rectangle // cells of the screen
}

// newComposer returns the composer for a terminal.
func newComposer(file *os.File, c *Compositor) *composer {
	k := &composer{file: file, c: c, drawn: map[*Surface]*drawn{}}
	k.shadow = newShadow(&k.text, k.touch, k.covered)
	return k
}

// touch notes that cells of the screen changed.
func (k *composer) touch(r image.Rectangle, scrolled bool) {
	for _, d := range k.drawn {
		if d.area.Overlaps(r) {
			d.damaged = true
			d.moved = d.moved || scrolled
		}
	}
}

// covered says whether an undamaged picture covers a cell.
func (k *composer) covered(at image.Point) bool {
	for _, d := range k.drawn {
		if !d.damaged && at.In(d.area) {
			return true
		}
	}
	return false
}

// compose returns what has to be written to the terminal for frames: the old
// pictures erased where they moved, the text, and the pictures that are new or
// that the text damaged, all between the brackets of a synchronized update. The
// result is valid until the next call.
func (k *composer) compose(frames [][]byte) []byte {
	overlays, follow := k.c.overlays()
	k.buf.Reset()
	k.text.Reset()
	if !follow && len(k.drawn) == 0 {
		for _, f := range frames {
			k.buf.Write(f)
		}
		return k.buf.Bytes()
	}
	if w, h, err := term.GetSize(k.file.Fd()); err == nil {
		k.shadow.resize(image.Pt(w, h))
	}
	// The opening bracket is left off again if there is nothing to draw.
	whole := k.shadow.ground()
	k.buf.WriteString(ansi.SetModeSynchronizedOutput)
	// Pictures move with the text around them.
	move := k.overdue.Swap(false) || len(frames) > 0
	drew := move && k.eraseOld(overlays)
	for _, f := range frames {
		k.shadow.feed(f)
	}
	k.eraseMoved()
	k.buf.Write(k.text.Bytes())
	drew = k.draw(overlays, drew)
	if !whole || !drew {
		return k.buf.Bytes()[len(ansi.SetModeSynchronizedOutput):]
	}
	return k.buf.Bytes()
}

// eraseOld erases the pictures that are not where they were, before the text
// that takes their place. It reports whether there were any.
func (k *composer) eraseOld(overlays []overlay) (erased bool) {
	stay := map[*Surface]image.Rectangle{}
	for _, o := range overlays {
		stay[o.surface] = o.area
	}
	for s, d := range k.drawn {
		if stay[s] != d.area {
			delete(k.drawn, s)
			k.erase(d.area)
			erased = true
		}
	}
	return erased
}

// eraseMoved erases the pictures that the text is going to scroll, before it
// does: not every terminal keeps what scrolls within the scrolling region.
func (k *composer) eraseMoved() {
	for _, d := range k.drawn {
		if !d.moved {
			continue
		}
		k.buf.WriteString(ansi.SaveCursor + ansi.ResetStyle)
		for y := d.area.Min.Y; y < d.area.Max.Y; y++ {
			k.buf.WriteString(ansi.CursorPosition(d.area.Min.X+1, y+1) + ansi.EraseCharacter(d.area.Dx()))
		}
		k.buf.WriteString(ansi.RestoreCursor)
	}
}

// erase erases the cells of area that the text leaves to pictures.
func (k *composer) erase(area image.Rectangle) {
	if !k.shadow.ground() || !k.shadow.alternate {
		return
	}
	area = area.Intersect(image.Rectangle{Max: k.shadow.size})
	k.buf.WriteString(ansi.SaveCursor + ansi.ResetStyle)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			from := x
			for x < area.Max.X && k.shadow.held[y][x] {
				x++
			}
			if x > from {
				k.buf.WriteString(ansi.CursorPosition(from+1, y+1) + ansi.EraseCharacter(x-from))
			}
		}
	}
	k.buf.WriteString(ansi.RestoreCursor)
}

// draw draws the pictures that are new or damaged, and closes the synchronized
// update. It reports whether any of the frame's pictures changed, which some
// may have before.
func (k *composer) draw(overlays []overlay, drew bool) bool {
	if !k.shadow.ground() {
		return drew
	}
	trailer := []byte(ansi.ResetModeSynchronizedOutput)
	closed := bytes.HasSuffix(k.buf.Bytes(), trailer)
	if closed {
		k.buf.Truncate(k.buf.Len() - len(trailer))
	}
	for _, o := range overlays {
		drew = k.drawOne(o) || drew
	}
	if closed || drew {
		k.buf.Write(trailer)
	}
	return drew
}

// drawOne draws one picture if it has to be drawn, and can be: if the text
// leaves all its cells to it.
func (k *composer) drawOne(o overlay) bool {
	d := k.drawn[o.surface]
	// A sixel that reaches the last row scrolls the screen.
	visible := k.shadow.alternate && o.area.Max.Y < k.shadow.size.Y && k.shadow.holds(o.area)
	switch {
	case visible && d != nil && !d.damaged && d.picture == o.picture:
		return false
	case d != nil && d.area != o.area:
		return false // moves with the text
	case !visible && d == nil:
		return false
	case !visible:
		k.erase(d.area)
		delete(k.drawn, o.surface)
		return true
	}
	k.buf.WriteString(ansi.SaveCursor + ansi.CursorPosition(o.area.Min.X+1, o.area.Min.Y+1))
	k.buf.Write(o.picture.over)
	k.buf.WriteString(ansi.RestoreCursor)
	k.drawn[o.surface] = &drawn{picture: o.picture, area: o.area}
	k.c.wrote(o.surface, o.picture)
	return true
}

// overlays returns the pictures that belong over the text wherever the text
// leaves the place to them, and whether the text has to be followed because
// there may be some later.
func (c *Compositor) overlays() ([]overlay, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	follow := c.mode.protocol == Sixel || !c.probe.settled && c.opts.Protocol == Auto
	if c.stopped() {
		return nil, follow
	}
	var all []overlay
	for _, hidden := range []bool{false, true} {
		for _, s := range c.surfaces {
			if p := s.viewed; p != nil && p.over != nil && s.placed && s.hidden == hidden {
				all = addOverlay(all, overlay{surface: s, picture: p, area: p.area.Add(s.at)})
			}
		}
	}
	return all, follow
}

// addOverlay adds a picture unless one that comes before takes its place. That
// a surface is hidden says no more: the program may be between Hide and Place.
func addOverlay(all []overlay, o overlay) []overlay {
	for _, first := range all {
		if first.area.Overlaps(o.area) {
			return all
		}
	}
	return append(all, o)
}

// wrote notes that a picture is on its way to the terminal.
func (c *Compositor) wrote(s *Surface, p *picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.written = true
	if s.stale() {
		c.wakeEncoder()
	}
}
