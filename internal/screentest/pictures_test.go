package screentest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
	"testing"
)

// redPNG is a PNG file of red pixels.
func redPNG(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(red()), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// inline is an inline image of so many cells.
func inline(file []byte, args string) string {
	return "\x1b]1337;File=" + args + ":" + base64.StdEncoding.EncodeToString(file) + "\a"
}

func TestInlineImage(t *testing.T) {
	file := redPNG(t, 20, 40)
	img := "\x1b[2;3H" + inline(file, fmt.Sprintf("inline=1;size=%d;width=2;height=40px;preserveAspectRatio=0", len(file)))
	tests := map[string]struct {
		after   string
		cells   image.Rectangle
		missing int
	}{
		"whole":                             {"", image.Rect(2, 1, 4, 3), 0},
		"text takes a piece":                {"\x1b[2;3Hx", image.Rect(2, 1, 4, 3), 1},
		"so do spaces":                      {"\x1b[2;3H  ", image.Rect(2, 2, 4, 3), 0},
		"and erasing":                       {"\x1b[3;3H\x1b[X", image.Rect(2, 1, 4, 3), 1},
		"it scrolls":                        {"\x1b[S", image.Rect(2, 0, 4, 2), 0},
		"the cursor is behind its last row": {"\x1b[D\x1b[D!", image.Rect(2, 1, 4, 3), 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := shell(t, Options{Terminal: ITerm2}, img+test.after+"\x1b[9;1Hdone")
			s.WaitText("done")
			if p := s.Pictures(); len(p) != 1 || p[0] != (Placed{KindITerm2, test.cells, test.missing}) {
				t.Errorf("pictures %v", p)
			}
			if last := test.cells.Max.Sub(image.Pt(1, 1)); !only(s.Picture(image.Rectangle{Min: last, Max: test.cells.Max}), red()) {
				t.Error("the last cell is not red")
			}
		})
	}
}

func TestInlineImageFaults(t *testing.T) {
	file := redPNG(t, 20, 40)
	good := "inline=1;width=2;height=2;preserveAspectRatio=0"
	for name, output := range map[string]string{
		"a download":       inline(file, "width=2;height=2;preserveAspectRatio=0"),
		"its own size":     inline(file, "inline=1"),
		"another length":   inline(file, good+";size=7"),
		"no base64":        "\x1b]1337;File=" + good + ":***\a",
		"no data":          "\x1b]1337;File=" + good + "\a",
		"no PNG":           inline([]byte("GIF89a"), good),
		"percent":          inline(file, "inline=1;width=50%;height=2;preserveAspectRatio=0"),
		"too wide":         inline(file, "inline=1;width=81;height=2;preserveAspectRatio=0"),
		"over the edge":    "\x1b[2;80H" + inline(file, good),
		"on the last row":  "\x1b[23;1H" + inline(file, good),
		"kitty's pictures": "\x1b_Ga=T,i=1,f=24,s=1,v=1;AAAA\x1b\\",
	} {
		t.Run(name, func(t *testing.T) {
			s := shell(t, Options{Terminal: ITerm2}, "\x1b[2;3H"+output+"\x1b[9;1Hdone")
			s.WaitText("done")
			if f := s.Faults(); len(f) != 1 {
				t.Errorf("faults %q, want one", f)
			}
			s.clearFaults()
		})
	}
}

// TestInlineImageElsewhere checks that other terminals take no notice.
func TestInlineImageElsewhere(t *testing.T) {
	s := shell(t, Options{Terminal: Xterm}, "\x1b[2;3H"+inline([]byte("rubbish"), "")+"done")
	s.WaitText("\n  done")
	if p := s.Pictures(); len(p) != 0 {
		t.Errorf("pictures %v", p)
	}
}

// konsoleSend sends a red picture of 20x40 pixels as number 7.
func konsoleSend() string {
	pixels := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{255, 0, 0}, 20*40))
	return "\x1b_Ga=t,q=2,f=24,s=20,v=40,i=7,m=1;" + pixels[:2000] + "\x1b\\\x1b_Gq=2,m=0;" + pixels[2000:] + "\x1b\\"
}

func TestPlacement(t *testing.T) {
	const place = "\x1b[2;3H\x1b_Ga=p,i=7,p=1,C=1,q=2,c=2,r=2\x1b\\"
	area := image.Rect(2, 1, 4, 3)
	tests := map[string]struct {
		after string
		want  []Placed
		kept  int
		row   string // the second one
	}{
		"text does not touch it": {"hidden", []Placed{{KindPlacement, area, 0}}, 1, "    dden"},
		"nor does erasing":       {"\x1b[2J", []Placed{{KindPlacement, area, 0}}, 1, ""},
		"placed again, it moves": {"\x1b[5;1H\x1b_Ga=p,i=7,p=1,C=1,q=2,c=2,r=2\x1b\\", []Placed{{KindPlacement, image.Rect(0, 4, 2, 6), 0}}, 1, ""},
		"a part, and stretched": {
			"\x1b[2;5H\x1b_Ga=p,i=7,p=2,x=5,y=5,w=10,h=10,C=1,q=2,c=1,r=1\x1b\\",
			[]Placed{{KindPlacement, image.Rect(2, 1, 5, 3), 1}}, 1, "",
		},
		"taken off":         {"x\x1b_Ga=d,d=i,i=7,q=2\x1b\\", nil, 1, "  x"},
		"deleted":           {"\x1b_Ga=d,d=I,i=7,q=2\x1b\\", nil, 0, ""},
		"on another screen": {"\x1b[?1049h", nil, 1, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := shell(t, Options{Terminal: Konsole}, konsoleSend()+place+test.after+"\x1b[9;1Hdone")
			s.WaitText("done")
			if got := s.Pictures(); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("pictures %v, want %v", got, test.want)
			}
			for _, p := range test.want {
				if first := (image.Rectangle{Min: p.Cells.Min, Max: p.Cells.Min.Add(image.Pt(1, 1))}); !only(s.Picture(first), red()) {
					t.Error("it is not red")
				}
			}
			if n := s.KittyPictures(); n != test.kept {
				t.Errorf("%d pictures kept, want %d", n, test.kept)
			}
			if got := s.Row(1); got != test.row {
				t.Errorf("row %q, want %q", got, test.row)
			}
		})
	}
}

