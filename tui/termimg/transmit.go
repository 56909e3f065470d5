package termimg

import (
	"bytes"
	"time"
)

// transmission is a picture on its way to the terminal under an id: escapes that
// change nothing on the screen. They are written a few at a time, after the text.
type transmission struct {
	rest  []byte // not written yet, whole escapes
	begun bool
	whole bool   // in one piece: graphics escapes may follow at any time
	end   []byte // ends it where it is cut off
	sent  func() // called when all is written, not when it is dropped; may be nil
}

// Pictures written between two looks at the text: as many bytes as the line takes
// in budgetTime, which a person does not notice at a key.
const (
	budgetTime  = 50 * time.Millisecond
	minBudget   = 32 << 10
	firstBudget = 64 << 10
	maxBudget   = 64 << 20
)

// newBudget learns from a write how much the line takes. The first bytes of one go
// into a buffer, so that short writes tell nothing, and one only so much.
func newBudget(budget, n int, took time.Duration) int {
	if n < minBudget/2 {
		return budget
	}
	takes := float64(n) * float64(budgetTime) / float64(max(took, time.Microsecond))
	return int(min(max(takes, minBudget), 4*float64(budget), maxBudget))
}

// send queues a transmission.
func (o *output) send(t *transmission) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil || o.closing || len(t.rest) == 0 {
		return
	}
	o.sending = append(o.sending, t)
	o.size += len(t.rest)
	o.wake()
}

// abandon drops what is queued to be transmitted. It returns what ends the one that
// had begun, to be written before anything else about pictures.
func (o *output) abandon() (end []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.sending {
		o.size -= len(t.rest)
		if t.begun {
			end = append(end, t.end...)
		}
	}
	o.sending = nil
	return end
}

// transmit writes the next piece, and reports whether there are more and whether
// the output ended.
func (o *output) transmit() (more, end bool) {
	o.mu.Lock()
	if len(o.sending) == 0 {
		o.mu.Unlock()
		return false, false
	}
	t := o.sending[0]
	limit := o.budget
	if t.whole {
		limit = len(t.rest)
	}
	piece := t.rest[:wholeEscapes(t.rest, limit)]
	t.rest, t.begun = t.rest[len(piece):], true
	done := len(t.rest) == 0
	if done {
		o.sending = o.sending[1:]
	}
	more = len(o.sending) > 0
	o.mu.Unlock()
	end = o.put(piece)
	if done && !end && t.sent != nil {
		t.sent()
	}
	return more, end
}

// escapeStart is how many of its first bytes all escapes of a transmission share,
// with no other place in one where they are.
const escapeStart = 3

// wholeEscapes is the length of as many escapes as fit in limit, at least one.
func wholeEscapes(b []byte, limit int) int {
	if len(b) <= limit || len(b) <= escapeStart {
		return len(b)
	}
	start := b[:escapeStart]
	if i := bytes.LastIndex(b[:limit], start); i > 0 {
		return i
	}
	if i := bytes.Index(b[escapeStart:], start); i >= 0 {
		return escapeStart + i
	}
	return len(b)
}

// graphicsStart begins kitty's graphics escapes.
const graphicsStart = "\x1b_G"

// finish completes a transmission that has begun if frames hold a graphics escape
// of their own, such as a question of the probe's: none may come in between. It
// reports whether the output ended.
func (o *output) finish(frames [][]byte) (end bool) {
	for _, f := range frames {
		for bytes.Contains(f, []byte(graphicsStart)) && o.midway() && !end {
			_, end = o.transmit()
		}
	}
	return end
}

// midway says whether a transmission has begun and not ended.
func (o *output) midway() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sending) > 0 && o.sending[0].begun
}
