package termimg_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"ldx/internal/screentest"
)

// TestPixelFiles checks that pictures go through files where the terminal reads
// them and as text where it does not, that both show the same, and that no file is
// left.
func TestPixelFiles(t *testing.T) {
	for name, remote := range map[string]bool{"local": false, "remote": true} {
		t.Run(name, func(t *testing.T) {
			c := demoCases()["kitty"]
			c.remote = remote
			s := startDemo(t, c)
			waitShown(t, s, c, 0)
			s.Wait("pictures the best way", func(s *screentest.Screen) bool {
				return bytes.Contains(s.Raw(), []byte("a=q,t=t"))
			})
			for range 20 {
				before, _ := demoState(s)
				_, picture := demoState(s)
				s.Type("n")
				s.Wait("the next picture", func(s *screentest.Screen) bool {
					f, p := demoState(s)
					return p > picture && f > before+1
				})
				waitShown(t, s, c, 0)
			}
			if got := bytes.Contains(s.Raw(), []byte(",t=t;")); got == remote {
				t.Errorf("pictures through files: %t", got)
			}
			if n := bytes.Count(s.Raw(), []byte("\x1b_Ga=f,")); n < 20 {
				t.Errorf("%d of 20 pictures changed the one before", n)
			}
			s.Type("q")
			if code := s.Exit(); code != 0 {
				t.Errorf("exit status %d", code)
			}
			noFiles(t, s)
		})
	}
}

// noFiles checks that none of the command's files for pictures is there.
func noFiles(t *testing.T, s *screentest.Screen) {
	t.Helper()
	for _, path := range screentest.PixelFiles(s.Raw()) {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is left", filepath.Base(path))
		}
	}
}
