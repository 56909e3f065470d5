package termimg

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// showBlocks returns the pixels that a terminal with cells of so many pixels
// shows for a block of characters.
func showBlocks(t testing.TB, view string, cell image.Point) *image.RGBA {
	t.Helper()
	lines := strings.Split(view, "\n")
	out := image.NewRGBA(image.Rect(0, 0, ansi.StringWidth(lines[0])*cell.X, len(lines)*cell.Y))
	for y, line := range lines {
		var fg, bg color.RGBA
		x := 0
		for len(line) > 0 {
			if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
				sgr, after, _ := strings.Cut(rest, "m")
				fg, bg = readSGR(t, sgr)
				line = after
				continue
			}
			glyph := []rune(line)[0]
			line = line[len(string(glyph)):]
			at := image.Pt(x*cell.X, y*cell.Y)
			showGlyph(t, out.SubImage(image.Rectangle{Min: at, Max: at.Add(cell)}).(*image.RGBA), glyph, fg, bg)
			x++
		}
	}
	return out
}

// readSGR reads the colours of a sequence that begins with a reset.
func readSGR(t testing.TB, sgr string) (fg, bg color.RGBA) {
	t.Helper()
	var n []int
	for _, s := range strings.Split(sgr, ";") {
		v, err := strconv.Atoi("0" + s)
		if err != nil {
			t.Fatalf("SGR %q: %v", sgr, err)
		}
		n = append(n, v)
	}
	for n = n[1:]; len(n) > 0; {
		c := &fg
		if n[0] == 48 {
			c = &bg
		}
		if n[1] == 5 {
			*c = color.RGBAModel.Convert(ansi.IndexedColor(n[2])).(color.RGBA)
			n = n[3:]
			continue
		}
		*c = color.RGBA{uint8(n[2]), uint8(n[3]), uint8(n[4]), 255}
		n = n[5:]
	}
	return fg, bg
}

// showGlyph draws a block character, by what Unicode says of it.
func showGlyph(t testing.TB, img *image.RGBA, glyph rune, fg, bg color.RGBA) {
	t.Helper()
	draw.Draw(img, img.Rect, image.NewUniform(bg), image.Point{}, draw.Src)
	r, mask := raster{cols: 2, rows: 2}, -1
	for m := range uint(16) {
		if quadrant(m) == glyph {
			mask = int(m)
		}
	}
	if mask < 0 && glyph >= 0x1FB00 && glyph <= 0x1FB3B {
		r.rows = 3
		for m := range uint(64) {
			if sextant(m) == glyph {
				mask = int(m)
			}
		}
	}
	if mask < 0 {
		t.Fatalf("character %q", glyph)
	}
	size := img.Rect.Size()
	for y := range size.Y {
		for x := range size.X {
			part := y*r.rows/size.Y*r.cols + x*r.cols/size.X
			if mask>>part&1 == 1 {
				img.SetRGBA(img.Rect.Min.X+x, img.Rect.Min.Y+y, fg)
			}
		}
	}
}

// squaresPSNR compares pictures of the same size, in decibels, by the means of squares
// of n pixels.
func squaresPSNR(t testing.TB, a, b *image.RGBA, n int) float64 {
	t.Helper()
	if a.Rect != b.Rect {
		t.Fatalf("sizes %v and %v", a.Rect, b.Rect)
	}
	sum, count := 0.0, 0.0
	for y := 0; y+n <= a.Rect.Max.Y; y += n {
		for x := 0; x+n <= a.Rect.Max.X; x += n {
			for c := range 3 {
				d := 0.0
				for i := range n * n {
					o := a.PixOffset(x+i%n, y+i/n) + c
					d += float64(a.Pix[o]) - float64(b.Pix[o])
				}
				d /= float64(n * n)
				sum += d * d
				count++
			}
		}
	}
	return 10 * math.Log10(255*255*count/max(sum, 1e-9))
}

