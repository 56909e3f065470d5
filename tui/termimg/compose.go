package termimg

import (
	"bytes"
	"image"
	"os"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// composer joins frames of text and the pictures that are drawn over them. Only
// the output's goroutine uses it.
type composer struct {
	file   *os.File
	c      *Compositor
	shadow *shadow
	drawn  map[spot]*drawn
	text   bytes.Buffer // the frames, as far as they are passed on
	buf    bytes.Buffer
	// overdue says that a picture has moved, and that the text that goes with
	// it has not come.
	overdue atomic.Bool
}

// spot is where a strip of a surface's pictures is drawn.
type spot struct {
	surface *Surface
	strip   int
}

// drawn is a strip that the terminal shows over its text.
type drawn struct {
	picture *picture
	area    image.Rectangle // cells of the screen
	damaged bool
	moved   bool // by scrolling
}

// whole says whether the strip shows a picture as it should be.
func (d *drawn) whole(p *picture) bool { return d != nil && !d.damaged && d.picture == p }

// overlay is a picture that should be over the text.
type overlay struct {
	surface *Surface
	picture *picture
	at      image.Point // of its block on the screen
}

// area returns the cells of the screen that the picture takes, strip those that one
// of its strips does.
func (o overlay) area() image.Rectangle       { return o.picture.area().Add(o.at) }
func (o overlay) strip(i int) image.Rectangle { return o.picture.over[i].area.Add(o.at) }

// newComposer returns the composer for a terminal.
func newComposer(file *os.File, c *Compositor) *composer {
	k := &composer{file: file, c: c, drawn: map[spot]*drawn{}}
	k.shadow = newShadow(&k.text, k.touch, k.covered)
	return k
}

// touch notes that cells of the screen changed. What scrolls a strip moves its
// picture as a whole: in foot the strips outside of the scrolling region move too.
func (k *composer) touch(r image.Rectangle, scrolled bool) {
	for _, d := range k.drawn {
		if !d.area.Overlaps(r) {
			continue
		}
		d.damaged = true
		if !scrolled || d.moved {
			continue
		}
		for _, other := range k.drawn {
			if other.picture == d.picture {
				other.damaged, other.moved = true, true
			}
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
// pictures erased where they moved, the text, and the strips that are new or that
// the text damaged, all between the brackets of a synchronized update. No strip is
// begun after budget bytes; more says that some are left for the next call. The
// result is valid until then.
func (k *composer) compose(frames [][]byte, budget int) (frame []byte, more bool) {
	overlays, follow := k.c.overlays()
	k.buf.Reset()
	k.text.Reset()
	if !follow && len(k.drawn) == 0 {
		for _, f := range frames {
			k.buf.Write(f)
		}
		return k.buf.Bytes(), false
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
	drew, more = k.draw(overlays, drew, budget)
	if !whole || !drew {
		return k.buf.Bytes()[len(ansi.SetModeSynchronizedOutput):], more
	}
	return k.buf.Bytes(), more
}

// eraseOld erases the pictures that are not where they were, before the text
// that takes their place. It reports whether there were any.
func (k *composer) eraseOld(overlays []overlay) (erased bool) {
	stay := map[spot]image.Rectangle{}
	for _, o := range overlays {
		for i := range o.picture.over {
			stay[spot{o.surface, i}] = o.strip(i)
		}
	}
	for p, d := range k.drawn {
		if stay[p] != d.area {
			delete(k.drawn, p)
			k.erase(d)
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
		k.buf.Write(d.picture.clear)
		d.moved = false // what is drawn there from now on is text
	}
}

// erase erases the cells of a strip that the text leaves to pictures.
func (k *composer) erase(d *drawn) {
	if !k.shadow.ground() || !k.shadow.alternate {
		return
	}
	k.buf.Write(d.picture.clear)
	area := d.area.Intersect(image.Rectangle{Max: k.shadow.size})
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

// draw draws the strips that are new or damaged, up to budget bytes, and closes the
// synchronized update. It reports whether any of the frame's pictures changed, as
// some may have before, and whether there is more to draw.
func (k *composer) draw(overlays []overlay, drew bool, budget int) (changed, more bool) {
	if !k.shadow.ground() {
		return drew, false
	}
	trailer := []byte(ansi.ResetModeSynchronizedOutput)
	closed := bytes.HasSuffix(k.buf.Bytes(), trailer)
	if closed {
		k.buf.Truncate(k.buf.Len() - len(trailer))
	}
	for _, o := range overlays {
		limit := budget
		if all := k.buf.Len() + k.wanting(o); all <= wholeShare*budget {
			limit = all
		}
		var drawn bool
		drawn, more = k.drawPicture(o, limit)
		drew = drew || drawn
		if more {
			break
		}
	}
	if closed || drew {
		k.buf.Write(trailer)
	}
	return drew, more
}

// wholeShare is how much longer a picture may take as a whole than strips of it at a
// time: strips one after the other are seen.
const wholeShare = 5

// wanting is how many bytes it takes to draw what is not drawn of o's picture.
func (k *composer) wanting(o overlay) (bytes int) {
	const around = 32 // what goes before and after a strip
	for i, s := range o.picture.over {
		if !k.drawn[spot{o.surface, i}].whole(o.picture) {
			bytes += len(s.draw) + around
		}
	}
	return bytes
}

// drawPicture draws what is not drawn of a picture, and tells the compositor when
// all of it is. No strip is begun after limit bytes; more says that some are left.
func (k *composer) drawPicture(o overlay, limit int) (drew, more bool) {
	// A picture is whole or not there. A sixel that reaches the last row scrolls the
	// screen.
	area := o.area()
	visible := k.shadow.alternate && area.Max.Y < k.shadow.size.Y && k.shadow.holds(area)
	if visible {
		drew = k.drawWhole(o, limit)
	}
	whole := 0
	for i := range o.picture.over {
		if k.buf.Len() > limit && !k.drawn[spot{o.surface, i}].whole(o.picture) {
			return drew, true
		}
		drew = k.drawStrip(o, i, visible) || drew
		if k.drawn[spot{o.surface, i}].whole(o.picture) {
			whole++
		}
	}
	if whole == len(o.picture.over) {
		k.c.wrote(o.surface, o.picture)
	}
	return drew, false
}

// drawWhole draws a picture at once if all of its strips are new and limit allows.
func (k *composer) drawWhole(o overlay, limit int) (drew bool) {
	p := o.picture
	if len(p.whole) == 0 || k.buf.Len()+len(p.whole) > limit {
		return false
	}
	for i := range p.over {
		if d := k.drawn[spot{o.surface, i}]; d != nil && (d.whole(p) || d.area != o.strip(i)) {
			return false
		}
	}
	k.put(o.strip(0).Min, p.whole)
	for i := range p.over {
		k.drawn[spot{o.surface, i}] = &drawn{picture: p, area: o.strip(i)}
	}
	return true
}

// drawStrip draws one strip if it has to be drawn, and can be: if the text leaves
// all cells of the picture to it.
func (k *composer) drawStrip(o overlay, i int, visible bool) bool {
	at := spot{o.surface, i}
	d := k.drawn[at]
	switch {
	case visible && d.whole(o.picture):
		return false
	case d != nil && d.area != o.strip(i):
		return false // moves with the text
	case !visible && d == nil:
		return false
	case !visible:
		k.erase(d)
		delete(k.drawn, at)
		return true
	}
	k.put(o.strip(i).Min, o.picture.over[i].draw)
	if d != nil && d.picture != o.picture {
		k.buf.Write(d.picture.clear)
	}
	k.drawn[at] = &drawn{picture: o.picture, area: o.strip(i)}
	return true
}

// put writes bytes with the cursor at a cell.
func (k *composer) put(at image.Point, b []byte) {
	k.buf.WriteString(ansi.SaveCursor + ansi.CursorPosition(at.X+1, at.Y+1))
	k.buf.Write(b)
	k.buf.WriteString(ansi.RestoreCursor)
}

// overlays returns the pictures that belong over the text wherever the text leaves
// the place to them, and whether the text has to be followed because
// there may be some later.
func (c *Compositor) overlays() ([]overlay, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	follow := c.mode.protocol.over() || !c.probe.settled && c.opts.Protocol == Auto
	if c.stopped() {
		return nil, follow
	}
	var all []overlay
	for _, hidden := range []bool{false, true} {
		for _, s := range c.surfaces {
			if p := s.viewed; p != nil && p.over != nil && s.placed && s.hidden == hidden {
				all = addOverlay(all, overlay{surface: s, picture: p, at: s.at})
			}
		}
	}
	return all, follow
}

// addOverlay adds a picture unless one that comes before takes its place. That
// a surface is hidden says no more: the program may be between Hide and Place.
func addOverlay(all []overlay, o overlay) []overlay {
	for _, first := range all {
		if first.area().Overlaps(o.area()) {
			return all
		}
	}
	return append(all, o)
}

// wrote notes that a picture is on its way to the terminal, all of it.
func (c *Compositor) wrote(s *Surface, p *picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.written {
		return
	}
	p.written, p.writtenAt = true, time.Now()
	if s.stale() {
		c.wakeEncoder()
	}
	if !p.fine {
		time.AfterFunc(settleDelay, c.wakeEncoder)
	}
}
