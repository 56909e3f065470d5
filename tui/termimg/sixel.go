package termimg

import "image"

// sixel draws pictures over blank cells. The terminal has no memory of them
// beyond its pixels, so they are sent again whenever text damages them.
type sixel struct{ encoder *sixelEncoder }

// encode implements driver.
func (d sixel) encode(r request) encoded {
	limit := r.limit
	if limit.X <= 0 || limit.Y <= 0 {
		limit = r.grid.pixels()
	}
	l := place(r, r.grid, limit)
	if l.at.Max.X > limit.X || l.at.Max.Y > limit.Y {
		// A sixel begins at the corner of a cell, up to a cell before the picture.
		l = place(r, r.grid, limit.Sub(r.grid.cell))
	}
	end := image.Rectangle{Max: l.at.Max}
	return encoded{
		view: holders(r.grid, l.area),
		over: d.encoder.encode(l.canvas(r).SubImage(end).(*image.RGBA)), //nolint:forcetypeassert // what RGBA gives
		area: l.area,
	}
}

// holders returns a block of spaces with holders in area.
func holders(g grid, area image.Rectangle) string {
	var b []byte
	for y := range g.rows {
		if y > 0 {
			b = append(b, '\n')
		}
		for x := range g.cols {
			if (image.Point{X: x, Y: y}).In(area) {
				b = append(b, holder...)
			} else {
				b = append(b, ' ')
			}
		}
	}
	return string(b)
}
