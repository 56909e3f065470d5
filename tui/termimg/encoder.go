package termimg

// encodeLoop encodes pictures, one at a time, until the compositor stops.
func (c *Compositor) encodeLoop() {
	for {
		select {
		case <-c.stop:
			return
		case <-c.wakeup:
		}
		for c.encodeNext() {
		}
	}
}

// encodeNext encodes the picture that has waited longest, if one waits.
func (c *Compositor) encodeNext() bool {
	s, p, r := c.claim()
	if s == nil {
		return false
	}
	c.encode(p, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.wants(s, p):
	case p.once == nil:
		c.publish(s, p)
	case p.sent.id != r.id && c.live[p.sent.id] == nil:
		c.wakeEncoder() // the picture to change has been forgotten
	default:
		c.transmit(s, p)
	}
	return true
}

// wants says whether an encoded picture would be looked at. The caller holds the
// lock.
func (c *Compositor) wants(s *Surface, p *picture) bool {
	return !c.stopped() && !c.away && s.img != nil && p.key == s.key() && (!p.fine || p.version == s.version)
}

// transmit sends a picture to the terminal, where it is made the surface's once it
// has arrived as a whole. The caller holds the lock.
func (c *Compositor) transmit(s *Surface, p *picture) {
	s.sending = p
	if p.sent.id == s.id(s.turn) {
		s.turn = (s.turn + 1) % idsPerSurface
	}
	c.live[p.sent.id] = p.forget
	c.out.send(&transmission{rest: p.once, whole: p.over != nil, end: p.abort, sent: func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if s.sending != p {
			return // the terminal has been given away
		}
		s.sending = nil
		if c.wants(s, p) {
			c.publish(s, p)
		}
		c.wakeEncoder()
	}})
}

// claim picks a surface whose picture must be encoded, or else one whose picture
// can be improved, and says how.
func (c *Compositor) claim() (*Surface, *picture, request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, fine := c.longest((*Surface).stale), false
	if next == nil {
		next, fine = c.longest((*Surface).settled), true
	}
	if next == nil || c.stopped() {
		return nil, nil, request{}
	}
	p := &picture{key: next.key(), version: next.version, fine: fine}
	r := request{
		img: next.img, grid: p.key.grid, sampling: p.key.sampling,
		scaler: &next.scaler, profile: p.key.mode.profile,
		limit: p.key.mode.limit, id: next.id(next.turn), fine: fine,
	}
	if before := next.current; p.key.mode.changes && before != nil && before.key == p.key {
		r.onto = before.sent
	}
	return next, p, r
}

// longest returns the surface of a kind whose last encoding is the oldest, or nil.
// The caller holds the lock.
func (c *Compositor) longest(is func(*Surface) bool) (next *Surface) {
	for _, s := range c.surfaces {
		if is(s) && (next == nil || s.lastSeq() < next.lastSeq()) {
			next = s
		}
	}
	return next
}

// lastSeq returns the number of the surface's last encoding.
func (s *Surface) lastSeq() uint64 {
	if s.current == nil {
		return 0
	}
	return s.current.seq
}

// publish makes an encoded picture the surface's current one. The caller holds the
// lock.
func (c *Compositor) publish(s *Surface, p *picture) {
	c.seq++
	p.seq = c.seq
	before := s.current
	s.current = p
	if before != nil && before == s.viewed && before.key == p.key && before.view == p.view {
		s.viewed = p
	}
	if p.over != nil {
		c.out.wake()
	}
	if before == nil || before.key != p.key || before.view != p.view {
		c.notify()
		return
	}
	// The text stays as it is: no frame is going to come for it.
	p.viewed, p.written = true, p.over == nil
}

// stopped says whether Close has been called.
func (c *Compositor) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// forget has the terminal forget the pictures of a surface, after what is being
// transmitted. The caller holds the lock.
func (c *Compositor) forget(s *Surface) {
	c.out.send(&transmission{rest: c.forgetting(s)})
}

// forgetOthers has the terminal forget the pictures of a surface that are not on the
// screen any more. kitty keeps showing pieces of them where a new size has moved
// their cells. The caller holds the lock.
func (c *Compositor) forgetOthers(s *Surface) {
	var b []byte
	for turn := range idsPerSurface {
		id := s.id(turn)
		if id == s.current.sent.id || s.sending != nil && id == s.sending.sent.id {
			continue
		}
		b = append(b, c.live[id]...)
		delete(c.live, id)
	}
	c.out.send(&transmission{rest: b})
}

// forgetting returns what has the terminal forget the pictures of a surface.
func (c *Compositor) forgetting(s *Surface) (b []byte) {
	for turn := range idsPerSurface {
		b = append(b, c.live[s.id(turn)]...)
		delete(c.live, s.id(turn))
	}
	return b
}

// forgetAll has the terminal forget all pictures, before any text that follows.
// The caller holds the lock.
func (c *Compositor) forgetAll() {
	b := c.out.abandon()
	for _, s := range c.surfaces {
		s.sending = nil
		b = append(b, c.forgetting(s)...)
	}
	c.out.queue(b)
}

// drivers are the drivers in use. Only the encoder uses them.
type drivers struct {
	sixel *sixel
	files *pixelFiles
}

// pick returns the driver for a mode.
func (d *drivers) pick(m mode) driver {
	switch m.protocol {
	case Kitty:
		k := newKitty(m.passthrough)
		if m.files {
			k.files = d.files
		}
		return k
	case Sixel:
		if d.sixel == nil {
			d.sixel = newSixel()
		}
		return d.sixel
	case ITerm2:
		return iterm2{}
	case Placements:
		return placements{passthrough: m.passthrough}
	case Blocks:
		return blocks{m.glyphs}
	default:
		return nothing{}
	}
}

// nothing is the driver for no pictures at all.
type nothing struct{}

// encode implements driver.
func (nothing) encode(r request) encoded {
	return encoded{view: blank(r.grid.cols, r.grid.rows)}
}
