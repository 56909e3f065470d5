package screentest

import (
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"
)

func red() color.RGBA  { return color.RGBA{255, 0, 0, 255} }
func blue() color.RGBA { return color.RGBA{0, 0, 255, 255} }

// redSixel is 20x40 red pixels: two cells by two.
const redSixel = "\x1bP0;1q\"1;1;20;40#1;2;100;0;0#1!20~-!20~-!20~-!20~-!20~-!20~-!20N\x1b\\"

// shell starts a shell that prints something, by printf's rules, and then waits
// for a line.
func shell(t *testing.T, o Options, output string, more ...string) *Screen {
	t.Helper()
	script := "stty -echo; printf '%b' \"$0\"; " + strings.Join(append(more, "read line; exit 3"), "; ")
	output = strings.NewReplacer(`\`, `\\`, "\x1b", `\033`).Replace(output)
	return Start(t, o, "/bin/sh", "-c", script, output)
}

// only says whether a picture is one colour all over.
func only(img *image.RGBA, c color.RGBA) bool {
	for i := 0; i < len(img.Pix); i += 4 {
		if (color.RGBA{img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3]}) != c {
			return false
		}
	}
	return true
}

func TestTextAndExit(t *testing.T) {
	s := shell(t, Options{Cols: 20, Rows: 3}, "\x1b[2;5Hhéllo 日本")
	s.WaitText("\n    héllo 日本\n")
	s.Type(Enter)
	if code := s.Exit(); code != 3 {
		t.Errorf("exit status %d, want 3", code)
	}
	if raw := s.Raw(); !strings.Contains(string(raw), "héllo") {
		t.Errorf("raw output %q", raw)
	}
}

func TestResize(t *testing.T) {
	s := shell(t, Options{Cols: 20, Rows: 5}, "ready", "read line; stty size")
	s.WaitText("ready")
	s.Resize(33, 11)
	s.Type(Enter)
	s.WaitText("11 33")
	if cols, rows := s.Size(); cols != 33 || rows != 11 {
		t.Errorf("size %dx%d", cols, rows)
	}
}

func TestSixelOnScreen(t *testing.T) {
	s := shell(t, Options{Terminal: Xterm}, "\x1b[2;3H"+redSixel+"\x1b[9;1Hdone")
	s.WaitText("done")
	area := image.Rect(2, 1, 4, 3)
	if p := s.Pictures(); len(p) != 1 || p[0] != (Placed{KindSixel, area, 0}) {
		t.Errorf("pictures %v", p)
	}
	if !only(s.Picture(area), red()) || !only(s.Picture(image.Rect(4, 1, 9, 3)), color.RGBA{}) {
		t.Error("the picture is not red, or more than the picture is")
	}
}

func TestTextErasesSixel(t *testing.T) {
	for name, eraser := range map[string]string{"text": "\x1b[2;3Hx", "space": "\x1b[2;3H ", "ECH": "\x1b[2;3H\x1b[X"} {
		t.Run(name, func(t *testing.T) {
			s := shell(t, Options{Terminal: Xterm}, "\x1b[2;3H"+redSixel+eraser+"\x1b[9;1Hdone")
			s.WaitText("done")
			if p := s.Pictures(); len(p) != 1 || p[0].Missing != 1 {
				t.Errorf("pictures %v, want one without a cell", p)
			}
			if !only(s.Picture(image.Rect(2, 1, 3, 2)), color.RGBA{}) {
				t.Error("the cell still shows the picture")
			}
		})
	}
}

func TestSixelScrolls(t *testing.T) {
	s := shell(t, Options{Terminal: Xterm}, "\x1b[3;3H"+redSixel+"\x1b[2Sdone")
	s.WaitText("done")
	if p := s.Pictures(); len(p) != 1 || p[0].Cells != image.Rect(2, 0, 4, 2) {
		t.Errorf("pictures %v, want one at the top", p)
	}
}

func TestKittyPlaceholders(t *testing.T) {
	pixels := base64.StdEncoding.EncodeToString([]byte{255, 0, 0, 0, 0, 255}) // red over blue
	cell := func(row, column rune) string {
		return placeholder + string([]rune{'\u0305', '\u030d', '\u030e'}[row]) + string([]rune{'\u0305', '\u030d'}[column])
	}
	s := shell(t, Options{Terminal: Kitty},
		"\x1b_Ga=T,U=1,q=2,f=24,s=1,v=2,i=42,c=1,r=1\x1b\\"+
			"\x1b_Ga=T,U=1,q=2,f=24,s=1,v=2,i=42,c=1,r=1,m=1;"+pixels[:4]+"\x1b\\\x1b_Gm=0;"+pixels[4:]+"\x1b\\"+
			"\x1b[2;3H\x1b[38;5;42m"+cell(0, 0)+"\x1b[m\x1b[9;1Hdone")
	s.WaitText("done")
	if f := s.Faults(); len(f) != 1 {
		t.Errorf("faults %q, want one: the first picture has no pixels", f)
	}
	s.clearFaults()
	if p := s.Pictures(); len(p) != 1 || p[0] != (Placed{KindKitty, image.Rect(2, 1, 3, 2), 0}) {
		t.Fatalf("pictures %v", p)
	}
	img := s.Picture(image.Rect(2, 1, 3, 2))
	if img.RGBAAt(5, 2) != red() || img.RGBAAt(5, 17) != blue() {
		t.Errorf("top %v, bottom %v", img.RGBAAt(5, 2), img.RGBAAt(5, 17))
	}
	if n := s.KittyPictures(); n != 1 {
		t.Errorf("%d pictures kept", n)
	}
}

// clearFaults forgets the faults that a test wanted.
func (s *Screen) clearFaults() {
	defer s.lock()()
	s.faults = nil
}

func TestHalfBlocks(t *testing.T) {
	s := shell(t, Options{}, "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[m x \x1b[38;2;0;0;255m▄\x1b[m\x1b[9;1Hdone")
	s.WaitText("done")
	if p := s.Pictures(); len(p) != 2 || p[0] != (Placed{KindBlocks, image.Rect(0, 0, 1, 1), 0}) {
		t.Errorf("pictures %v", p)
	}
	img := s.Picture(image.Rect(0, 0, 5, 1))
	for at, want := range map[image.Point]color.RGBA{
		{X: 1, Y: 1}: red(), {X: 1, Y: 19}: blue(), {X: 41, Y: 1}: {}, {X: 41, Y: 19}: blue(), {X: 25, Y: 5}: {},
	} {
		if got := img.RGBAAt(at.X, at.Y); got != want {
			t.Errorf("pixel %v is %v, want %v", at, got, want)
		}
	}
}

// TestAnswers checks what each terminal says of itself.
func TestAnswers(t *testing.T) {
	for terminal, want := range map[Terminal]string{
		Plain: "?62;22c", Xterm: "?64;1;2;4;", Kitty: "6;20;10t",
	} {
		t.Run(fmt.Sprint(int(terminal)), func(t *testing.T) {
			s := Start(t, Options{Terminal: terminal}, "/bin/sh", "-c",
				`stty raw -echo min 0 time 20; printf '\033[16t\033[c'; tr -d '\033' | head -c 14`)
			s.WaitText(want)
		})
	}
}

func TestSyncedFrame(t *testing.T) {
	s := shell(t, Options{}, "\x1b[?2026hhalf", "read line; printf ' whole\\033[?2026l'")
	s.Type(Enter)
	s.Wait("whole frames only", func(s *Screen) bool {
		if strings.Contains(s.Text(), "half") && !strings.Contains(s.Text(), "whole") {
			t.Errorf("half a frame was shown: %q", s.Text())
		}
		return strings.Contains(s.Text(), "half whole")
	})
}

func TestDecodeSixelRejects(t *testing.T) {
	for name, data := range map[string]string{
		"no colour": "!3~", "undefined colour": "#3~", "register": "#256;2;0;0;0", "HLS": "#1;1;0;0;0",
		"percent": "#1;2;101;0;0", "repeat": "!0~", "rubbish": "#1;2;0;0;0~é",
	} {
		if _, err := DecodeSixel([]byte(data)); err == nil {
			t.Errorf("%s: %q was accepted", name, data)
		}
	}
}

func FuzzDecodeSixel(f *testing.F) {
	f.Add([]byte("\"1;1;20;40#1;2;100;0;0#1!20~-!20N$"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			return
		}
		img, err := DecodeSixel(data)
		if err == nil && img == nil {
			t.Fatal("neither a picture nor an error")
		}
	})
}
