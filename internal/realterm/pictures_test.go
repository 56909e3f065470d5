package realterm

import (
	"image"
	"image/color"
	"math/rand/v2"
)

// picture makes the n-th picture of a size.
type picture func(size image.Point, n int) image.Image

// pictures returns the demo's pictures by their names.
func pictures() map[string]picture {
	return map[string]picture{
		"":       func(image.Point, int) image.Image { return nil },
		"smooth": func(size image.Point, _ int) image.Image { return gradient(size, 0) },
		"noisy":  func(size image.Point, _ int) image.Image { return gradient(size, 24) },
		"warm":   func(size image.Point, n int) image.Image { return warm(size, n) },
		"signed": func(size image.Point, n int) image.Image { return signed(size, n) },
	}
}

// gradient returns a colour gradient and noise.
func gradient(size image.Point, noise int) *image.RGBA {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			v := func(base int) uint8 { return uint8(max(0, min(255, base+r.IntN(2*noise+1)-noise))) }
			img.SetRGBA(x, y, color.RGBA{v(x * 255 / max(1, size.X-1)), v(y * 255 / max(1, size.Y-1)), v(128), 255})
		}
	}
	return img
}

// warmRed is the least red in the warm and the signed pictures, and minRed the
// least that dither or scaling makes of it: no text has that much.
const warmRed, minRed = 96, 40

// warm returns a gradient that is nowhere without red. Its blue tells it from
// the one before.
func warm(size image.Point, n int) *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			img.SetRGBA(x, y, warmAt(float64(x)/float64(size.X), float64(y)/float64(size.Y), n))
		}
	}
	return img
}

// warmAt returns the colour of a warm picture at a place, 0 to 1 each way.
func warmAt(u, v float64, n int) color.RGBA {
	return color.RGBA{uint8(warmRed + (255-warmRed)*u), uint8(255 * v), uint8(n % 4 * 85), 255}
}

// signatures are the colours at the sides of the signed pictures, in turn. They
// are shown without dither.
func signatures() []color.RGBA {
	return []color.RGBA{{255, 0, 0, 255}, {255, 255, 0, 255}, {255, 0, 255, 255}, {255, 255, 255, 255}}
}

// signatureWidth is the width of the signature at either side, in pixels.
const signatureWidth = 8

// signed returns a picture with its signature at both sides.
func signed(size image.Point, n int) *image.RGBA {
	img := warm(size, n)
	signature := signatures()[n%len(signatures())]
	for y := range size.Y {
		for x := range min(signatureWidth, size.X/2) {
			img.SetRGBA(x, y, signature)
			img.SetRGBA(size.X-1-x, y, signature)
		}
	}
	return img
}
