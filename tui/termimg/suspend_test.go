//go:build unix

package termimg_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"ldx/internal/screentest"
)

// TestSuspend stops the program and lets it go on: its pictures are gone with
// the alternate screen, and must be sent again.
func TestSuspend(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		s.Type("z")
		s.Wait("the main screen", func(s *screentest.Screen) bool { return !s.AltScreen() && noPicture(s) })
		if n := s.KittyPictures(); n != 0 {
			t.Errorf("%d pictures left", n)
		}
		defer resume(s)()
		waitShown(t, s, c, 0)
	})
}

// TestExec gives the terminal to a command: it finds no pictures there, and they are
// back when it ends.
func TestExec(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		s.Type("e")
		s.Wait("the command", func(s *screentest.Screen) bool {
			return !s.AltScreen() && noPicture(s) && strings.Contains(s.Text(), "a command has the terminal")
		})
		if n := s.KittyPictures(); n != 0 {
			t.Errorf("%d pictures left", n)
		}
		s.Type("\r")
		waitShown(t, s, c, 0)
	})
}

// resume sends SIGCONT until the result is called: the program leaves the
// screen a moment before it stops, and a signal in between would be lost.
func resume(s *screentest.Screen) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				s.Signal(syscall.SIGCONT)
			}
		}
	}()
	return func() { close(done); <-ended }
}
