package termimg

import "fmt"

// placements sends pictures once, under an id, as kitty does, and places them over
// the text: for terminals with kitty's protocol but without Unicode placeholders.
// Text does not touch what is placed, so that it stays until it is deleted.
type placements struct {
	// passthrough wraps escapes for the terminal around tmux.
	passthrough bool
}

// encode implements driver.
func (d placements) encode(r request) encoded {
	k := kitty{passthrough: d.passthrough}
	l := place(r, r.grid, r.grid.pixels())
	canvas := l.canvas(r)
	pixels, format := pixelsOf(canvas)
	size := canvas.Rect.Size()
	// One number for the placement, so that one that is placed again moves.
	show := fmt.Sprintf("a=p,i=%d,p=1,C=1,q=2,c=%d,r=%d", r.id, l.area.Dx(), l.area.Dy())
	return encoded{
		view:   holders(r.grid, l.area),
		once:   k.chunks(fmt.Sprintf("a=t,q=2,f=%d,s=%d,v=%d,i=%d", format, size.X, size.Y, r.id), "q=2", pixels),
		sent:   sent{id: r.id},
		abort:  k.escape(nil, "q=2,m=0", nil),
		over:   []strip{{area: l.area, draw: k.escape(nil, show, nil)}},
		clear:  k.escape(nil, fmt.Sprintf("a=d,d=i,i=%d,q=2", r.id), nil),
		forget: k.escape(nil, fmt.Sprintf("a=d,d=I,i=%d,q=2", r.id), nil),
	}
}
