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
	p.encoded = c.drivers.pick(p.key.mode).encode(r)
	c.publish(s, p, r.id)
	return true
}

// claim picks a surface whose picture must be encoded, and says how. The
// surface whose last encoding is the oldest comes first.
func (c *Compositor) claim() (*Surface, *picture, request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next *Surface
	for _, s := range c.surfaces {
		if s.stale() && (next == nil || s.lastSeq() < next.lastSeq()) {
			next = s
		}
	}
	if next == nil || c.stopped() {
		return nil, nil, request{}
	}
	p := &picture{key: next.key(), version: next.version}
	r := request{
		img: next.img, grid: p.key.grid, sampling: p.key.sampling,
		scaler: &next.scaler, profile: p.key.mode.profile,
		limit: p.key.mode.limit, id: next.id(next.turn),
	}
	return next, p, r
}

// lastSeq returns the number of the surface's last encoding.
func (s *Surface) lastSeq() uint64 {
	if s.current == nil {
		return 0
	}
	return s.current.seq
}

// publish makes an encoded picture the surface's current one, unless the
// surface has changed so that nobody would look at it.
func (c *Compositor) publish(s *Surface, p *picture, id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped() || c.away || s.img == nil || p.key != s.key() {
		return
	}
	c.seq++
	p.seq = c.seq
	s.turn = (s.turn + 1) % idsPerSurface
	if p.forget != nil {
		c.live[id] = p.forget
	}
	if p.once != nil {
		c.out.queue(p.once)
	}
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

// forget has the terminal forget the pictures of a surface. The caller holds
// the lock.
func (c *Compositor) forget(s *Surface) {
	for turn := range idsPerSurface {
		if b := c.live[s.id(turn)]; b != nil {
			c.out.queue(b)
			delete(c.live, s.id(turn))
		}
	}
}

// forgetAll has the terminal forget all pictures. The caller holds the lock.
func (c *Compositor) forgetAll() {
	for _, s := range c.surfaces {
		c.forget(s)
	}
}

// drivers are the drivers in use. Only the encoder uses them.
type drivers struct{ sixel *sixelEncoder }

// pick returns the driver for a mode.
func (d *drivers) pick(m mode) driver {
	switch m.protocol {
	case Kitty:
		return newKitty(m.passthrough)
	case Sixel:
		if d.sixel == nil {
			d.sixel = newSixelEncoder()
		}
		return sixel{d.sixel}
	case Blocks:
		return blocks{}
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