// smiley returns a picture like an emoji: a disc with a smile on black.
func smiley(n int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			u, v := 2*float64(x)/float64(n)-1, 2*float64(y)/float64(n)-1
			c := color.RGBA{0, 0, 0, 255}
			if d := math.Hypot(u, v); d < 0.9 {
				c = color.RGBA{255, uint8(230 - 60*d), 40, 255}
				if math.Hypot(math.Abs(u)-0.33, v+0.25) < 0.13 || d > 0.5 && d < 0.62 && v > 0.15 {
					c = color.RGBA{90, 50, 10, 255}
				}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// blocksCases are pictures, and what block characters must make of them in a block
// of 60x30: the least PSNR by pixels of a cell of 10x20, for each set of
// characters, and in 256 colours by squares of two cells.
func blocksCases() map[string]struct {
	img     *image.RGBA
	least   map[glyphSet]float64
	indexed float64
} {
	return map[string]struct {
		img     *image.RGBA
		least   map[glyphSet]float64
		indexed float64
	}{
		"smooth":       {noisyGradient(512, 512, 0), map[glyphSet]float64{halves: 47.4, quadrants: 47.4, sextants: 47.4}, 31.5},
		"emoji":        {smiley(512), map[glyphSet]float64{halves: 23, quadrants: 23.8, sextants: 25.1}, 30.5},
		"small emoji":  {smiley(64), map[glyphSet]float64{halves: 25, quadrants: 26.2, sextants: 27.7}, 30.5},
		"noisy":        {noisyGradient(512, 512, 60), map[glyphSet]float64{halves: 19.4, quadrants: 19.4, sextants: 19.5}, 31},
		"small, noisy": {noisyGradient(64, 64, 60), map[glyphSet]float64{halves: 23.2, quadrants: 23.7, sextants: 24.3}, 28},
	}
}

// TestBlocksQuality holds what a terminal shows against the picture: more
// characters never make it worse.
func TestBlocksQuality(t *testing.T) {
	for name, test := range blocksCases() {
		t.Run(name, func(t *testing.T) {
			before := 0.0
			for _, g := range []glyphSet{halves, quadrants, sextants} {
				r := testRequest(test.img, 60, 30)
				got := showBlocks(t, blocks{g}.encode(r).view, r.grid.cell)
				want := (&scaler{}).scale(test.img, got.Rect.Max, Smooth)
				exact := squaresPSNR(t, got, want, 1)
				r.profile = colorprofile.ANSI256
				got = showBlocks(t, blocks{g}.encode(r).view, r.grid.cell)
				indexed := squaresPSNR(t, got, want, 20)
				t.Logf("%-11s %.1f dB, in 256 colours %.1f dB by 20x20", g, exact, indexed)
				if exact < test.least[g] || indexed < test.indexed || exact < before-0.05 {
					t.Errorf("%s: %.1f dB, want %.1f; in 256 colours %.1f dB, want %.1f", g, exact, test.least[g], indexed, test.indexed)
				}
				before = exact
			}
		})
	}
}

// TestDitherBeatsNearest checks that a gradient has no bands in 256 colours: over
// squares, it is much nearer to the picture than what the nearest colours show.
func TestDitherBeatsNearest(t *testing.T) {
	r := testRequest(noisyGradient(512, 512, 0), 60, 30)
	nearest := showBlocks(t, blocks{halves}.encode(r).view, r.grid.cell)
	want := (&scaler{}).scale(r.img, nearest.Rect.Max, Smooth)
	for i := 0; i < len(nearest.Pix); i += 4 {
		p := nearest.Pix[i : i+4]
		c := color.RGBAModel.Convert(colorprofile.ANSI256.Convert(color.RGBA{p[0], p[1], p[2], 255})).(color.RGBA)
		p[0], p[1], p[2] = c.R, c.G, c.B
	}
	r.profile = colorprofile.ANSI256
	dithered := showBlocks(t, blocks{halves}.encode(r).view, r.grid.cell)
	for square, gain := range map[int]float64{20: 6, 40: 12} {
		a, b := squaresPSNR(t, dithered, want, square), squaresPSNR(t, nearest, want, square)
		if t.Logf("squares of %d: dithered %.1f dB, nearest %.1f dB", square, a, b); a < b+gain {
			t.Errorf("squares of %d: dithered %.1f dB, nearest %.1f dB", square, a, b)
		}
	}
}

// TestIndexed checks that the dither of each value averages to it, within what the
// palette has, and keeps to the colours that no theme changes.
func TestIndexed(t *testing.T) {
	for v := range 256 {
		for name, c := range map[string]color.RGBA{
			"grey": {uint8(v), uint8(v), uint8(v), 255}, "red": {uint8(v), 0, 255, 255}, "green": {255, uint8(v), 0, 255},
		} {
			var sum [3]float64
			for threshold := range bayerSize * bayerSize {
				i := indexed(c, threshold)
				if i < cubeStart {
					t.Fatalf("%s %d: colour %d is the user's", name, v, i)
				}
				got := color.RGBAModel.Convert(ansi.IndexedColor(i)).(color.RGBA)
				for k, v := range [3]uint8{got.R, got.G, got.B} {
					sum[k] += float64(v) / (bayerSize * bayerSize)
				}
			}
			for k, want := range [3]uint8{c.R, c.G, c.B} {
				if d := math.Abs(sum[k] - float64(want)); d > 1 {
					t.Errorf("%s %d: averages to %.1f", name, v, sum)
				}
			}
		}
	}
}

// TestGlyphTables checks the characters against their names' order in Unicode.
func TestGlyphTables(t *testing.T) {
	seen := map[rune]bool{}
	last := rune(0x1FB00 - 1)
	for mask := range uint(64) {
		r := sextant(mask)
		if seen[r] {
			t.Errorf("mask %06b: %c again", mask, r)
		}
		seen[r] = true
		if w := ansi.StringWidth(string(r)); w != 1 {
			t.Errorf("%c is %d wide", r, w)
		}
		if r >= 0x1FB00 {
			if r != last+1 {
				t.Errorf("mask %06b is %U after %U", mask, r, last)
			}
			last = r
		}
	}
	if last != 0x1FB3B {
		t.Errorf("the last sextant is %U", last)
	}
	for mask := range uint(16) {
		if w := ansi.StringWidth(string(quadrant(mask))); w != 1 {
			t.Errorf("%c is %d wide", quadrant(mask), w)
		}
	}
}

// TestBlocksEdges checks that the parts of a cell that the picture leaves free stay
// the terminal's, and that a picture ends where it should.
func TestBlocksEdges(t *testing.T) {
	white := image.NewRGBA(image.Rect(0, 0, 30, 30))
	draw.Draw(white, white.Rect, image.White, image.Point{}, draw.Src)
	for _, g := range []glyphSet{halves, quadrants, sextants} {
		for rows := 1; rows < 9; rows++ {
			r := testRequest(white, 9, rows)
			view := blocks{g}.encode(r).view
			got := showBlocks(t, view, r.grid.cell)
			side := min(90, 20*rows)
			inked := 0
			for i := 3; i < len(got.Pix); i += 4 {
				if got.Pix[i] != 0 {
					inked++
				}
			}
			// Half a part of a cell can be missing, or be too much, at each edge.
			if short := side - 10; inked < short*short || inked > (side+10)*(side+10) {
				t.Errorf("%s in %d rows: %d pixels, want about %d²", g, rows, inked, side)
			}
			if strings.Contains(view, "48;2;0;0;0") {
				t.Errorf("%s in %d rows: black next to the picture: %q", g, rows, view)
			}
		}
	}
}

// TestWholePixels checks that enlarged pixels of a latent are the same in all sets
// of characters.
func TestWholePixels(t *testing.T) {
	r := testRequest(noisyGradient(16, 16, 90), 40, 20)
	r.sampling = Nearest
	want := blocks{halves}.encode(r).view
	for _, g := range []glyphSet{quadrants, sextants} {
		if got := (blocks{g}).encode(r).view; got != want {
			t.Errorf("%s shows something else", g)
		}
	}
}

// TestShrink checks the mean of areas that begin and end within pixels.
func TestShrink(t *testing.T) {
	img := noisyGradient(50, 35, 90)
	for _, size := range []image.Point{{1, 1}, {7, 5}, {32, 9}, {33, 23}, {25, 7}, {50, 35}} {
		got := shrink(img, size)
		for y := range size.Y {
			for x := range size.X {
				want := areaMean(img, float64(x*50)/float64(size.X), float64(y*35)/float64(size.Y),
					float64((x+1)*50)/float64(size.X), float64((y+1)*35)/float64(size.Y))
				if d := math.Abs(want - float64(got.RGBAAt(x, y).R)); d > 0.51 {
					t.Fatalf("%v: pixel %d,%d is %v, want a red of %.2f", size, x, y, got.RGBAAt(x, y), want)
				}
			}
		}
	}
}

// areaMean returns the mean red of an area.
func areaMean(img *image.RGBA, left, top, right, bottom float64) float64 {
	sum := 0.0
	for y := range img.Rect.Max.Y {
		for x := range img.Rect.Max.X {
			w := max(0, min(right, float64(x+1))-max(left, float64(x)))
			h := max(0, min(bottom, float64(y+1))-max(top, float64(y)))
			sum += w * h * float64(img.RGBAAt(x, y).R)
		}
	}
	return sum / (right - left) / (bottom - top)
}

// FuzzBlocks checks that any picture in any block gives a block of its size, the
// same each time.
func FuzzBlocks(f *testing.F) {
	f.Add(9, 7, 5, 3, 0, uint8(3), []byte{1, 2, 3, 255})
	f.Fuzz(func(t *testing.T, w, h, cols, rows, set int, profile uint8, pix []byte) {
		if w < 1 || h < 1 || cols < 1 || rows < 1 || set < 0 || w > 40 || h > 40 || cols > 20 || rows > 20 || set > 2 {
			return
		}
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		copy(img.Pix, pix)
		r := testRequest(img, cols, rows)
		r.profile = colorprofile.Profile(profile % 6)
		view := blocks{glyphSet(set)}.encode(r).view
		if view != (blocks{glyphSet(set)}).encode(r).view {
			t.Fatal("another view the second time")
		}
		lines := strings.Split(view, "\n")
		for _, l := range lines {
			if len(lines) != rows || ansi.StringWidth(l) != cols {
				t.Fatalf("%dx%d: %q", cols, rows, view)
			}
		}
	})
}

func BenchmarkBlocks(b *testing.B) {
	for _, n := range []int{64, 512} {
		img := noisyGradient(n, n, 40)
		for _, g := range []glyphSet{halves, quadrants, sextants} {
			for _, p := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
				b.Run(fmt.Sprintf("%s/%d/%s", g, n, p), func(b *testing.B) {
					r := testRequest(img, 60, 30)
					r.profile = p
					b.ReportAllocs()
					for b.Loop() {
						blocks{g}.encode(r)
					}
				})
			}
		}
	}
}
