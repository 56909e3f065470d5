package termimg_test

import (
	"bytes"
	"image"
	"strings"
	"testing"

	"ldx/internal/screentest"
)

// eachProtocol runs a test with the demo on each kind of terminal.
func eachProtocol(t *testing.T, run func(t *testing.T, s *screentest.Screen, c demoCase)) {
	for name, c := range demoCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startDemo(t, c)
			waitShown(t, s, c, 0)
			run(t, s, c)
		})
	}
}

// noPicture says whether the screen shows no picture.
func noPicture(s *screentest.Screen) bool { return len(s.Pictures()) == 0 }

func TestNextPicture(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		for range 3 {
			s.Type("n")
		}
		s.WaitText("picture 3")
		waitShown(t, s, c, 0)
	})
}

// TestFastPictures changes the picture with every change of the text: every
// frame shows a whole picture, if not always the one of its title, and in the
// end the newest.
func TestFastPictures(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		s.Type("p")
		s.Wait("20 pictures", func(s *screentest.Screen) bool {
			_, picture := demoState(s)
			var wrong []string
			for n := range demoPictures {
				problem := shown(s, c, 0, picture+n)
				if problem == "" {
					return picture >= 20
				}
				wrong = append(wrong, problem)
			}
			t.Errorf("picture %d: %s", picture, strings.Join(wrong, "; "))
			return true
		})
		s.Type("p")
		waitShown(t, s, c, 0)
	})
}

// TestBoxOverPicture puts text over the picture. It must be readable, and the
// picture whole again when it has gone.
func TestBoxOverPicture(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		s.Type("o")
		s.Wait("the box and no picture in it", func(s *screentest.Screen) bool {
			block := demoBlock(s, 0)
			y := block.Min.Y + block.Dy()/2
			row := s.Picture(image.Rect(block.Min.X, y, block.Max.X, y+1))
			return strings.Contains(s.Row(y), "box over the picture#") && allTransparent(row)
		})
		s.Type("o")
		waitShown(t, s, c, 0)
	})
}

// allTransparent says whether a picture is empty.
func allTransparent(img *image.RGBA) bool {
	return len(bytes.Trim(img.Pix, "\x00")) == 0
}

func TestHideAndClear(t *testing.T) {
	for name, key := range map[string]string{"hide": "h", "clear": "c"} {
		t.Run(name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
				s.Type(key)
				s.Wait("no picture", noPicture)
				s.Type(key)
				waitShown(t, s, c, 0)
			})
		})
	}
}

func TestMove(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		for _, shift := range []int{1, 2, 0} {
			s.Type("m")
			waitShown(t, s, c, shift)
		}
	})
}

// TestQuit checks what is left when the program has ended: its last words on
// the main screen, after everything else, and no pictures.
func TestQuit(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, _ demoCase) {
		s.Type("pq")
		if code := s.Exit(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		if s.AltScreen() || !strings.Contains(s.Text(), "bye") {
			t.Errorf("alternate screen %t, text %q", s.AltScreen(), s.Text())
		}
		if raw := s.Raw(); !bytes.HasSuffix(raw, []byte("bye\r\n")) {
			t.Errorf("the last words are not the last: %q", raw[max(0, len(raw)-80):])
		}
		if n := s.KittyPictures(); n != 0 {
			t.Errorf("%d pictures left", n)
		}
	})
}

// TestRowsScroll changes rows below the picture in a way that the renderer may
// answer with scrolling.
func TestRowsScroll(t *testing.T) {
	eachProtocol(t, func(t *testing.T, s *screentest.Screen, c demoCase) {
		for range 5 {
			s.Type("l")
			watch(t, s, c, 2)
		}
		s.WaitText("row 7")
	})
}

func TestColourlessTerminal(t *testing.T) {
	c := demoCase{terminal: screentest.Kitty, protocol: "auto"}
	s := startDemo(t, c, "NO_COLOR=1")
	s.Wait("shades", func(s *screentest.Screen) bool {
		return strings.Contains(s.Row(0), "protocol blocks") && strings.Contains(s.Text(), "▒▒▒")
	})
	if strings.Contains(string(s.Raw()), "\x1b[38;") {
		t.Error("colours on a terminal without")
	}
}

func TestOption(t *testing.T) {
	for option, kind := range map[string]string{
		"blocks": screentest.KindBlocks, "kitty": screentest.KindKitty, "off": "",
	} {
		t.Run(option, func(t *testing.T) {
			t.Parallel()
			s := startDemo(t, demoCase{terminal: screentest.Kitty, protocol: option})
			s.WaitText("protocol " + option)
			s.Wait("the right picture", func(s *screentest.Screen) bool {
				pictures := s.Pictures()
				frame, _ := demoState(s)
				if kind == "" {
					return frame > 3 && len(pictures) == 0
				}
				return len(pictures) == 1 && pictures[0].Kind == kind
			})
		})
	}
}
