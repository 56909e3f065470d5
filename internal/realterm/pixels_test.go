package realterm

import (
	"image"
	"image/png"
	"math"
	"os"
	"testing"
)

// shotsVariable names a folder for the screens of failed tests.
const shotsVariable = "LDX_REALTERM_SHOTS"

// keepShot writes a screen to the folder for them, if there is one, and says so.
func keepShot(t testing.TB, img *image.RGBA) string {
	dir := os.Getenv(shotsVariable)
	if dir == "" || img == nil {
		return ""
	}
	f, err := os.CreateTemp(dir, "shot-*.png")
	if err == nil {
		err = png.Encode(f, img)
	}
	if err != nil {
		t.Fatalf("keep the screen: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return "; see " + f.Name()
}

// boxSide is the side of the squares whose means are compared: dither averages
// out over them.
const boxSide = 4

// boxPSNR compares two pictures of one size by the means of small squares, in
// decibels.
func boxPSNR(a, b *image.RGBA) float64 {
	var sum, count float64
	size := a.Rect.Size()
	for y := 0; y+boxSide <= size.Y; y += boxSide {
		for x := 0; x+boxSide <= size.X; x += boxSide {
			p := boxMean(a, a.Rect.Min.Add(image.Pt(x, y)))
			q := boxMean(b, b.Rect.Min.Add(image.Pt(x, y)))
			for c := range p {
				sum += (p[c] - q[c]) * (p[c] - q[c])
				count++
			}
		}
	}
	return 10 * math.Log10(255*255*count/max(sum, 1e-9))
}

// boxMean returns the mean colour of a square.
func boxMean(img *image.RGBA, at image.Point) (mean [3]float64) {
	for y := range boxSide {
		for x := range boxSide {
			i := img.PixOffset(at.X+x, at.Y+y)
			for c := range mean {
				mean[c] += float64(img.Pix[i+c]) / (boxSide * boxSide)
			}
		}
	}
	return mean
}

// fitted returns where a picture of a size is shown in a box: as large as fits,
// with its aspect kept, in the middle.
func fitted(size image.Point, box image.Rectangle) image.Rectangle {
	w, h := float64(box.Dx()), float64(box.Dy())
	if scale := float64(size.X) / float64(size.Y); w > h*scale {
		w = h * scale
	} else {
		h = w / scale
	}
	got := image.Pt(int(math.Round(w)), int(math.Round(h)))
	at := box.Min.Add(box.Size().Sub(got).Div(2))
	return image.Rectangle{Min: at, Max: at.Add(got)}
}

// crop returns a part of the screen; it shares its pixels.
func crop(img *image.RGBA, r image.Rectangle) *image.RGBA {
	return img.SubImage(r).(*image.RGBA)
}

// pieces returns the smallest rectangles around the pixels of pictures outside of
// a rectangle, and around those inside that are of none.
func pieces(img *image.RGBA, in image.Rectangle) (outside, missing image.Rectangle) {
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			p := image.Pt(x, y)
			red := img.Pix[img.PixOffset(x, y)] >= minRed
			switch at := (image.Rectangle{Min: p, Max: p.Add(image.Pt(1, 1))}); {
			case red == p.In(in):
			case red:
				outside = outside.Union(at)
			default:
				missing = missing.Union(at)
			}
		}
	}
	return outside, missing
}
