package termimg

import (
	"image"
	"image/color"
	"strconv"

	"github.com/charmbracelet/colorprofile"
)

// blocks shows two pixels a cell: the upper in the foreground of an upper half
// block, the lower in its background. Bubble Tea's renderer reduces the colours
// to the terminal's profile.
type blocks struct{}

// encode implements driver.
func (blocks) encode(r request) encoded {
	g := r.grid
	img, at := blockPixels(r)
	cell := shadeCell
	if r.profile > colorprofile.ASCII || r.profile == colorprofile.Unknown {
		cell = colourCell
	}
	var b []byte
	for y := range g.rows {
		if y > 0 {
			b = append(b, '\n')
		}
		last := pair{}
		for x := range g.cols {
			p := pair{pixelAt(img, x-at.X, 2*y-at.Y), pixelAt(img, x-at.X, 2*y+1-at.Y)}
			b = cell(b, p, last)
			last = p
		}
		if last != (pair{}) {
			b = append(b, "\x1b[m"...)
		}
	}
	return encoded{view: string(b)}
}

// blockPixels scales the picture to half cells and says where in the block its
// top left comes to lie.
func blockPixels(r request) (*image.RGBA, image.Point) {
	g := r.grid
	box := image.Pt(g.cols, 2*g.rows)
	// A half cell is cell.X wide and cell.Y/2 high.
	pixel := image.Pt(2*g.cell.X, g.cell.Y)
	size := fit(r.img.Bounds().Size(), box, pixel, r.sampling)
	return r.scaler.scale(r.img, size, r.sampling), box.Sub(size).Div(2)
}

// pair is the two pixels of a cell; the zero value is an empty cell.
type pair struct{ upper, lower color.RGBA }

// pixelAt returns a pixel, or the zero colour outside img.
func pixelAt(img *image.RGBA, x, y int) color.RGBA {
	if !(image.Point{X: x, Y: y}).In(img.Rect) {
		return color.RGBA{}
	}
	return img.RGBAAt(x, y)
}

// colourCell appends a cell as a half block, with only the colours that differ
// from the cell before.
func colourCell(b []byte, p, last pair) []byte {
	glyph, fg, bg := "▀", p.upper, p.lower
	switch {
	case fg.A == 0 && bg.A == 0:
		glyph = " "
	case fg.A == 0:
		glyph, fg, bg = "▄", bg, color.RGBA{}
	}
	if p != last {
		b = append(b, "\x1b[0"...)
		if fg.A != 0 {
			b = appendRGB(append(b, ";38;2"...), fg)
		}
		if bg.A != 0 {
			b = appendRGB(append(b, ";48;2"...), bg)
		}
		b = append(b, 'm')
	}
	return append(b, glyph...)
}

// appendRGB appends a colour's components, each after a semicolon. A colour
// that is partly transparent is shown over black, as its premultiplied value.
func appendRGB(b []byte, c color.RGBA) []byte {
	for _, v := range [3]uint8{c.R, c.G, c.B} {
		b = strconv.AppendUint(append(b, ';'), uint64(v), 10)
	}
	return b
}

// shadeCell appends a cell as one of five shades: for terminals without colour.
func shadeCell(b []byte, p, _ pair) []byte {
	shades := [...]string{" ", "░", "▒", "▓", "█"}
	y := (luma(p.upper) + luma(p.lower)) / 2
	return append(b, shades[(y*(len(shades)-1)+127)/255]...)
}

// luma returns the Rec. 601 luma of a colour, 0 to 255.
func luma(c color.RGBA) int {
	return (299*int(c.R) + 587*int(c.G) + 114*int(c.B) + 500) / 1000
}
