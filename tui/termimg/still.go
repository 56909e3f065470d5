package termimg

import (
	"encoding/binary"
	"image"
)

// stillEncoder encodes a picture that stays, as sixels. It takes its time: it
// makes a palette for the picture, diffuses errors and then tunes single pixels.
// Where that comes out no better than what sixelEncoder does, as with clean
// gradients, it leaves the picture to one. The same picture always gives the same
// bytes. An encoder keeps its buffers and is not safe for concurrent use.
type stillEncoder struct {
	palette   stillPalette
	nearest   nearestColour
	diffusion diffusion
	tuning    tuning
	// colours are those of the pixels, row by row.
	colours []uint8
	writer  sixelWriter
	// live encodes the picture if useLive is set.
	live    *sixelEncoder
	useLive bool
}

// newStillEncoder returns an encoder.
func newStillEncoder() *stillEncoder { return &stillEncoder{live: newSixelEncoder()} }

// prepare chooses the colours of img's pixels, for append. Pixels that are more
// than half transparent have none.
func (e *stillEncoder) prepare(img *image.RGBA) {
	if n := img.Rect.Dx() * img.Rect.Dy(); len(e.colours) != n {
		e.colours = make([]uint8, n)
	}
	e.useLive = false
	exact := e.palette.choose(img)
	palette := e.palette.colours
	for i, c := range palette {
		e.writer.setColour(i, toPercent(float64(c[0])), toPercent(float64(c[1])), toPercent(float64(c[2])))
	}
	e.nearest.reset(palette)
	if exact {
		e.match(img)
		return
	}
	e.live.colours(img, e.colours)
	e.tuning.load(img, e.live.palette[:], e.colours)
	limit := e.tuning.cost(img, e.live.palette[:], e.colours)

	e.diffusion.run(img, &e.nearest, e.colours)
	e.tuning.load(img, palette, e.colours)
	for range tuningRounds {
		e.tuning.run(&e.nearest, e.colours)
	}
	e.useLive = e.tuning.cost(img, palette, e.colours) >= limit
}

// match gives each pixel the nearest colour.
func (e *stillEncoder) match(img *image.RGBA) {
	out := e.colours
	for y := range img.Rect.Dy() {
		for pix := pixelRow(img, y); len(pix) > 0; pix = pix[4:] {
			out[0] = undrawn
			if p := binary.LittleEndian.Uint32(pix); isDrawn(p) {
				out[0] = e.nearest.find(primaries(p))
			}
			out = out[1:]
		}
	}
}

// append appends the pixel rows from top up to bottom of img, which was prepared,
// in its own coordinates, to dst as one sixel sequence.
func (e *stillEncoder) append(dst []byte, img *image.RGBA, top, bottom int) []byte {
	if e.useLive {
		return e.live.append(dst, img, top, bottom)
	}
	width := img.Rect.Dx()
	dst = e.writer.begin(dst, image.Pt(width, bottom-top))
	for y := top; y < bottom; y += bandHeight {
		rows := min(bandHeight, bottom-y)
		for row := range rows {
			start := (y + row - img.Rect.Min.Y) * width
			for x, c := range e.colours[start : start+width] {
				e.writer.pixels[x*bandStride+row] = c
			}
		}
		dst = e.writer.appendBand(dst, rows)
	}
	return e.writer.end(dst)
}

// pixelRow returns the pixels of a row of img, counted from its top.
func pixelRow(img *image.RGBA, row int) []uint8 {
	start := row * img.Stride
	return img.Pix[start : start+4*img.Rect.Dx()]
}

// isDrawn says whether a pixel, four bytes from the red one on, is not more than
// half transparent.
func isDrawn(p uint32) bool { return p>>31 != 0 }

// primaries returns a pixel's values of 0 to 255.
func primaries(p uint32) rgb {
	return rgb{int32(uint8(p)), int32(uint8(p >> 8)), int32(uint8(p >> 16))}
}

// rgb are values, or differences, of red, green and blue.
type rgb [3]int32

// minus returns the difference from a colour.
func (a rgb) minus(c [3]uint8) rgb {
	return rgb{a[0] - int32(c[0]), a[1] - int32(c[1]), a[2] - int32(c[2])}
}

// clamped returns the nearest colour that there is.
func (a rgb) clamped() rgb {
	return rgb{max(0, min(255, a[0])), max(0, min(255, a[1])), max(0, min(255, a[2]))}
}
