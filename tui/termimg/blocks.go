package termimg

import (
	"image"
	"image/color"
	"strconv"
	"unicode/utf8"

	"github.com/charmbracelet/colorprofile"
)

// blocks shows pictures with block characters: two colours a cell, and the
// character that divides the cell between them best. Colours are the terminal's
// 256, dithered, where it has no more.
type blocks struct{ glyphs glyphSet }

// encode implements driver.
func (d blocks) encode(r request) encoded {
	if r.profile != colorprofile.Unknown && r.profile <= colorprofile.ASCII {
		return encoded{view: shades(r)}
	}
	glyphs, limit := d.glyphs, int64(gainLimit)
	if r.sampling == Nearest && wholePixels(r) {
		// Parts of half cells would only move the edges of the source's pixels.
		glyphs = halves
	}
	if r.profile == colorprofile.ANSI256 {
		limit = indexedGainLimit
	}
	m := newMosaic(glyphs, limit)
	var at image.Point
	m.img, at = samples(r, m.samples)
	p := newPalette(r.profile)
	b := make([]byte, 0, r.grid.rows*r.grid.cols*inkBytes)
	for y := range r.grid.rows {
		if y > 0 {
			b = append(b, '\n')
		}
		last := ink{}
		for x := range r.grid.cols {
			k := m.at(image.Pt(x*m.samples.X, y*m.samples.Y).Sub(at))
			i := ink{p.paint(k.fg, x, 2*y), p.paint(k.bg, x, 2*y+1)}
			if i != last {
				b = i.append(b)
			}
			last = i
			b = utf8.AppendRune(b, k.glyph)
		}
		if last != (ink{}) {
			b = append(b, "\x1b[m"...)
		}
	}
	return encoded{view: string(b)}
}

// wholePixels says whether the picture can be enlarged by a whole number in half
// cells.
func wholePixels(r request) bool {
	g := r.grid
	size := r.img.Bounds().Size()
	return g.cell.Y == 2*g.cell.X && size.X <= g.cols && size.Y <= 2*g.rows
}

// samples scales the picture to so many samples a cell, and says where in the
// block its top left comes to lie.
func samples(r request, each image.Point) (*image.RGBA, image.Point) {
	g := r.grid
	box := image.Pt(g.cols*each.X, g.rows*each.Y)
	shape := image.Pt(g.cell.X*each.Y, g.cell.Y*each.X)
	size := fit(r.img.Bounds().Size(), box, shape, r.sampling)
	at := box.Sub(size).Div(2)
	if src, ok := r.img.(*image.RGBA); ok && r.sampling == Smooth && larger(src.Rect.Size(), size) {
		return shrink(src, size), at
	}
	return r.scaler.scale(r.img, size, r.sampling), at
}

// inkBytes is about how many bytes a cell takes.
const inkBytes = 40

// ink is the colours of a cell.
type ink struct{ fg, bg paint }

// append appends the sequence that selects the colours.
func (i ink) append(b []byte) []byte {
	b = append(b, "\x1b[0"...)
	b = i.fg.append(b, ";38")
	b = i.bg.append(b, ";48")
	return append(b, 'm')
}

// shades returns the picture in five shades: for terminals without colour.
func shades(r request) string {
	glyphs := [...]string{" ", "░", "▒", "▓", "█"}
	img, at := samples(r, image.Pt(1, 2))
	var b []byte
	for y := range r.grid.rows {
		if y > 0 {
			b = append(b, '\n')
		}
		for x := range r.grid.cols {
			from := image.Pt(x, 2*y).Sub(at)
			v := (luma(pixelAt(img, from)) + luma(pixelAt(img, from.Add(image.Pt(0, 1))))) / 2
			b = append(b, glyphs[(v*(len(glyphs)-1)+127)/255]...)
		}
	}
	return string(b)
}

// pixelAt returns a pixel, or the zero colour outside img.
func pixelAt(img *image.RGBA, at image.Point) color.RGBA {
	if !at.In(img.Rect) {
		return color.RGBA{}
	}
	return img.RGBAAt(at.X, at.Y)
}

// luma returns the Rec. 601 luma of a colour, 0 to 255.
func luma(c color.RGBA) int {
	return (299*int(c.R) + 587*int(c.G) + 114*int(c.B) + 500) / 1000
}

// paint is a colour as the terminal is told: 0 is none, the flags say which kind.
type paint uint32

// Kinds of paint.
const (
	paintRGB   paint = 1 << 24 // red, green and blue in the bytes below
	paintIndex paint = 2 << 24 // a number of the 256-colour palette
)

// append appends a colour to a sequence, after the parameter that says what it is
// for.
func (p paint) append(b []byte, what string) []byte {
	switch {
	case p&paintRGB != 0:
		b = append(append(b, what...), ";2"...)
		for shift := 16; shift >= 0; shift -= 8 {
			b = strconv.AppendUint(append(b, ';'), uint64(p>>shift&255), 10)
		}
	case p&paintIndex != 0:
		b = append(append(b, what...), ";5;"...)
		b = strconv.AppendUint(b, uint64(p&255), 10)
	}
	return b
}
