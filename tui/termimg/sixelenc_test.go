package termimg

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"

	"ldx/internal/screentest"
)

// decodeSixel decodes what the encoder wrote.
func decodeSixel(t testing.TB, b []byte) *image.RGBA {
	t.Helper()
	data, ok := bytes.CutPrefix(b, []byte("\x1bP0;1;0q"))
	data, ended := bytes.CutSuffix(data, []byte("\x1b\\"))
	if !ok || !ended {
		t.Fatalf("not a sixel sequence: %.20q ... %q", b, b[max(0, len(b)-10):])
	}
	img, err := screentest.DecodeSixel(data)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// encode returns the whole of img.
func (e *sixelEncoder) encode(img *image.RGBA) []byte {
	return e.append(nil, img, img.Rect.Min.Y, img.Rect.Max.Y)
}

// noisyGradient returns the picture that encoders are measured with: a colour
// gradient and noise.
func noisyGradient(w, h int, noise int) *image.RGBA {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := func(base int) uint8 { return uint8(max(0, min(255, base+r.IntN(2*noise+1)-noise))) }
			img.SetRGBA(x, y, color.RGBA{v(x * 255 / max(1, w-1)), v(y * 255 / max(1, h-1)), v(128), 255})
		}
	}
	return img
}

func TestSixelSizes(t *testing.T) {
	e := newSixelEncoder()
	for _, size := range []image.Point{{1, 1}, {1, 6}, {1, 7}, {3, 5}, {64, 12}, {100, 13}, {257, 31}} {
		img := noisyGradient(size.X, size.Y, 40)
		got := decodeSixel(t, e.encode(img))
		if got.Rect.Size() != size || !got.Opaque() {
			t.Errorf("%v: decoded %v, opaque %t", size, got.Rect.Size(), got.Opaque())
		}
	}
}

// TestSixelColours checks each pixel: it is one of the two levels around its
// value in each primary.
func TestSixelColours(t *testing.T) {
	img := noisyGradient(97, 61, 90)
	got := decodeSixel(t, newSixelEncoder().encode(img))
	for i := range img.Pix {
		steps := []float64{redLevels - 1, greenLevels - 1, blueLevels - 1, 1}[i%4]
		if d := math.Abs(float64(img.Pix[i]) - float64(got.Pix[i])); d > 255/steps+2 {
			t.Fatalf("byte %d: %d became %d, further than a level", i, img.Pix[i], got.Pix[i])
		}
	}
}

// TestSixelQuality checks that dither averages out, where a picture is smooth and
// where it is noisy, and in boxes that are not the blocks that are dithered by
// themselves, too.
func TestSixelQuality(t *testing.T) {
	for _, c := range []struct{ noise, offset, want int }{{0, 0, 48}, {0, 2, 48}, {24, 0, 47}, {24, 2, 39}} {
		img := noisyGradient(512, 512, c.noise)
		got := decodeSixel(t, newSixelEncoder().encode(img))
		part := image.Rect(c.offset, c.offset, 512, 512)
		if psnr := boxPSNR(sub(img, part), sub(got, part), 4); psnr < float64(c.want) {
			t.Errorf("noise %d, boxes from %d: 4x4-box PSNR %.1f dB, want %d", c.noise, c.offset, psnr, c.want)
		}
	}
}

// sub returns a part of a picture.
func sub(img *image.RGBA, part image.Rectangle) *image.RGBA {
	return img.SubImage(part).(*image.RGBA) //nolint:forcetypeassert // what RGBA gives
}

// boxPSNR compares pictures by the means of n×n boxes, in decibels.
func boxPSNR(a, b *image.RGBA, n int) float64 {
	var sum, count float64
	for y := 0; y+n <= a.Rect.Dy(); y += n {
		for x := 0; x+n <= a.Rect.Dx(); x += n {
			for c := range 3 {
				d := 0
				for i := range n * n {
					x, y := x+i%n, y+i/n
					d += int(a.Pix[y*a.Stride+4*x+c]) - int(b.Pix[y*b.Stride+4*x+c])
				}
				mean := float64(d) / float64(n*n)
				sum += mean * mean
				count++
			}
		}
	}
	return 10 * math.Log10(255*255*count/max(sum, 1e-9))
}

func TestSixelTransparency(t *testing.T) {
	img := noisyGradient(20, 20, 10)
	hole := image.Rect(5, 3, 12, 17)
	for y := hole.Min.Y; y < hole.Max.Y; y++ {
		for x := hole.Min.X; x < hole.Max.X; x++ {
			img.SetRGBA(x, y, color.RGBA{})
		}
	}
	got := decodeSixel(t, newSixelEncoder().encode(img))
	for y := range 20 {
		for x := range 20 {
			if drawn := got.RGBAAt(x, y).A != 0; drawn == (image.Point{X: x, Y: y}).In(hole) {
				t.Fatalf("pixel %d,%d drawn: %t", x, y, drawn)
			}
		}
	}
}

