package termimg

import (
	linked "container/list"
	"image"
)

// encodings keeps what was encoded last, so that going back and forth between pictures
// costs no time. It is only of use for protocols whose bytes do not depend on what the
// terminal has: sixels and blocks. Only the encoder uses it.
type encodings struct {
	byKey  map[encodingKey]*linked.Element
	recent linked.List // of encoding, the newest first
	bytes  int
}

// encodingKey is all that an encoding of such a protocol depends on.
type encodingKey struct {
	img  *image.RGBA
	key  key
	fine bool
}

type encoding struct {
	encodingKey
	encoded
}

// keepBytes bounds the memory of what is kept, the pictures themselves included.
const keepBytes = 64 << 20

// keyOf is the key of a picture; ok is false for what is not to be kept.
func keyOf(p *picture, r request) (k encodingKey, ok bool) {
	img, ok := r.img.(*image.RGBA)
	switch p.key.mode.protocol {
	case Sixel, Blocks:
		return encodingKey{img, p.key, p.fine}, ok
	}
	return encodingKey{}, false
}

// find gives what was encoded of a picture.
func (e *encodings) find(k encodingKey) (found encoded, ok bool) {
	at, ok := e.byKey[k]
	if !ok {
		return encoded{}, false
	}
	e.recent.MoveToFront(at)
	return at.Value.(encoding).encoded, true
}

// keep keeps an encoding, and lets go of the oldest ones over the bound.
func (e *encodings) keep(k encodingKey, of encoded) {
	if _, ok := e.byKey[k]; ok {
		return
	}
	if e.byKey == nil {
		e.byKey = map[encodingKey]*linked.Element{}
	}
	e.byKey[k] = e.recent.PushFront(encoding{k, of})
	for e.bytes += (encoding{k, of}).size(); e.bytes > keepBytes && e.recent.Len() > 1; {
		oldest := e.recent.Remove(e.recent.Back()).(encoding)
		delete(e.byKey, oldest.encodingKey)
		e.bytes -= oldest.size()
	}
}

func (e encoding) size() int {
	n := len(e.img.Pix) + len(e.view) + len(e.whole)
	for _, s := range e.over {
		n += len(s.draw)
	}
	return n
}

// encode encodes a picture, or takes what is kept of it.
func (c *Compositor) encode(p *picture, r request) {
	k, keeps := keyOf(p, r)
	if keeps {
		if found, ok := c.encodings.find(k); ok {
			p.encoded = found
			return
		}
	}
	p.encoded = c.drivers.pick(p.key.mode).encode(r)
	if keeps {
		c.encodings.keep(k, p.encoded)
	}
}
