package termimg

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

// readInline reads an inline image and its arguments.
func readInline(t *testing.T, b []byte) (image.Image, map[string]string) {
	t.Helper()
	body, ok := bytes.CutPrefix(b, []byte("\x1b]1337;File="))
	body, end := bytes.CutSuffix(body, []byte("\a"))
	head, data, colon := strings.Cut(string(body), ":")
	if !ok || !end || !colon {
		t.Fatalf("sequence %.80q", b)
	}
	args := map[string]string{}
	for _, pair := range strings.Split(head, ";") {
		k, v, _ := strings.Cut(pair, "=")
		args[k] = v
	}
	file, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	if args["size"] != fmt.Sprint(len(file)) || args["inline"] != "1" || args["preserveAspectRatio"] != "0" {
		t.Errorf("arguments %v of a file of %d bytes", args, len(file))
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img, args
}

// TestInlineImages checks that the strips together are exactly the picture, pixel
// by pixel, on the cells that they say.
func TestInlineImages(t *testing.T) {
	half := noisyGradient(30, 30, 90)
	half.SetRGBA(3, 3, color.RGBA{}) // transparent
	for name, test := range map[string]struct {
		img        *image.RGBA
		cols, rows int
	}{
		"smooth": {noisyGradient(90, 60, 0), 30, 15}, "noisy": {noisyGradient(90, 60, 127), 31, 15},
		"with transparent pixels": {half, 9, 5}, "one cell": {half, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := testRequest(test.img, test.cols, test.rows)
			e := iterm2{}.encode(r)
			l := place(r, r.grid, r.grid.pixels())
			want := l.canvas(r)
			got := image.NewRGBA(want.Rect)
			y := l.area.Min.Y
			for _, s := range e.over {
				img, args := readInline(t, s.draw)
				cells := s.area.Size()
				if args["width"] != fmt.Sprint(cells.X) || args["height"] != fmt.Sprint(cells.Y) || cells.Y > inlineRows ||
					img.Bounds().Size() != image.Pt(cells.X*10, cells.Y*20) || s.area.Min.Y != y || cells.X != l.area.Dx() {
					t.Fatalf("strip %v of %v pixels, %v", s.area, img.Bounds(), args)
				}
				draw.Draw(got, img.Bounds().Add(image.Pt(0, (y-l.area.Min.Y)*20)), img, image.Point{}, draw.Src)
				y += cells.Y
			}
			if e.area() != l.area {
				t.Errorf("area %v, want %v", e.area(), l.area)
			}
			for i, v := range want.Pix {
				// PNG files have straight alpha: what is partly transparent is rounded.
				off := int(got.Pix[i]) - int(v)
				if a := want.Pix[i|3]; off != 0 && (a == 0 || a == 255 || max(off, -off) > 1) {
					t.Fatalf("byte %d is %d, want %d", i, got.Pix[i], v)
				}
			}
		})
	}
}

// TestNoiseIsStored checks that noise costs no time to compress, and hardly more
// bytes.
func TestNoiseIsStored(t *testing.T) {
	over := iterm2{}.encode(testRequest(noisyGradient(600, 600, 127), 60, 30)).over
	first, last := len(over[0].draw), len(over[len(over)-2].draw)
	if last < first || float64(last) > 1.2*float64(first) {
		t.Errorf("the first strip takes %d bytes, a later one %d", first, last)
	}
	smooth := iterm2{}.encode(testRequest(noisyGradient(600, 600, 0), 60, 30)).over
	if n := len(smooth[5].draw); n > first/3 {
		t.Errorf("a smooth strip takes %d bytes, a noisy one %d", n, first)
	}
}

// TestPlacementEscapes checks what is sent when: the pixels once, quietly and in
// chunks, and the placement without them.
func TestPlacementEscapes(t *testing.T) {
	e := placements{}.encode(testRequest(noisyGradient(64, 64, 90), 30, 15))
	escapes := strings.SplitAfter(string(e.once), "\x1b\\")
	escapes = escapes[:len(escapes)-1]
	for i, esc := range escapes {
		control, payload, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(esc, "\x1b\\"), "\x1b_G"), ";")
		last := i == len(escapes)-1
		if !strings.Contains(control, "q=2") || strings.Contains(control, "m=0") != last || strings.Contains(control, "a=t") != (i == 0) {
			t.Errorf("escape %d of %d: %q", i, len(escapes), control)
		}
		if len(payload) > kittyChunk || !last && len(payload)%4 != 0 {
			t.Errorf("escape %d has %d bytes", i, len(payload))
		}
	}
	if len(e.over) != 1 || len(e.over[0].draw) > 80 || !strings.Contains(string(e.over[0].draw), "C=1") {
		t.Errorf("over %+v", e.over)
	}
	for name, b := range map[string][]byte{"d=i,i=20,": e.clear, "d=I,i=20,": e.forget} {
		if !strings.Contains(string(b), name) || !strings.Contains(string(b), "q=2") {
			t.Errorf("%q, want %s", b, name)
		}
	}
}

// BenchmarkInlineImages measures a picture of 600x600 pixels.
func BenchmarkInlineImages(b *testing.B) {
	for _, noise := range []int{0, 20, 60} {
		r := testRequest(noisyGradient(600, 600, noise), 60, 30)
		b.Run(fmt.Sprintf("noise %d", noise), func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = 0
				for _, s := range (iterm2{}).encode(r).over {
					size += len(s.draw)
				}
			}
			b.ReportMetric(float64(size), "bytes/picture")
		})
	}
}

// BenchmarkPlacements measures a picture of 600x600 pixels.
func BenchmarkPlacements(b *testing.B) {
	r := testRequest(noisyGradient(600, 600, 20), 60, 30)
	for b.Loop() {
		placements{}.encode(r)
	}
}