// TestPlacementWithin checks what may come between the chunks of a transmission,
// and that one can be cut off.
func TestPlacementWithin(t *testing.T) {
	whole := konsoleSend()
	first, rest, _ := strings.Cut(strings.ReplaceAll(whole, "i=7", "i=8"), "\x1b\\")
	const place = "\x1b_Ga=p,i=7,p=1,C=1,q=2,c=2,r=2\x1b\\"
	s := shell(t, Options{Terminal: Konsole}, whole+first+"\x1b\\"+place+rest+first+"\x1b\\\x1b_Gq=2,m=0\x1b\\"+"\x1b[9;1Hdone")
	s.WaitText("done")
	if p := s.Pictures(); len(p) != 1 || s.KittyPictures() != 1 {
		t.Errorf("pictures %v, %d kept", p, s.KittyPictures())
	}
}

func TestPlacementFaults(t *testing.T) {
	for name, command := range map[string]string{
		"unknown picture":   "a=p,i=9,p=1,C=1,q=2,c=2,r=2",
		"moves the cursor":  "a=p,i=7,p=1,q=2,c=2,r=2",
		"placeholders":      "a=p,i=7,U=1,q=2,c=2,r=2",
		"outside":           "a=p,i=7,p=1,C=1,q=2,c=200,r=2",
		"part of nothing":   "a=p,i=7,p=1,C=1,q=2,x=30,y=0,w=5,h=5",
		"unknown deletion":  "a=d,d=q,i=7",
		"unknown animation": "a=f,i=7",
	} {
		t.Run(name, func(t *testing.T) {
			s := shell(t, Options{Terminal: Konsole}, konsoleSend()+"\x1b[2;3H\x1b_G"+command+"\x1b\\\x1b[9;1Hdone")
			s.WaitText("done")
			if f := s.Faults(); len(f) != 1 {
				t.Errorf("faults %q, want one", f)
			}
			s.clearFaults()
		})
	}
}

// TestBlockCharacters checks which parts of a cell each character inks.
func TestBlockCharacters(t *testing.T) {
	at := func(cols, rows int) image.Point { return image.Pt(10*cols/4, 20*rows/12) } // in quarters and twelfths
	tests := map[string]struct{ ink, gap []image.Point }{
		"▘":          {[]image.Point{at(1, 1)}, []image.Point{at(3, 1), at(1, 7), at(3, 11)}},
		"▟":          {[]image.Point{at(3, 1), at(1, 7), at(3, 11)}, []image.Point{at(1, 1)}},
		"▐":          {[]image.Point{at(3, 1), at(3, 11)}, []image.Point{at(1, 1), at(1, 11)}},
		"\U0001FB00": {[]image.Point{at(1, 1)}, []image.Point{at(3, 1), at(1, 5), at(3, 5), at(1, 9), at(3, 9)}},
		"\U0001FB28": {[]image.Point{at(1, 1), at(3, 1), at(3, 5), at(3, 9)}, []image.Point{at(1, 5), at(1, 9)}},
		"\U0001FB3B": {[]image.Point{at(3, 1), at(1, 5), at(3, 5), at(1, 9), at(3, 9)}, []image.Point{at(1, 1)}},
	}
	for glyph, test := range tests {
		t.Run(glyph, func(t *testing.T) {
			s := shell(t, Options{}, "\x1b[38;2;255;0;0;48;2;0;0;255m"+glyph+"\x1b[m\x1b[9;1Hdone")
			s.WaitText("done")
			img := s.Picture(image.Rect(0, 0, 1, 1))
			for colour, points := range map[color.RGBA][]image.Point{red(): test.ink, blue(): test.gap} {
				for _, p := range points {
					if got := img.RGBAAt(p.X, p.Y); got != colour {
						t.Errorf("pixel %v is %v, want %v", p, got, colour)
					}
				}
			}
		})
	}
}

func FuzzInlineImage(f *testing.F) {
	f.Add([]byte("inline=1;width=2;height=20px;preserveAspectRatio=0:" + base64.StdEncoding.EncodeToString(redPNG(f, 2, 2))))
	f.Add([]byte("inline=1;width=auto:"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g := newGraphics(image.Pt(10, 20))
		img, err := g.decodeInline(data)
		if err == nil && (img.Rect.Dx() > maxInline || img.Rect.Dy() > maxInline || img.Rect.Empty()) {
			t.Fatalf("%v pixels", img.Rect)
		}
	})
}

func FuzzKitty(f *testing.F) {
	f.Add([]byte("a=T,U=1,i=3,f=24,s=1,v=1,c=1,r=1;AAAA"))
	f.Add([]byte("a=t,i=3,s=1,v=1;AAAAAA=="))
	f.Fuzz(func(t *testing.T, data []byte) {
		head, payload, _ := bytes.Cut(data, []byte(";"))
		c := readControl(head)
		if c.number("s")*c.number("v") > 1<<16 {
			return
		}
		if img, err := c.decode(payload); err == nil && img.Rect.Empty() {
			t.Fatal("an empty picture")
		}
	})
}
