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

// overlay is a strip that should be over the text.
type overlay struct {
	spot
	picture *picture
	area    image.Rectangle // cells of the screen
}

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
		stay[o.spot] = o.area
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
	limit := 0
	for _, o := range overlays {
		if o.strip == 0 {
			limit = budget
			if all := k.buf.Len() + k.wanting(o); all <= wholeShare*budget {
				limit = all
			}
		}
		drew = k.drawWhole(o, limit) || drew
		if k.buf.Len() > limit && !k.drawn[o.spot].whole(o.picture) {
			more = true
			break
		}
		drew = k.drawOne(o) || drew
	}
	k.tellWhole(overlays)
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

// drawWhole draws a picture at once, when o is the first of its strips, all of them
// are new, and the line takes that much.
func (k *composer) drawWhole(o overlay, limit int) (drew bool) {
	p := o.picture
	if o.strip > 0 || len(p.whole) == 0 || k.buf.Len()+len(p.whole) > limit || !k.visible(o) {
		return false
	}
	shift := o.area.Min.Sub(p.over[0].area.Min)
	for i, s := range p.over {
		d := k.drawn[spot{o.surface, i}]
		if d != nil && (d.whole(p) || d.area != s.area.Add(shift)) {
			return false
		}
	}
	k.buf.WriteString(ansi.SaveCursor + ansi.CursorPosition(o.area.Min.X+1, o.area.Min.Y+1))
	k.buf.Write(p.whole)
	k.buf.WriteString(ansi.RestoreCursor)
	for i, s := range p.over {
		k.drawn[spot{o.surface, i}] = &drawn{picture: p, area: s.area.Add(shift)}
	}
	return true
}

// drawOne draws one strip if it has to be drawn, and can be: if the text leaves
// all cells of the picture to it.
func (k *composer) drawOne(o overlay) bool {
	d := k.drawn[o.spot]
	visible := k.visible(o)
	switch {
	case visible && d.whole(o.picture):
		return false
	case d != nil && d.area != o.area:
		return false // moves with the text
	case !visible && d == nil:
		return false
	case !visible:
		k.erase(d)
		delete(k.drawn, o.spot)
		return true
	}
	k.buf.WriteString(ansi.SaveCursor + ansi.CursorPosition(o.area.Min.X+1, o.area.Min.Y+1))
	k.buf.Write(o.picture.over[o.strip].draw)
	k.buf.WriteString(ansi.RestoreCursor)
	if d != nil && d.picture != o.picture {
		k.buf.Write(d.picture.clear)
	}
	k.drawn[o.spot] = &drawn{picture: o.picture, area: o.area}
	return true
}

// visible says whether a strip's picture can be on the screen: whole or not at all.
func (k *composer) visible(o overlay) bool {
	area := o.picture.area().Add(o.area.Min.Sub(o.picture.over[o.strip].area.Min))
	// A sixel that reaches the last row scrolls the screen.
	return k.shadow.alternate && area.Max.Y < k.shadow.size.Y && k.shadow.holds(area)
}

// tellWhole tells the compositor which pictures are on their way as a whole.
func (k *composer) tellWhole(overlays []overlay) {
	whole := map[*picture]int{}
	for _, o := range overlays {
		if k.drawn[o.spot].whole(o.picture) {
			whole[o.picture]++
			if whole[o.picture] == len(o.picture.over) {
				k.c.wrote(o.surface, o.picture)
			}
		}
	}
}

// overlays returns the strips that belong over the text wherever the text leaves
// the place to their pictures, and whether the text has to be followed because
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
				all = addOverlays(all, s, p)
			}
		}
	}
	return all, follow
}

// addOverlays adds a picture unless one that comes before takes its place. That
// a surface is hidden says no more: the program may be between Hide and Place.
func addOverlays(all []overlay, s *Surface, p *picture) []overlay {
	area := p.area().Add(s.at)
	for _, first := range all {
		if first.area.Overlaps(area) {
			return all
		}
	}
	for i, strip := range p.over {
		all = append(all, overlay{spot: spot{s, i}, picture: p, area: strip.area.Add(s.at)})
	}
	return all
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
