package termimg

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"
)

// emoji returns a picture like one: flat and shaded discs with antialiased
// edges on white.
func emoji(size int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	disc := func(cx, cy, radius float64, c [3]float64, shade float64) {
		for y := range size {
			for x := range size {
				dx, dy := float64(x)/float64(size)-cx, float64(y)/float64(size)-cy
				cover := max(0, min(1, (radius-math.Hypot(dx, dy))*float64(size)))
				p := img.Pix[img.PixOffset(x, y):]
				for i := range c {
					p[i] = uint8(float64(p[i])*(1-cover) + c[i]*(1-shade*max(0, dx+dy)/radius)*cover)
				}
			}
		}
	}
	disc(0.5, 0.5, 0.42, [3]float64{255, 204, 50}, 0.4)
	disc(0.35, 0.4, 0.06, [3]float64{102, 68, 20}, 0)
	disc(0.65, 0.4, 0.06, [3]float64{102, 68, 20}, 0)
	disc(0.5, 0.66, 0.14, [3]float64{180, 40, 60}, 0.8)
	return img
}

// meanPSNR is the 4x4-box PSNR over boxes that begin anywhere.
func meanPSNR(a, b *image.RGBA) float64 {
	sum := 0.0
	for offset := range 16 {
		part := image.Rect(offset%4, offset/4, a.Rect.Dx(), a.Rect.Dy())
		sum += math.Pow(10, -boxPSNR(sub(a, part), sub(b, part), 4)/10)
	}
	return -10 * math.Log10(sum/16)
}

// still encodes a picture as a whole.
func still(img *image.RGBA) []byte {
	e := newStillEncoder()
	e.prepare(img)
	return e.append(nil, img, img.Rect.Min.Y, img.Rect.Max.Y)
}

// TestStillQuality compares with the live encoder.
func TestStillQuality(t *testing.T) {
	for name, c := range map[string]struct {
		img  *image.RGBA
		gain float64
	}{
		"gradient": {noisyGradient(160, 160, 0), 0},
		"clean":    {noisyGradient(512, 512, 0), 0}, // none better than live
		"grain":    {noisyGradient(160, 160, 4), 0},
		"noise":    {noisyGradient(160, 160, 24), 6},
		"emoji":    {emoji(160), 2},
	} {
		live := meanPSNR(c.img, decodeSixel(t, newSixelEncoder().encode(c.img)))
		got := meanPSNR(c.img, decodeSixel(t, still(c.img)))
		if got < live+c.gain || got < 45 {
			t.Errorf("%s: %.1f dB, live %.1f, want %.0f more, and 45", name, got, live, c.gain)
		}
	}
}

// TestStillFewColours checks that a picture of few colours keeps them, as near as
// sixels can tell, and that nothing is dithered.
func TestStillFewColours(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for i := range 60 * 40 {
		v := uint8(i / 10)
		img.SetRGBA(i%60, i/60, color.RGBA{v, 255 - v, v / 3, 255})
	}
	got := decodeSixel(t, still(img))
	for i := range img.Pix {
		if d := int(img.Pix[i]) - int(got.Pix[i]); d < -2 || d > 2 {
			t.Fatalf("byte %d: %d became %d", i, img.Pix[i], got.Pix[i])
		}
	}
}

func TestStillStrips(t *testing.T) {
	part := image.Rect(3, 7, 70, 83)
	for _, noise := range []int{0, 20} {
		img := sub(noisyGradient(80, 90, noise), part)
		e := newStillEncoder()
		e.prepare(img)
		whole := decodeSixel(t, e.append(nil, img, 7, 83))
		if psnr := boxPSNR(img, whole, 4); psnr < 40 {
			t.Errorf("noise %d: %.1f dB", noise, psnr)
		}
		got := image.NewRGBA(whole.Rect)
		for y := 0; y < 76; y += 20 {
			strip := decodeSixel(t, e.append(nil, img, 7+y, 7+min(y+20, 76)))
			draw.Draw(got, strip.Rect.Add(image.Pt(0, y)), strip, image.Point{}, draw.Src)
		}
		if !bytes.Equal(got.Pix, whole.Pix) {
			t.Errorf("noise %d: strips are not the whole picture", noise)
		}
	}
}

// TestStillDeterministic checks that earlier pictures leave no trace.
func TestStillDeterministic(t *testing.T) {
	a, b := noisyGradient(60, 40, 50), emoji(70)
	e := newStillEncoder()
	for _, img := range []*image.RGBA{a, b, a} {
		e.prepare(img)
		if !bytes.Equal(e.append(nil, img, 0, img.Rect.Dy()), still(img)) {
			t.Error("the same picture gave different bytes")
		}
	}
}

// TestNearestColour compares with a search of the whole palette.
func TestNearestColour(t *testing.T) {
	img := noisyGradient(255, 4, 127)
	palette := make([][3]uint8, 255)
	for i := range palette {
		palette[i] = [3]uint8(img.Pix[4*i:])
	}
	f := &nearestColour{}
	f.reset(palette[:3])
	f.find(rgb{1, 2, 3})
	f.reset(palette)
	square := func(d rgb) int32 { return d[0]*d[0] + d[1]*d[1] + d[2]*d[2] }
	for i := 0; i < len(img.Pix); i += 4 {
		c := rgb{int32(img.Pix[i]), int32(img.Pix[i+1]), int32(img.Pix[i+2])}
		got := square(c.minus(palette[f.find(c)]))
		for _, p := range palette {
			if square(c.minus(p)) < got {
				t.Fatalf("%v: %v is nearer than what was found", c, p)
			}
		}
	}
}

func FuzzStill(f *testing.F) {
	f.Add([]byte{1, 2, 3, 255}, uint8(1))
	f.Add(noisyGradient(32, 30, 90).Pix, uint8(32))
	f.Fuzz(func(t *testing.T, pix []byte, width uint8) {
		w := int(width)
		if w == 0 || len(pix) < 4*w || len(pix) > 1<<13 {
			return
		}
		img := &image.RGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, len(pix)/(4*w))}
		got := decodeSixel(t, still(img))
		for y := range img.Rect.Dy() {
			for x := range w {
				if got.RGBAAt(x, y).A>>7 != img.RGBAAt(x, y).A>>7 {
					t.Fatalf("pixel %d,%d: alpha %d became %d", x, y, img.RGBAAt(x, y).A, got.RGBAAt(x, y).A)
				}
			}
		}
	})
}

func BenchmarkStill(b *testing.B) {
	for name, img := range map[string]*image.RGBA{"noise": noisyGradient(512, 512, 24), "emoji": emoji(512)} {
		b.Run(name, func(b *testing.B) {
			e := newStillEncoder()
			var frame []byte
			for b.Loop() {
				e.prepare(img)
				frame = e.append(frame[:0], img, 0, 512)
			}
			b.ReportMetric(float64(len(frame))/1024, "KiB")
		})
	}
}
