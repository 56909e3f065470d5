package screentest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// tailDelay is how long the feeder waits for the rest of a character that may
// go on: a program that stops in the middle of one has written all of it.
const tailDelay = time.Second

// feed reads the command's output until it ends.
func (s *state) feed() {
	chunks := make(chan []byte)
	go s.read(chunks)
	var tail []byte
	for open := true; open; {
		var idle <-chan time.Time
		if len(tail) > 0 {
			idle = time.After(tailDelay)
		}
		var chunk []byte
		select {
		case chunk, open = <-chunks:
			chunk = append(tail, chunk...)
			n := len(chunk)
			if open {
				n = wholeCharacters(chunk)
			}
			tail = append([]byte(nil), chunk[n:]...)
			s.show(chunk[:n])
		case <-idle:
			s.show(tail)
			tail = nil
		}
	}
	s.end()
}

// read sends the output on in chunks, no faster than the terminal takes it.
// Reading fails once the command has ended and everything is read.
func (s *state) read(chunks chan<- []byte) {
	defer close(chunks)
	size, rate := 1<<16, s.options.Rate
	if rate > 0 {
		size = max(rate/100, 1)
	}
	for {
		b := make([]byte, size)
		n, err := s.pty.Read(b)
		if n > 0 {
			chunks <- b[:n]
		}
		if rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		if err != nil {
			return
		}
	}
}

// wholeCharacters returns how many bytes can be shown without cutting a
// character that more marks may follow: the emulator ends a character with
// every write.
func wholeCharacters(b []byte) int {
	for n := len(b); n > 0; n-- {
		if b[n-1] < utf8.RuneSelf {
			return n
		}
	}
	return 0
}

// show gives output to the emulator.
func (s *state) show(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = append(s.raw, b...)
	s.within = withinString(b, s.within)
	for len(b) > 0 {
		before := s.sync
		b = b[s.advance(b):]
		if before && !s.sync && len(b) > 0 {
			s.look()
		}
	}
	if !s.within && !s.sync {
		s.look()
	}
}

// look lets Wait look at what is shown before anything else is. The caller
// holds the lock.
func (s *state) look() {
	s.shown++
	s.changed.Broadcast()
	for s.waiting && s.seen != s.shown {
		s.changed.Wait()
	}
}

// withinString says whether output ends within a device control string, an
// operating system command or an application program command, which show nothing
// before their end.
func withinString(b []byte, before bool) bool {
	start := max(bytes.LastIndex(b, []byte("\x1bP")), bytes.LastIndex(b, []byte("\x1b_")), bytes.LastIndex(b, []byte("\x1b]")))
	end := max(bytes.LastIndex(b, []byte("\x1b\\")), bytes.LastIndexByte(b, ansi.BEL))
	if start < 0 && end < 0 {
		return before
	}
	return start > end
}

// advance shows as much of b as the emulator takes: where it panics, the rest
// of the piece is lost. Pieces end before escape characters so that little is, and
// after the character that may end an operating system command.
func (s *state) advance(b []byte) (n int) {
	n = 1
	for n < len(b) && b[n] != ansi.ESC && b[n-1] != ansi.BEL {
		n++
	}
	defer func() {
		if r := recover(); r != nil {
			s.t.Logf("emulator: %v at %.60q", r, b[:n])
		}
	}()
	if s.resized && bytes.HasPrefix(b, []byte("\x1b[")) {
		// Terminals scroll all of the screen again when its size has changed. The
		// emulator keeps the margins, and takes no writes in mid-sequence.
		s.resized = false
		s.write([]byte("\x1b7\x1b[r\x1b8"))
	}
	s.write(b[:n])
	after := s.after
	s.after = nil
	s.write(after)
	return n
}

// goBelow has the terminal go to the line below a picture, which scrolls.
func (s *state) goBelow(rows int) {
	s.after = fmt.Appendf(nil, "\x1b[%d;1H%s", s.emulator.Height(), strings.Repeat("\n", rows))
}

// write writes to the emulator.
func (s *state) write(b []byte) {
	if _, err := s.emulator.Write(b); err != nil {
		s.fault("emulator: %v", err)
	}
}

// reply sends the emulator's answers to the command.
func (s *state) reply() {
	// A write to a command that has gone fails; its output ends then too.
	_, err := io.Copy(s.pty, s.emulator)
	if err != nil {
		s.t.Logf("answers end: %v", err)
	}
}

// end waits for the command after its output has ended.
func (s *state) end() {
	if err := s.cmd.Wait(); err != nil && s.cmd.ProcessState == nil {
		s.t.Logf("wait for command: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Not the emulator's Close, which races with its Read.
	if pipe, ok := s.emulator.InputPipe().(io.Closer); ok {
		if err := pipe.Close(); err != nil {
			s.t.Logf("close emulator: %v", err)
		}
	}
	if err := s.pty.Close(); err != nil {
		s.t.Logf("close terminal: %v", err)
	}
	close(s.ended)
	s.changed.Broadcast()
}

// fault notes that the command wrote something wrong. The caller holds the
// lock.
func (s *state) fault(format string, args ...any) {
	if f := fmt.Sprintf(format, args...); len(s.faults) < 20 {
		s.faults = append(s.faults, f)
	}
}

// decode has the emulator hand over pictures and synchronized updates.
func (s *state) decode() {
	s.emulator.SetCallbacks(vt.Callbacks{
		EnableMode:  func(m ansi.Mode) { s.sync = s.sync || m == ansi.ModeSynchronizedOutput },
		DisableMode: func(m ansi.Mode) { s.sync = s.sync && m != ansi.ModeSynchronizedOutput },
	})
	s.emulator.RegisterCsiHandler('J', func(params ansi.Params) bool {
		n, _, _ := params.Param(0, 0)
		s.resizing = s.resizing && n != 2
		return false
	})
	s.emulator.RegisterDcsHandler('q', func(params ansi.Params, data []byte) bool {
		s.drawSixel(params, data)
		return true
	})
	s.emulator.RegisterOscHandler(1337, func(data []byte) bool {
		s.iterm2(data)
		return true
	})
	s.emulator.RegisterApcHandler(func(data []byte) bool {
		if len(data) == 0 || data[0] != 'G' {
			return false
		}
		s.kitty(data[1:])
		return true
	})
}
