package termimg

import (
	"bytes"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	kittygraphics "github.com/charmbracelet/x/ansi/kitty"
)

func TestFit(t *testing.T) {
	square := image.Pt(1, 1)
	tests := []struct {
		name            string
		src, box, pixel image.Point
		sampling        Sampling
		want            image.Point
	}{
		{"wide box", image.Pt(10, 10), image.Pt(400, 100), square, Smooth, image.Pt(100, 100)},
		{"high box", image.Pt(20, 10), image.Pt(100, 400), square, Smooth, image.Pt(100, 50)},
		{"smaller", image.Pt(1000, 500), image.Pt(100, 100), square, Smooth, image.Pt(100, 50)},
		{"thin", image.Pt(1000, 1), image.Pt(10, 10), square, Smooth, image.Pt(10, 1)},
		{"whole numbers", image.Pt(16, 16), image.Pt(100, 90), square, Nearest, image.Pt(80, 80)},
		{"nearest, too large", image.Pt(64, 64), image.Pt(32, 50), square, Nearest, image.Pt(32, 32)},
		{"half cells of 10x20", image.Pt(50, 50), image.Pt(40, 40), image.Pt(20, 20), Smooth, image.Pt(40, 40)},
		{"half cells of 10x30", image.Pt(50, 50), image.Pt(60, 60), image.Pt(20, 30), Smooth, image.Pt(60, 40)},
		{"whole numbers in half cells", image.Pt(16, 16), image.Pt(40, 40), image.Pt(20, 20), Nearest, image.Pt(32, 32)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := fit(test.src, test.box, test.pixel, test.sampling); got != test.want {
				t.Errorf("fit(%v, %v) = %v, want %v", test.src, test.box, got, test.want)
			}
		})
	}
}

// TestNearestKeepsPixels checks that each source pixel becomes one square.
func TestNearestKeepsPixels(t *testing.T) {
	src := noisyGradient(7, 5, 100)
	var s scaler
	got := s.scale(src, image.Pt(28, 20), Nearest)
	for y := range 20 {
		for x := range 28 {
			if got.RGBAAt(x, y) != src.RGBAAt(x/4, y/4) {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got.RGBAAt(x, y), src.RGBAAt(x/4, y/4))
			}
		}
	}
}

// testRequest returns a request for a picture in a block.
func testRequest(img image.Image, cols, rows int) request {
	return request{
		img: img, grid: grid{cols: cols, rows: rows, cell: image.Pt(10, 20)},
		scaler: &scaler{}, profile: colorprofile.TrueColor, id: 20,
	}
}

// TestViewSize checks that every driver's view is exactly the block, whatever
// the picture's shape.
func TestViewSize(t *testing.T) {
	drivers := map[string]driver{
		"kitty": newKitty(false), "sixel": newSixel(), "off": nothing{},
		"iterm2": iterm2{}, "placements": placements{},
		"blocks": blocks{}, "half blocks": blocks{halves}, "sextants": blocks{sextants},
	}
	for name, d := range drivers {
		for _, block := range []image.Point{{1, 1}, {1, 9}, {40, 1}, {33, 12}, {300, 3}} {
			for _, size := range []image.Point{{1, 1}, {200, 3}, {3, 200}, {64, 64}} {
				for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ASCII} {
					r := testRequest(noisyGradient(size.X, size.Y, 9), block.X, block.Y)
					r.profile = profile
					e := d.encode(r)
					lines := strings.Split(e.view, "\n")
					if len(lines) != block.Y {
						t.Fatalf("%s %v: %d lines", name, block, len(lines))
					}
					for _, l := range lines {
						if w := ansi.StringWidth(l); w != block.X {
							t.Fatalf("%s %v: line %q is %d wide", name, block, l, w)
						}
					}
					if !e.area().In(image.Rectangle{Max: block}) {
						t.Fatalf("%s %v: area %v", name, block, e.area())
					}
				}
			}
		}
	}
}

func TestDiacritics(t *testing.T) {
	marks := []rune(diacritics)
	if len(marks) != 297 {
		t.Fatalf("%d marks, want 297", len(marks))
	}
	for i, r := range marks {
		if want := kittygraphics.Diacritic(i); r != want {
			t.Errorf("mark %d is %U, want %U", i, r, want)
		}
		if w := ansi.StringWidth(placeholder + string(r) + string(r)); w != 1 {
			t.Errorf("placeholder with mark %d is %d wide", i, w)
		}
	}
}

// TestKittyEscapes checks the rules for what is sent: quiet, in chunks, with
// all but the last of a multiple of four bytes.
func TestKittyEscapes(t *testing.T) {
	e := newKitty(false).encode(testRequest(noisyGradient(64, 64, 90), 30, 15))
	escapes := strings.SplitAfter(string(e.once), "\x1b\\")
	escapes = escapes[:len(escapes)-1]
	if len(escapes) < 10 {
		t.Fatalf("%d escapes", len(escapes))
	}
	for i, esc := range escapes {
		body, ok := strings.CutPrefix(strings.TrimSuffix(esc, "\x1b\\"), "\x1b_G")
		control, payload, _ := strings.Cut(body, ";")
		last := i == len(escapes)-1
		if !ok || !strings.Contains(control, "q=2") || strings.Contains(control, "m=0") != last {
			t.Errorf("escape %d of %d: %q", i, len(escapes), control)
		}
		if len(payload) > kittyChunk || !last && len(payload)%4 != 0 {
			t.Errorf("escape %d has %d bytes", i, len(payload))
		}
	}
}

