package termimg

import (
	"image"

	"golang.org/x/image/draw"
)

// Sampling is how a picture is scaled to the cells it is shown in.
type Sampling int

const (
	// Smooth resamples with a Catmull-Rom kernel: for photographs and other
	// decoded pictures.
	Smooth Sampling = iota
	// Nearest enlarges by whole numbers, so that every source pixel keeps its
	// edges and the same size: for latents and other tensors.
	Nearest
)

// fit returns the largest size with the aspect of src (both in pixels) that
// lies inside box and is at least one pixel each way. Nearest enlarges by
// whole numbers only. pixel is the shape of one pixel of the box: square
// unless the box is counted in half cells.
func fit(src, box, pixel image.Point, s Sampling) image.Point {
	// Work in units of the box's own pixels: a source w units wide is w/pixel.X
	// of them.
	w, h := src.X*pixel.Y, src.Y*pixel.X
	if s == Nearest && pixel.X == pixel.Y {
		if n := min(box.X/src.X, box.Y/src.Y); n >= 1 {
			return src.Mul(n)
		}
	}
	if w*box.Y >= h*box.X {
		return image.Pt(box.X, max(1, (h*box.X+w/2)/w))
	}
	return image.Pt(max(1, (w*box.Y+h/2)/h), box.Y)
}

// layout is where in a block of cells a picture goes, to the pixel.
type layout struct {
	area image.Rectangle // the cells that the picture touches
	at   image.Rectangle // the picture's pixels, from the top left of area
	cell image.Point
}

// place centres the picture in a block of cells, as large as fits in it and in
// limit pixels.
func place(r request, g grid, limit image.Point) layout {
	box := g.pixels()
	most := image.Pt(min(box.X, limit.X), min(box.Y, limit.Y))
	size := fit(r.img.Bounds().Size(), most, image.Pt(1, 1), r.sampling)
	from := box.Sub(size).Div(2)
	to := from.Add(size)
	l := layout{cell: g.cell, area: image.Rect(
		from.X/g.cell.X, from.Y/g.cell.Y, ceilDiv(to.X, g.cell.X), ceilDiv(to.Y, g.cell.Y),
	)}
	l.at = image.Rectangle{Min: from, Max: to}.Sub(image.Pt(l.area.Min.X*g.cell.X, l.area.Min.Y*g.cell.Y))
	return l
}

// split divides the area into rows of cells, so many at a time.
func (l layout) split(rows int) (areas []image.Rectangle) {
	for y := l.area.Min.Y; y < l.area.Max.Y; y += rows {
		areas = append(areas, image.Rect(l.area.Min.X, y, l.area.Max.X, min(y+rows, l.area.Max.Y)))
	}
	return areas
}

// lines are the lines of pixels, of a canvas for the area, that some rows of it take.
func (l layout) lines(rows image.Rectangle) (top, bottom int) {
	return (rows.Min.Y - l.area.Min.Y) * l.cell.Y, (rows.Max.Y - l.area.Min.Y) * l.cell.Y
}

// canvas returns the scaled picture on a transparent canvas of whole cells, which
// is the scaler's: the next one overwrites it.
func (l layout) canvas(r request) *image.RGBA {
	canvas := r.scaler.blank(image.Pt(l.area.Dx()*l.cell.X, l.area.Dy()*l.cell.Y))
	r.scaler.draw(canvas, l.at, r.img, r.sampling)
	return canvas
}

// ceilDiv returns a/b, rounded up.
func ceilDiv(a, b int) int { return (a + b - 1) / b }

// scaler scales pictures and keeps what can be used again for the next picture
// of the same size: the kernel's weights. It is not safe for concurrent use.
type scaler struct {
	dst, src image.Point
	kernel   draw.Scaler
	canvas   *image.RGBA
}

// blank returns the scaler's canvas, transparent.
func (s *scaler) blank(size image.Point) *image.RGBA {
	if s.canvas == nil || s.canvas.Rect.Max != size {
		s.canvas = image.NewRGBA(image.Rectangle{Max: size})
	}
	clear(s.canvas.Pix)
	return s.canvas
}

// scale returns img scaled to size. The result is always a fresh RGBA with its
// origin at 0,0, premultiplied as RGBA is.
func (s *scaler) scale(img image.Image, size image.Point, by Sampling) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: size})
	s.draw(out, out.Bounds(), img, by)
	return out
}

// draw scales img into r of dst.
func (s *scaler) draw(dst *image.RGBA, r image.Rectangle, img image.Image, by Sampling) {
	b := img.Bounds()
	switch {
	case b.Size() == r.Size():
		draw.Draw(dst, r, img, b.Min, draw.Src)
	case by == Nearest:
		draw.NearestNeighbor.Scale(dst, r, img, b, draw.Src, nil)
	default:
		if s.kernel == nil || s.dst != r.Size() || s.src != b.Size() {
			s.dst, s.src = r.Size(), b.Size()
			s.kernel = draw.CatmullRom.NewScaler(s.dst.X, s.dst.Y, s.src.X, s.src.Y)
		}
		s.kernel.Scale(dst, r, img, b, draw.Src, nil)
	}
}
