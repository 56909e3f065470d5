package termimg

import (
	"image"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
)

// Options configures a [Compositor].
type Options struct {
	// Protocol is the protocol to use, whatever the terminal says; Auto asks it.
	Protocol Protocol
	// Environ is the environment that describes the terminal; nil is the
	// process's own.
	Environ []string
	// Notify is called when the program should repaint: a picture is ready that
	// View would return now. Calls come from one goroutine that does nothing
	// else, so that Notify may block, as tea.Program.Send does.
	Notify func()
}

// RepaintMsg is a message for Options.Notify to send: it needs no handling in
// Update, because Bubble Tea repaints after every message.
type RepaintMsg struct{}

// mode is how pictures are encoded at the moment.
type mode struct {
	protocol    Protocol
	passthrough bool // escapes go through tmux to the terminal around it
	profile     colorprofile.Profile
	limit       image.Point // the largest sixel that the terminal takes, in pixels
	files       bool        // the terminal reads pixels from files
	changes     bool        // the terminal changes pictures that it has
	glyphs      glyphSet    // what blocks are drawn with
	// epoch counts the times that the terminal forgot its pictures.
	epoch int
}

// decision is what settle chose.
type decision struct {
	mode       mode
	reason     string
	cell       image.Point // pixels
	cellSource string
}

// Compositor is a Bubble Tea program's output. It puts the program's text and
// the pictures of its surfaces together, one write to the terminal a frame.
type Compositor struct {
	opts   Options
	out    *output
	wakeup chan struct{} // to the encoder
	ready  chan struct{} // to the notifier
	stop   chan struct{}

	drivers   drivers   // the encoder's
	encodings encodings // likewise
	files     pixelFiles

	mu       sync.Mutex
	surfaces []*Surface
	probe    probe
	decision
	screen image.Point    // columns and rows
	away   bool           // the terminal is given away: no pictures
	live   map[int][]byte // what makes the terminal forget each picture it has
	seq    uint64
	frames int // of the program's, so far
	nudge  *time.Timer
}

// New returns a compositor that writes to a terminal. Close it after the
// program has ended.
func New(out *os.File, opts Options) *Compositor {
	if opts.Environ == nil {
		opts.Environ = os.Environ()
	}
	c := &Compositor{
		opts:   opts,
		wakeup: make(chan struct{}, 1),
		ready:  make(chan struct{}, 1),
		stop:   make(chan struct{}),
		live:   map[int][]byte{},
	}
	c.probe = probe{environ: opts.Environ, kernelCell: kernelCell(out)}
	if term.IsTerminal(out.Fd()) {
		// As Bubble Tea does, which tells a moment too late for the first picture.
		c.mode.profile = colorprofile.Detect(out, opts.Environ)
	}
	c.out = newOutput(out, c)
	c.nudge = time.AfterFunc(time.Hour, func() {
		c.out.composer.overdue.Store(true)
		c.out.wake()
	})
	c.nudge.Stop()
	c.settle()
	c.drivers.files = &c.files
	go c.encodeLoop()
	go c.notifyLoop()
	return c
}

// Cell returns the size of a cell in pixels, as far as it is known: what the
// terminal reported, else what the kernel knows, else 10x20.
func (c *Compositor) Cell() (w, h int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cell.X, c.cell.Y
}

// Close deletes the pictures from the terminal, writes what is queued, and
// stops. It waits for a terminal that does not take the output for
// [drainTimeout] at most; nothing is written after it has returned.
func (c *Compositor) Close() error {
	c.mu.Lock()
	select {
	case <-c.stop:
		c.mu.Unlock()
		return nil
	default:
		close(c.stop)
	}
	c.nudge.Stop()
	c.forgetAll()
	c.mu.Unlock()
	err := c.out.close()
	c.files.clear()
	return err
}

// moveDelay is how long the output waits for the text that goes with a moved
// picture before it moves the picture anyway. The text comes with the next
// frame, and frames are at most 1/60 s apart.
const moveDelay = 50 * time.Millisecond

// moved notes that a surface is elsewhere. The caller holds the lock.
func (c *Compositor) moved() {
	c.nudge.Reset(moveDelay)
}

// wakeEncoder lets the encoder look for work.
func (c *Compositor) wakeEncoder() { signal(c.wakeup) }

// notify asks the program to repaint.
func (c *Compositor) notify() { signal(c.ready) }

// signal sends on a channel of capacity 1 unless a signal waits there already.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// notifyLoop calls Options.Notify, apart from the encoder because it may block.
func (c *Compositor) notifyLoop() {
	for {
		select {
		case <-c.stop:
			return
		case <-c.ready:
			if c.opts.Notify != nil {
				c.opts.Notify()
			}
		}
	}
}
