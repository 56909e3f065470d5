package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ldx/pipeline"
)

// logName is the file with the operations.
const logName = "session.jsonl"

// Session is where a run is written as it happens. Its methods may be called by several
// goroutines.
type Session struct {
	header Header
	notice string
	store  *store

	writing sync.Mutex // held by the goroutine that writes
	out     writer

	mu      sync.Mutex
	pending []line // not written yet, oldest first
	failing error  // why
	trouble func(error)
	wake    chan struct{}
	closing sync.Once
	stop    chan struct{} // closed by Close
	done    chan struct{} // closed when the background writer has ended
	closed  error         // what Close returned
}

// Create makes a session that will lie in the folder dir. Nothing is written before the
// first operation, so that a run without one leaves nothing behind; where there is
// something at dir already, a number is added to its name.
func Create(dir string, h Header) (*Session, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", dir, err)
	}
	return create(dir, h, osDisk{}), nil
}

func create(dir string, h Header, d disk) *Session {
	h.Format, h.Version = format, Version
	s := &Session{header: h, store: newStore(dir), out: writer{disk: d}}
	s.start()
	return s
}

// start begins writing in the background.
func (s *Session) start() {
	s.wake, s.stop, s.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go s.background()
}

// Header says what the session is of.
func (s *Session) Header() Header { return s.header }

// Dir is the session's folder.
func (s *Session) Dir() string {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.dir
}

// Notice says in one sentence how the machine and the model are others than those the
// opened session was computed on; "" where they are not, and for a new session.
func (s *Session) Notice() string { return s.notice }

// OnTrouble has f called when writing begins to fail, and with nil when all is written
// again. f is called by whichever goroutine writes.
func (s *Session) OnTrouble(f func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = f
}

// Trouble is why the latest operations are not written, nil where they are.
func (s *Session) Trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing
}

// Append writes an operation, and all that were queued before, and returns once they
// are written. What cannot be written is kept and tried again with the next one. A
// [pipeline.Take] may be appended by the goroutine that made the step, numbered already,
// and queued once more when the run takes it: opening applies it then, in the order in
// which the screen did.
func (s *Session) Append(op pipeline.Op) error {
	s.put(op)
	return s.flush()
}

// Queue is Append without waiting: the operation is written in the background. It does
// no I/O itself.
func (s *Session) Queue(op pipeline.Op) {
	s.put(op)
	select {
	case s.wake <- struct{}{}:
	default: // awake already
	}
}

func (s *Session) put(op pipeline.Op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, line{Op: op})
}

// Close writes what is left, has it on the disk and lets others open the session. The
// steps' numbers can still be read. Closing again does nothing.
func (s *Session) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		<-s.done
		err := s.flush()
		s.writing.Lock()
		defer s.writing.Unlock()
		if err = errors.Join(err, s.out.sync(), s.out.close()); err != nil {
			s.closed = fmt.Errorf("session %s: %w", s.Dir(), err)
		}
	})
	return s.closed
}

// syncEvery is how often what was written is forced onto the disk.
const syncEvery = time.Second

func (s *Session) background() {
	defer close(s.done)
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
			_ = s.flush() // reported where OnTrouble said
		case <-tick.C:
			s.writing.Lock()
			err := s.out.sync()
			s.writing.Unlock()
			if err != nil {
				s.report(err)
			}
		}
	}
}

// flush writes all that is pending.
func (s *Session) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	for {
		next, ok := s.next()
		if !ok {
			s.report(nil)
			return nil
		}
		if err := s.write(next); err != nil {
			err = fmt.Errorf("session %s is not written: %w", s.Dir(), short(err))
			s.report(err)
			return err
		}
		s.mu.Lock()
		s.pending = s.pending[1:]
		s.mu.Unlock()
	}
}

func (s *Session) next() (line, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) == 0 {
		return line{}, false
	}
	return s.pending[0], true
}

// short leaves out the file of an error about one: the session's folder says enough.
func short(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// report tells of a change between writing well and failing.
func (s *Session) report(err error) {
	s.mu.Lock()
	changed := (err == nil) != (s.failing == nil)
	s.failing = err
	tell := s.trouble
	s.mu.Unlock()
	if changed && tell != nil {
		tell(err)
	}
}
