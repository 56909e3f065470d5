package termimg

import (
	"image"
	"strings"
	"time"
)

// idsPerSurface is how many picture ids a surface takes turns with: one on the
// screen, one in a frame on its way there, one being sent.
const idsPerSurface = 3

// firstID and lastID bound the picture ids: the colours of the 256-colour
// palette that no theme changes, because the id travels as a cell's foreground.
const firstID, lastID = 16, 255

// Surface is a place for one picture at a time. Its methods may be called from
// any goroutine.
type Surface struct {
	c     *Compositor
	index int

	// Guarded by c.mu.
	img      image.Image
	version  uint64 // counts pictures submitted
	sampling Sampling
	size     image.Point // columns and rows that View was last asked for
	at       image.Point
	placed   bool // Place was called
	hidden   bool // Hide was called after Place
	current  *picture
	viewed   *picture // what View returned, or a later one with the same view
	sending  *picture // on its way to the terminal
	turn     int      // which of the surface's ids is next
	scaler   scaler
}

// picture is an encoded picture and how far it has got.
type picture struct {
	encoded
	key     key
	version uint64
	seq     uint64 // counts encodings, over all surfaces
	fine    bool   // encoded as well as can be, not as fast
	// A new picture waits until the one before has been on the screen: what is
	// part of the text has been in a View and in frame, a write after that, which
	// the terminal has taken; what is drawn over the text has been written. On a
	// slow line pictures are left out, then, and no text waits for them.
	viewed, written bool
	frame           int
	writtenAt       time.Time
}

// key is everything but the picture that an encoding depends on.
type key struct {
	grid     grid
	sampling Sampling
	mode     mode
}

// NewSurface returns an empty surface.
func (c *Compositor) NewSurface() *Surface {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &Surface{c: c, index: len(c.surfaces)}
	c.surfaces = append(c.surfaces, s)
	return s
}

// SetSampling sets how pictures are scaled; the default is [Smooth].
func (s *Surface) SetSampling(by Sampling) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.sampling != by {
		s.sampling = by
		s.c.wakeEncoder()
	}
}

// Submit replaces the picture; nil clears the surface, and the same one again changes
// nothing. It never blocks, and a picture that is replaced before its turn is never
// encoded. The picture must not be changed afterwards.
func (s *Surface) Submit(img image.Image) {
	if img != nil && img.Bounds().Empty() {
		img = nil
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if img != nil && s.img == img {
		return
	}
	s.version++
	s.img = img
	if img != nil {
		s.c.wakeEncoder()
		return
	}
	if s.current != nil {
		s.current, s.viewed = nil, nil
		s.c.forget(s)
		s.c.moved()
		s.c.notify()
	}
}

// View returns the block of cells for the surface: exactly rows lines of cols
// columns. The picture is scaled to fit, with its aspect kept, and centred. A
// picture that is not encoded for this size yet leaves the block blank;
// Options.Notify tells when it is ready. View is quick: it never scales or
// encodes.
func (s *Surface) View(cols, rows int) string {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.size = image.Pt(cols, rows)
	p, k := s.current, s.key()
	if p == nil || p.key != k {
		s.c.wakeEncoder()
	}
	// A picture for the same cells stays until the one for another protocol is there,
	// unless the terminal has forgotten it.
	if p == nil || p.key.grid != k.grid || p.once != nil && p.key.mode.epoch != k.mode.epoch {
		s.viewed = nil
		s.c.moved()
		return blank(cols, rows)
	}
	s.viewed = p
	p.viewed = true
	if missing := rows - p.key.grid.rows; missing > 0 {
		return p.view + strings.Repeat("\n"+strings.Repeat(" ", cols), missing)
	}
	return p.view
}

// Place says where the top left cell of the block from [Surface.View] is on the
// screen, counted from 0. Call it for every frame that the surface is in.
func (s *Surface) Place(x, y int) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if at := image.Pt(x, y); !s.placed || s.at != at {
		s.placed, s.at = true, at
		s.c.moved()
	}
	s.hidden = false
}

// Hide says that the surface is not on the screen, until Place says otherwise.
// A picture whose block is not all on the screen, because the view has other
// text there, hides by itself in any case: Hide only tells which surface a block
// is from if two are placed over each other.
func (s *Surface) Hide() {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.hidden = true
}

// key returns what the surface's picture has to be encoded for. The caller
// holds the compositor's lock.
func (s *Surface) key() key {
	m := s.c.mode
	if (m.protocol == Kitty || m.protocol == Placements) && s.id(idsPerSurface-1) > lastID {
		m.protocol = Blocks
	}
	g := grid{cols: s.size.X, rows: s.size.Y, cell: s.c.cell}
	if m.protocol.over() && s.c.screen.Y > 0 {
		// A picture that reaches the last row scrolls the screen.
		g.rows = min(g.rows, s.c.screen.Y-1-s.at.Y)
	}
	return key{grid: g, sampling: s.sampling, mode: m}
}

// id returns one of the surface's picture ids.
func (s *Surface) id(turn int) int { return firstID + idsPerSurface*s.index + turn }

// stale says whether the surface's picture must be encoded, and may be now. The
// caller holds the compositor's lock.
func (s *Surface) stale() bool {
	k := s.key()
	if s.img == nil || s.sending != nil || s.c.away || k.grid.cols <= 0 || k.grid.rows <= 0 {
		return false
	}
	p := s.current
	if p == nil || p.key != k {
		return true
	}
	return p.version != s.version && p.written
}

// settleDelay is how long a picture must stay before it is encoded anew as well as
// can be: longer than between two pictures of anything that moves.
const settleDelay = 300 * time.Millisecond

// settled says whether the surface's picture has stayed long enough to be worth
// more time. The caller holds the compositor's lock.
func (s *Surface) settled() bool {
	p := s.current
	return p != nil && p.key.mode.protocol == Sixel && p.written && !p.fine && p.version == s.version &&
		s.img != nil && !s.c.away && p.key == s.key() && time.Since(p.writtenAt) >= settleDelay
}