// TestSixelDeterministic checks that neither buffers nor earlier pictures leave
// a trace in the output, and that the caller owns it.
func TestSixelDeterministic(t *testing.T) {
	e := newSixelEncoder()
	a, b := noisyGradient(60, 40, 50), noisyGradient(33, 70, 5)
	first := e.encode(a)
	kept := bytes.Clone(first)
	e.encode(b)
	if !bytes.Equal(first, kept) {
		t.Error("a later picture changed an earlier one's output")
	}
	if !bytes.Equal(e.encode(a), kept) || !bytes.Equal(newSixelEncoder().encode(a), kept) {
		t.Error("the same picture gave different bytes")
	}
	if bytes.Contains(kept, []byte("-\x1b")) {
		t.Error("a trailing new line")
	}
}

// TestSixelStrips checks that the strips of a picture, wherever it is cut, are
// the whole of it, and that a part of a larger picture is its own one.
func TestSixelStrips(t *testing.T) {
	large := noisyGradient(80, 90, 12)
	part := image.Rect(3, 7, 70, 83)
	img := sub(large, part)
	copied := image.NewRGBA(image.Rectangle{Max: part.Size()})
	draw.Draw(copied, copied.Rect, img, part.Min, draw.Src)
	e := newSixelEncoder()
	whole := decodeSixel(t, e.encode(copied))
	for _, height := range []int{1, 6, 17, 20, 100} {
		got := image.NewRGBA(whole.Rect)
		for y := part.Min.Y; y < part.Max.Y; y += height {
			bottom := min(y+height, part.Max.Y)
			strip := decodeSixel(t, e.append(nil, img, y, bottom))
			if want := image.Pt(part.Dx(), bottom-y); strip.Rect.Size() != want {
				t.Fatalf("strip of %v, want %v", strip.Rect.Size(), want)
			}
			draw.Draw(got, strip.Rect.Add(image.Pt(0, y-part.Min.Y)), strip, image.Point{}, draw.Src)
		}
		if !bytes.Equal(got.Pix, whole.Pix) {
			t.Errorf("strips of %d rows are not the whole picture", height)
		}
	}
}

// TestSixelAppends checks that what is there stays, and that nothing is allocated
// once there is room.
func TestSixelAppends(t *testing.T) {
	img, e := noisyGradient(128, 100, 24), newSixelEncoder()
	b := e.append([]byte("before"), img, 0, 100)
	if !bytes.Equal(b, append([]byte("before"), e.encode(img)...)) {
		t.Error("what was in the buffer changed, or what follows it")
	}
	if n := testing.AllocsPerRun(10, func() { b = e.append(b[:0], img, 0, 100) }); n != 0 {
		t.Errorf("%v allocations a picture, want 0", n)
	}
}

// TestSixelBlankEnd checks that nothing follows the last pixels: a new line there
// may scroll the terminal.
func TestSixelBlankEnd(t *testing.T) {
	img := noisyGradient(10, 40, 10)
	clear(img.Pix[20*img.Stride:])
	clear(img.Pix[:9*img.Stride])
	b := newSixelEncoder().encode(img)
	if n := bytes.Count(b, []byte("-")); n != 3 || bytes.HasSuffix(b, []byte("-\x1b\\")) {
		t.Errorf("%d new lines for pixels in the fourth band: %q", n, b)
	}
	if got := decodeSixel(t, b); got.Rect != img.Rect || got.RGBAAt(0, 19).A == 0 {
		t.Errorf("decoded %v", got.Rect)
	}
}

// TestSixelRuns checks that long runs are written as such.
func TestSixelRuns(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 4096, 6))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	clear(img.Pix[4*100 : 4*3000])
	b := newSixelEncoder().encode(img)
	if !bytes.Contains(b, []byte("!100~!2900}!1096~")) {
		t.Errorf("%q", b)
	}
}

func FuzzSixel(f *testing.F) {
	f.Add([]byte{1, 2, 3, 255}, uint8(1))
	f.Add(bytes.Repeat([]byte{9, 200, 30, 255, 0, 0, 0, 0}, 40), uint8(8))
	f.Fuzz(func(t *testing.T, pix []byte, width uint8) {
		w := int(width)
		if w == 0 || len(pix) < 4*w || len(pix) > 1<<14 {
			return
		}
		img := &image.RGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, len(pix)/(4*w))}
		got := decodeSixel(t, newSixelEncoder().encode(img))
		for y := range img.Rect.Dy() {
			for x := range w {
				if got.RGBAAt(x, y).A>>7 != img.RGBAAt(x, y).A>>7 {
					t.Fatalf("pixel %d,%d: alpha %d became %d", x, y, img.RGBAAt(x, y).A, got.RGBAAt(x, y).A)
				}
			}
		}
	})
}

func BenchmarkSixel(b *testing.B) {
	for name, noise := range map[string]int{"gradient": 0, "noise": 24} {
		b.Run(name, func(b *testing.B) {
			img, e := noisyGradient(512, 512, noise), newSixelEncoder()
			frame := e.encode(img)
			b.ReportAllocs()
			for b.Loop() {
				frame = e.append(frame[:0], img, 0, 512)
			}
			b.ReportMetric(float64(len(frame))/1024, "KiB")
		})
	}
}