// TestKittyChange checks that a picture is changed where it is, cells and all, as
// long as it is of the same size and kind, and sent anew otherwise.
func TestKittyChange(t *testing.T) {
	encode := func(size image.Point, shade int, onto sent) encoded {
		r := testRequest(noisyGradient(size.X, size.Y, shade), 30, 15)
		r.onto = onto
		if onto != (sent{}) {
			r.id++
		}
		return newKitty(false).encode(r)
	}
	first := encode(image.Pt(64, 64), 90, sent{})
	same := encode(image.Pt(64, 64), 20, first.sent)
	if same.sent != first.sent || same.view != first.view || string(same.forget) != string(first.forget) {
		t.Errorf("a picture of the same size is another one: %+v, %+v", first.sent, same.sent)
	}
	for _, escape := range strings.SplitAfter(strings.TrimSuffix(string(same.once)+string(same.abort), "\x1b\\"), "\x1b\\") {
		if !strings.HasPrefix(escape, "\x1b_Ga=f,") {
			t.Fatalf("escape %.40q does not name the action", escape)
		}
	}
	other := encode(image.Pt(64, 30), 90, first.sent)
	if other.sent.id == first.sent.id || other.view == first.view || !strings.HasPrefix(string(other.once), "\x1b_Ga=T,") {
		t.Errorf("a picture of another size changes the first: %+v, %+v", first.sent, other.sent)
	}
}

// TestHoldersDiffer checks that no row under a picture is like another: the renderer
// scrolls rows that are.
func TestHoldersDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range strings.Split(holders(grid{cols: 12, rows: 60}, image.Rect(2, 1, 10, 60)), "\n")[1:] {
		if seen[row] {
			t.Errorf("row %q is there twice", row)
		}
		seen[row] = true
		for _, c := range strings.Split(row[2:len(row)-2], "") {
			if !isHolder(c) {
				t.Errorf("%q is no holder", c)
			}
		}
	}
}

// TestPassthrough checks that tmux hands on exactly what goes without it.
func TestPassthrough(t *testing.T) {
	r := testRequest(noisyGradient(64, 64, 90), 30, 15)
	plain, wrapped := newKitty(false).encode(r), newKitty(true).encode(r)
	for _, pair := range [][2][]byte{{plain.once, wrapped.once}, {plain.forget, wrapped.forget}} {
		inner := make([]byte, 0, len(pair[1]))
		for _, part := range bytes.Split(pair[1], []byte("\x1bPtmux;"))[1:] {
			part, ok := bytes.CutSuffix(part, []byte("\x1b\\"))
			if !ok {
				t.Fatalf("unterminated: %q", part)
			}
			inner = append(inner, bytes.ReplaceAll(part, []byte("\x1b\x1b"), []byte("\x1b"))...)
		}
		if !bytes.Equal(inner, pair[0]) {
			t.Errorf("tmux hands on %d bytes, want %d", len(inner), len(pair[0]))
		}
	}
	if plain.view != wrapped.view {
		t.Error("tmux changes the view")
	}
}

func TestUnmultiply(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 256, 1))
	for a := range 256 {
		img.Set(a, 0, color.NRGBA{200, 100, 7, uint8(a)})
	}
	unmultiply(img.Pix)
	for a := 64; a < 256; a++ {
		p := img.Pix[4*a : 4*a+4]
		if d := int(p[0]) - 200; d < -4 || d > 4 || int(p[3]) != a {
			t.Errorf("alpha %d: %v, want 200,100,7", a, p)
		}
	}
}

// TestBlocksColours checks the colours of both halves of a cell.
func TestBlocksColours(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 2, 2))
	img.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	img.SetRGBA(0, 1, color.RGBA{0, 0, 255, 255})
	img.SetRGBA(1, 0, color.RGBA{0, 0, 0, 255})
	r := testRequest(img, 2, 1)
	r.sampling = Nearest
	want := "\x1b[0;38;2;255;0;0;48;2;0;0;255m▀\x1b[0;38;2;0;0;0m▀\x1b[m"
	if got := (blocks{}).encode(r).view; got != want {
		t.Errorf("view %q, want %q", got, want)
	}
}

func TestParseProtocol(t *testing.T) {
	for p := Auto; p <= Off; p++ {
		if got, err := ParseProtocol(p.String()); got != p || err != nil {
			t.Errorf("ParseProtocol(%q) = %v, %v", p, got, err)
		}
	}
	for _, name := range []string{"", "Kitty", "kitty placements", "regis"} {
		if _, err := ParseProtocol(name); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseProtocol(%q): error %v", name, err)
		}
	}
}

// TestSixelLimit checks that a sixel is no larger than the terminal takes.
func TestSixelLimit(t *testing.T) {
	c := newTestCompositor(t, Options{Protocol: Sixel})
	c.Handle(uv.UnknownCsiEvent("\x1b[?2;0;300;200S"))
	r := testRequest(noisyGradient(90, 60, 9), 80, 40)
	r.limit = c.mode.limit
	e := newSixel().encode(r)
	if e.area().Dx() > 31 || e.area().Dy() > 11 || e.area().Dx() < 30 {
		t.Errorf("area %v, want 300x200 pixels of 10x20", e.area())
	}
}
