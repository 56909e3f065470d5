package termimg

import (
	"bytes"
	"image"
	"image/color"
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

// TestSixelQuality checks that dither averages out: flat areas of 8x8 pixels
// keep their colour.
func TestSixelQuality(t *testing.T) {
	img := noisyGradient(512, 512, 0)
	got := decodeSixel(t, newSixelEncoder().encode(img))
	if psnr := boxPSNR(img, got, 4); psnr < 40 {
		t.Errorf("4x4-box PSNR %.1f dB, want 40", psnr)
	}
}

// boxPSNR compares pictures by the means of n×n boxes, in decibels.
func boxPSNR(a, b *image.RGBA, n int) float64 {
	var sum, count float64
	for y := 0; y+n <= a.Rect.Dy(); y += n {
		for x := 0; x+n <= a.Rect.Dx(); x += n {
			for c := range 3 {
				d := 0
				for i := range n * n {
					at := a.PixOffset(x+i%n, y+i/n) + c
					d += int(a.Pix[at]) - int(b.Pix[at])
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
			img := noisyGradient(512, 512, noise)
			e := newSixelEncoder()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(e.encode(img))
			}
			b.ReportMetric(float64(n)/1024, "KiB")
		})
	}
}
