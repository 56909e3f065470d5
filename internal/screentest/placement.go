package screentest

import (
	"image"
	"image/draw"
)

// placement is a kitty picture over the text.
type placement struct {
	id, number int
	alternate  bool // on the alternate screen
	cells      image.Rectangle
	img        *image.RGBA // as large as its cells
}

// place puts a picture over the text at the cursor.
func (s *state) place(c kittyControl, k *kittyImage) {
	from := k.img.Rect
	if c["w"] != "" || c["h"] != "" || c["x"] != "" || c["y"] != "" {
		from = image.Rect(0, 0, c.number("w"), c.number("h")).Add(image.Pt(c.number("x"), c.number("y")))
	}
	if from.Empty() || !from.In(k.img.Rect) {
		s.fault("kitty placement of %v, the picture is %v", from, k.img.Rect)
		return
	}
	if c["C"] != "1" {
		s.fault("kitty placement without C=1 moves the cursor")
	}
	g := &s.graphics
	size := image.Pt(c.number("c"), c.number("r"))
	if size.X <= 0 || size.Y <= 0 {
		size = g.cellsOf(from.Size())
	}
	at := s.emulator.CursorPosition()
	p := placement{
		id: c.number("i"), number: c.number("p"), alternate: s.emulator.IsAltScreen(),
		cells: image.Rectangle{Min: at, Max: at.Add(size)},
	}
	if screen := image.Rect(0, 0, s.emulator.Width(), s.emulator.Height()); !p.cells.In(screen) {
		if !s.resizing {
			s.fault("kitty placement on %v, the screen is %v", p.cells, screen)
		}
		return
	}
	part := image.NewRGBA(image.Rectangle{Max: from.Size()})
	draw.Draw(part, part.Rect, k.img, from.Min, draw.Src)
	p.img = stretch(part, image.Pt(size.X*g.cell.X, size.Y*g.cell.Y))
	if p.number > 0 {
		s.unplace(func(old placement) bool { return old.id == p.id && old.number == p.number })
	}
	g.placed = append(g.placed, p)
}

// unplace deletes placements.
func (s *state) unplace(which func(placement) bool) {
	var kept []placement
	for _, p := range s.graphics.placed {
		if !which(p) {
			kept = append(kept, p)
		}
	}
	s.graphics.placed = kept
}

// placedAt returns the uppermost placement on a cell, or nil.
func (s *state) placedAt(at image.Point) *placement {
	placed := s.graphics.placed
	for i := len(placed) - 1; i >= 0; i-- {
		if p := &placed[i]; at.In(p.cells) && p.alternate == s.emulator.IsAltScreen() {
			return p
		}
	}
	return nil
}

// covered says whether a placement hides the text of a cell.
func (s *state) covered(at image.Point) bool { return s.placedAt(at) != nil }

// paintPlaced paints what placements show on a cell, into r.
func (s *state) paintPlaced(out *image.RGBA, r image.Rectangle, at image.Point) {
	for _, p := range s.graphics.placed {
		if at.In(p.cells) && p.alternate == s.emulator.IsAltScreen() {
			cell := at.Sub(p.cells.Min)
			draw.Draw(out, r, p.img, image.Pt(cell.X*r.Dx(), cell.Y*r.Dy()), draw.Over)
		}
	}
}
