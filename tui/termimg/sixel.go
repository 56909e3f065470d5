package termimg

import (
	"bytes"
	"image"
)

// sixel draws pictures over blank cells. The terminal has no memory of them
// beyond its pixels, so they are sent again where text damages them.
type sixel struct {
	live  *sixelEncoder
	still *stillEncoder
	size  int // of the last picture, in bytes
}

func newSixel() *sixel { return &sixel{live: newSixelEncoder(), still: newStillEncoder()} }

// encode implements driver.
func (d *sixel) encode(r request) encoded {
	limit := r.limit
	if limit.X <= 0 || limit.Y <= 0 {
		limit = r.grid.pixels()
	}
	l := place(r, r.grid, limit)
	if l.at.Max.X > limit.X || l.at.Max.Y > limit.Y {
		// A sixel begins at the corner of a cell, up to a cell before the picture.
		l = place(r, r.grid, limit.Sub(r.grid.cell))
	}
	strips := d.strips(l, l.canvas(r), r.fine)
	return encoded{view: holders(r.grid, l.area), over: strips, whole: joinSixels(strips, l)}
}

// joinSixels makes one sixel of the strips of a picture. Terminals without
// synchronized updates show a picture sixel by sixel.
func joinSixels(strips []strip, l layout) []byte {
	size := 0
	for _, s := range strips {
		size += len(s.draw)
	}
	width := l.at.Max.X
	out := sixelHead(make([]byte, 0, size), l.at.Max)
	owed := 0 // new lines
	for i, s := range strips {
		top, bottom := l.lines(s.area)
		height := min(bottom, l.at.Max.Y) - top
		body := s.draw[len(sixelHead(nil, image.Pt(width, height))) : len(s.draw)-len(sixelTail)]
		if i > 0 {
			owed++
		}
		if len(body) > 0 {
			out = append(out, bytes.Repeat([]byte{'-'}, owed)...)
			owed = 0
		}
		out = append(out, body...)
		owed += ceilDiv(height, bandHeight) - 1 - bytes.Count(body, []byte{'-'})
	}
	return append(out, sixelTail...)
}

// strips encodes the picture in strips that end with a whole number of bands.
func (d *sixel) strips(l layout, canvas *image.RGBA, fine bool) (strips []strip) {
	// What is right of the picture and below is not sent.
	end := l.at.Max
	picture := &image.RGBA{Pix: canvas.Pix, Stride: canvas.Stride, Rect: image.Rectangle{Max: end}}
	encode := d.live.append
	if fine {
		d.still.prepare(picture)
		encode = d.still.append
	}
	all := make([]byte, 0, d.size+d.size/8)
	for _, area := range l.split(bandHeight / gcd(l.cell.Y, bandHeight)) {
		top, bottom := l.lines(area)
		from := len(all)
		all = encode(all, picture, top, min(bottom, end.Y))
		strips = append(strips, strip{area: area, draw: all[from:len(all):len(all)]})
	}
	d.size = len(all)
	return strips
}

// gcd is the greatest common divisor of two positive numbers.
func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// holders returns a block of spaces with holders in area, different in each row.
func holders(g grid, area image.Rectangle) string {
	var b []byte
	for y := range g.rows {
		if y > 0 {
			b = append(b, '\n')
		}
		for x := range g.cols {
			switch {
			case !(image.Point{X: x, Y: y}).In(area):
				b = append(b, ' ')
			case (y-area.Min.Y)>>(x-area.Min.X)&1 == 1:
				b = append(b, rowHolder...)
			default:
				b = append(b, holder...)
			}
		}
	}
	return string(b)
}
