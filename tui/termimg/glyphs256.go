package termimg

import (
	"image/color"

	"github.com/charmbracelet/colorprofile"
)

// palette turns colours into what the terminal is told.
type palette struct {
	indexed    bool
	thresholds [bayerSize * bayerSize]int
}

// newPalette returns the palette for a terminal's colours.
func newPalette(p colorprofile.Profile) *palette {
	return &palette{indexed: p == colorprofile.ANSI256, thresholds: bayer()}
}

// paint returns the paint for a colour at a place, of which the dither depends.
// The zero colour is none.
func (p *palette) paint(c color.RGBA, x, y int) paint {
	if c.A == 0 {
		return 0
	}
	if !p.indexed {
		return paintRGB | paint(c.R)<<16 | paint(c.G)<<8 | paint(c.B)
	}
	t := p.thresholds[y%bayerSize*bayerSize+x%bayerSize]
	return paintIndex | paint(indexed(c, t))
}

// The 256-colour palette of xterm: a cube of 6 levels a primary from number 16
// on, then 24 greys. The 16 colours before are the user's.
const (
	cubeStart, greyStart = 16, 232
	cubeSide, greys      = 6, 24
)

// cubeLevel and greyLevel return the values of the palette's levels, 0 to 255.
func cubeLevel(i int) int {
	if i == 0 {
		return 0
	}
	return 55 + 40*i
}
func greyLevel(i int) int { return 8 + 10*i }

// greyLimit is how far apart the primaries of a colour are at most that is shown
// as a grey: the steps of grey are a quarter of the cube's.
const greyLimit = 9

// indexed returns the number of one of the palette's colours around c, picked by
// a threshold of the ordered-dither matrix: over the matrix they average to c.
func indexed(c color.RGBA, threshold int) uint8 {
	r, g, b := int(c.R), int(c.G), int(c.B)
	if max(r, g, b)-min(r, g, b) <= greyLimit {
		return ditherGrey((r+g+b)/3, threshold)
	}
	return uint8(cubeStart + (ditherCube(r, threshold)*cubeSide+ditherCube(g, threshold))*cubeSide + ditherCube(b, threshold))
}

// ditherCube returns one of the levels of the cube around a value.
func ditherCube(v, threshold int) int {
	i := max(0, (v-55)/40)
	if i == cubeSide-1 {
		return i
	}
	return i + above(v, cubeLevel(i), cubeLevel(i+1), threshold)
}

// ditherGrey returns the number of one of the greys around a value; the cube has
// black and white.
func ditherGrey(v, threshold int) uint8 {
	const black, white = cubeStart, cubeStart + cubeSide*cubeSide*cubeSide - 1
	i := max(0, (v-8)/10)
	switch {
	case v < greyLevel(0):
		if above(v, 0, greyLevel(0), threshold) == 0 {
			return black
		}
		return greyStart
	case i >= greys-1:
		if above(v, greyLevel(greys-1), 255, threshold) == 1 {
			return white
		}
		return greyStart + greys - 1
	}
	return uint8(greyStart + i + above(v, greyLevel(i), greyLevel(i+1), threshold))
}

// above is 1 if a value between two levels is to be the upper one.
func above(v, low, high, threshold int) int {
	const steps = bayerSize * bayerSize
	if 2*steps*(v-low) > (2*threshold+1)*(high-low) {
		return 1
	}
	return 0
}
