package termimg

import (
	"encoding/binary"
	"image"
)

// Errors are diffused in sixteenths of a value. What is further off than
// maxError was out of the palette's reach, and would only smear.
const (
	errorUnit = 16
	maxError  = 24 * errorUnit
)

// diffusion diffuses errors as Floyd and Steinberg do, to and fro.
type diffusion struct {
	// here and below are what errors have left for this row and the next, with a
	// pixel more at either end.
	here, below []rgb
}

// run gives each pixel of img a colour.
func (d *diffusion) run(img *image.RGBA, nearest *nearestColour, colours []uint8) {
	width := img.Rect.Dx()
	if len(d.here) != width+2 {
		d.here, d.below = make([]rgb, width+2), make([]rgb, width+2)
	}
	clear(d.below)
	for y := range img.Rect.Dy() {
		d.here, d.below = d.below, d.here
		clear(d.below)
		x, end, step := 0, width, 1
		if y%2 == 1 {
			x, end, step = width-1, -1, -1
		}
		pix, out := pixelRow(img, y), colours[y*width:]
		var ahead rgb
		for ; x != end; x += step {
			if p := binary.LittleEndian.Uint32(pix[4*x:]); isDrawn(p) {
				out[x], ahead = d.pixel(p, ahead, nearest, x+1, step)
			} else {
				out[x], ahead = undrawn, rgb{}
			}
		}
	}
}

// pixel chooses a pixel's colour and passes its error on to the row below. It
// returns the colour and what the next pixel gets.
func (d *diffusion) pixel(p uint32, ahead rgb, nearest *nearestColour, x, step int) (uint8, rgb) {
	want, here := primaries(p), &d.here[x]
	for i := range want {
		want[i] = want[i]*errorUnit + here[i] + ahead[i]
	}
	const half = errorUnit / 2
	i := nearest.find(rgb{(want[0] + half) / errorUnit, (want[1] + half) / errorUnit, (want[2] + half) / errorUnit}.clamped())
	c := &nearest.palette[i]
	back, under, front := &d.below[x-step], &d.below[x], &d.below[x+step]
	for k := range want {
		e := max(-maxError, min(maxError, want[k]-int32(c[k])*errorUnit))
		back[k] += e * 3 / 16
		under[k] += e * 5 / 16
		front[k] += e / 16
		ahead[k] = e - e*3/16 - e*5/16 - e/16
	}
	return i, ahead
}
