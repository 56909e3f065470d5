package termimg

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// drainTimeout is how long to wait for a terminal that does not take output:
// long for a slow line, short for a user whose terminal has gone.
const drainTimeout = 5 * time.Second

// textLimit is how many bytes of text wait for the terminal before the program
// has to wait too: some full screens. Without a limit a slow terminal would lag
// further and further behind; with it, the renderer skips frames.
const textLimit = 256 << 10

// output is the queue of bytes for the terminal, and the goroutine that writes
// them. Text is never dropped.
type output struct {
	file     *os.File
	composer *composer
	wakeup   chan struct{}
	done     chan struct{} // closed when the goroutine has ended

	budget int // how many bytes of pictures may be written before text; the goroutine's

	mu      sync.Mutex
	changed *sync.Cond // the queue has got shorter, or the output has ended
	queued  [][]byte
	sending []*transmission // the first may have begun
	size    int             // bytes queued or being written
	text    int             // bytes of text queued
	frames  int             // of the program's, so far
	closing bool
	err     error // why nothing can be written any more
}

// newOutput starts the output of c.
func newOutput(file *os.File, c *Compositor) *output {
	o := &output{
		file:     file,
		composer: newComposer(file, c),
		wakeup:   make(chan struct{}, 1),
		done:     make(chan struct{}),
		budget:   firstBudget,
	}
	o.changed = sync.NewCond(&o.mu)
	go o.loop()
	return o
}

// wake lets the goroutine look whether there is something to draw.
func (o *output) wake() { signal(o.wakeup) }

// queue appends bytes that are complete escape sequences or text. The bytes
// must not be changed afterwards.
func (o *output) queue(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.push(b)
}

// push queues bytes. The caller holds the lock.
func (o *output) push(b []byte) {
	if o.err != nil || o.closing || len(b) == 0 {
		return
	}
	o.queued = append(o.queued, b)
	o.size += len(b)
	o.wake()
}

// write queues a frame of the program's, and waits only if the terminal is far
// behind or if the frame is the last one before the terminal is given away.
func (o *output) write(b []byte, last bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return os.ErrClosed
	}
	o.push(append([]byte(nil), b...))
	o.text += len(b)
	o.frames++
	if last {
		o.wait(o.drained)
	} else {
		o.wait(func() bool { return o.text <= textLimit })
	}
	return o.err
}

// drained says whether all is written. The caller holds the lock.
func (o *output) drained() bool { return o.size == 0 }

// wait waits until something holds, nothing can be written any more, or
// drainTimeout is over. The caller holds the lock.
func (o *output) wait(until func() bool) {
	if until() {
		return
	}
	expired := false
	timer := time.AfterFunc(drainTimeout, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		expired = true
		o.changed.Broadcast()
	})
	defer timer.Stop()
	for !until() && o.err == nil && !expired {
		o.changed.Wait()
	}
}

// close writes what is queued and ends the output.
func (o *output) close() error {
	o.mu.Lock()
	o.closing = true
	o.wake()
	o.wait(o.drained)
	err := o.err
	if err == nil && o.size > 0 {
		err = fmt.Errorf("terminal %s did not take the last %d bytes within %s", o.file.Name(), o.size, drainTimeout)
	}
	if o.err == nil {
		o.err = os.ErrClosed
	}
	o.changed.Broadcast()
	o.mu.Unlock()
	if o.wake(); err == nil {
		<-o.done
	}
	return err
}

// loop writes until the output is closed or the terminal is gone.
func (o *output) loop() {
	defer close(o.done)
	for range o.wakeup {
		for more := true; more; {
			var end bool
			if more, end = o.round(); end {
				return
			}
		}
	}
}

// round writes what there is of text, and pictures up to the budget: on a slow line
// a key's echo does not wait for a whole picture.
func (o *output) round() (more, end bool) {
	frames, count, end := o.take()
	if end {
		return false, true
	}
	if o.finish(frames) {
		return false, true
	}
	// The pictures' state is read after the frames were taken, so that it is never
	// older than the text.
	frame, undrawn := o.composer.compose(frames, o.budget)
	if o.put(frame) {
		return false, true
	}
	o.composer.c.passed(count)
	unsent, end := o.transmit()
	return undrawn || unsent, end
}

// take empties the queue. count is how many of the program's frames there have been
// up to then.
func (o *output) take() (frames [][]byte, count int, end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return nil, 0, true
	}
	frames, o.queued, o.text = o.queued, nil, 0
	o.changed.Broadcast()
	return oneUpdate(frames), o.frames, false
}

// oneUpdate makes one synchronized update of frames that waited together: between
// two of them a picture would be missing what the first one's text took from it.
func oneUpdate(frames [][]byte) [][]byte {
	begin, end := []byte(ansi.SetModeSynchronizedOutput), []byte(ansi.ResetModeSynchronizedOutput)
	for i := range len(frames) - 1 {
		if bytes.HasSuffix(frames[i], end) && bytes.HasPrefix(frames[i+1], begin) {
			frames[i] = frames[i][:len(frames[i])-len(end)]
			frames[i+1] = frames[i+1][len(begin):]
		}
	}
	return frames
}

// put writes bytes to the terminal and reports whether the output ended.
func (o *output) put(frame []byte) bool {
	var err error
	if len(frame) > 0 {
		start := time.Now()
		_, err = o.file.Write(frame)
		o.budget = newBudget(o.budget, len(frame), time.Since(start))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("write to terminal: %w", err)
	}
	o.size = 0
	for _, b := range o.queued {
		o.size += len(b)
	}
	for _, t := range o.sending {
		o.size += len(t.rest)
	}
	o.changed.Broadcast()
	return o.err != nil
}

// Write queues one frame of the program's text for the terminal. It copies b.
func (c *Compositor) Write(b []byte) (int, error) {
	last := c.note(b)
	if err := c.out.write(unscrolled(b), last); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Read reads from the terminal.
func (c *Compositor) Read(b []byte) (int, error) {
	return c.out.file.Read(b) //nolint:wrapcheck // a reader's errors, io.EOF above all, are compared
}

// Fd returns the terminal's file descriptor.
func (c *Compositor) Fd() uintptr { return c.out.file.Fd() }
