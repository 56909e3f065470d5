package screentest

import (
	"image"
	"image/draw"
	"strconv"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/kitty"
	xdraw "golang.org/x/image/draw"
)

// placeholder starts the cells of a kitty picture.
const placeholder = string(kitty.Placeholder)

// tileScheme marks, in a cell's link, which pixels of a sixel or an inline image
// the cell shows. The mark goes with the cell: text erases it and scrolling moves
// it, which is what terminals do to the pixels.
const tileScheme = "picture-tile:"

// Kinds of pictures.
const (
	KindSixel     = "sixel"
	KindKitty     = "kitty" // with Unicode placeholders
	KindITerm2    = "iterm2"
	KindPlacement = "placement" // kitty's, over the text
	KindBlocks    = "blocks"
)

// Placed is a picture on the screen.
type Placed struct {
	Kind string
	// Cells is the smallest rectangle around the cells that show the picture.
	Cells image.Rectangle
	// Missing counts the cells of that rectangle that do not show it.
	Missing int
}

// graphics is what the terminal keeps of pictures.
type graphics struct {
	cell    image.Point
	tiles   map[int]tile
	number  int // of the last tile
	kitty   map[int]*kittyImage
	placed  []placement  // the later ones over the earlier ones
	pending kittyControl // of a transmission that goes on
	payload []byte
	marks   map[rune]int
}

// tile is the pixels of one cell.
type tile struct {
	kind string // KindSixel or KindITerm2
	img  *image.RGBA
}

// newGraphics returns graphics without pictures.
func newGraphics(cell image.Point) graphics {
	g := graphics{cell: cell, tiles: map[int]tile{}, kitty: map[int]*kittyImage{}, marks: map[rune]int{}}
	for i := 0; ; i++ {
		r := kitty.Diacritic(i)
		if _, seen := g.marks[r]; seen {
			return g
		}
		g.marks[r] = i
	}
}

// drawSixel draws a sixel at the cursor. The caller holds the lock.
func (s *state) drawSixel(params ansi.Params, data []byte) {
	if s.options.Terminal != Xterm && s.options.Terminal != ITerm2 {
		return
	}
	img, err := DecodeSixel(data)
	if err != nil {
		s.fault("%v", err)
		return
	}
	if size := img.Rect.Size(); size.X > maxSixel || size.Y > maxSixel {
		s.fault("sixel of %v pixels, the terminal draws at most %d each way", size, maxSixel)
	}
	background, _, _ := params.Param(1, 0)
	if background != 1 {
		opaque := image.NewRGBA(img.Rect)
		draw.Draw(opaque, opaque.Rect, image.Black, image.Point{}, draw.Src)
		draw.Draw(opaque, opaque.Rect, img, image.Point{}, draw.Over)
		img = opaque
	}
	s.tile(KindSixel, img, func(under, over *image.RGBA, from image.Point) {
		draw.Draw(under, under.Rect, over, from, draw.Over)
	})
}

// tile gives the cells right of the cursor and below it the pixels of a picture.
// blend puts what begins at a point of the picture into the pixels that a cell
// has.
func (s *state) tile(kind string, img *image.RGBA, blend func(under, over *image.RGBA, from image.Point)) {
	at := s.emulator.CursorPosition()
	cells := s.graphics.cellsOf(img.Rect.Size())
	if below := at.Y + cells.Y + 1 - s.emulator.Height(); below > 0 {
		if !s.resizing {
			s.fault("%s picture of %d rows at row %d reaches the last of %d rows", kind, cells.Y, at.Y, s.emulator.Height())
		}
		s.goBelow(below)
	}
	if right := at.X + cells.X; right > s.emulator.Width() && !s.resizing {
		s.fault("%s picture of %d columns at column %d, the terminal has %d", kind, cells.X, at.X, s.emulator.Width())
	}
	for y := range cells.Y {
		for x := range cells.X {
			s.putTile(image.Pt(at.X+x, at.Y+y), kind, func(under *image.RGBA) {
				blend(under, img, image.Pt(x*s.graphics.cell.X, y*s.graphics.cell.Y))
			})
		}
	}
	s.sweep()
}

// cellsOf returns how many cells a picture touches, from the corner of one on.
func (g *graphics) cellsOf(pixels image.Point) image.Point {
	return image.Pt(ceilDiv(pixels.X, g.cell.X), ceilDiv(pixels.Y, g.cell.Y))
}

// putTile gives a cell other pixels.
func (s *state) putTile(at image.Point, kind string, paint func(*image.RGBA)) {
	c := s.emulator.CellAt(at.X, at.Y)
	if c == nil {
		return
	}
	g := &s.graphics
	t := tile{kind: kind, img: image.NewRGBA(image.Rectangle{Max: g.cell})}
	if under, ok := g.tileOf(c); ok {
		copy(t.img.Pix, under.img.Pix)
	}
	paint(t.img)
	g.number++
	g.tiles[g.number] = t
	marked := c.Clone()
	if marked.Content == "" {
		marked.Content, marked.Width = " ", 1
	}
	marked.Link = uv.NewLink(tileScheme + strconv.Itoa(g.number))
	s.emulator.SetCell(at.X, at.Y, marked)
}

// tileOf returns the pixels that a cell shows.
func (g *graphics) tileOf(c *uv.Cell) (tile, bool) {
	number, ok := strings.CutPrefix(c.Link.URL, tileScheme)
	if !ok {
		return tile{}, false
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return tile{}, false
	}
	t, ok := g.tiles[n]
	return t, ok
}

// sweep drops the tiles that no cell shows any more.
func (s *state) sweep() {
	used := map[int]tile{}
	for y := range s.emulator.Height() {
		for x := range s.emulator.Width() {
			if c := s.emulator.CellAt(x, y); c != nil {
				if number, ok := strings.CutPrefix(c.Link.URL, tileScheme); ok {
					if n, err := strconv.Atoi(number); err == nil {
						used[n] = s.graphics.tiles[n]
					}
				}
			}
		}
	}
	s.graphics.tiles = used
}

// Picture returns the pixels of the pictures in a rectangle of cells. What is
// no picture is transparent.
func (s *Screen) Picture(cells image.Rectangle) *image.RGBA {
	defer s.lock()()
	size := s.graphics.cell
	out := image.NewRGBA(image.Rect(0, 0, cells.Dx()*size.X, cells.Dy()*size.Y))
	for y := cells.Min.Y; y < cells.Max.Y; y++ {
		for x := cells.Min.X; x < cells.Max.X; x++ {
			at := image.Pt((x-cells.Min.X)*size.X, (y-cells.Min.Y)*size.Y)
			r := image.Rectangle{Min: at, Max: at.Add(size)}
			s.paint(out, r, s.emulator.CellAt(x, y))
			s.paintPlaced(out, r, image.Pt(x, y))
		}
	}
	return out
}

// paint paints what a cell shows of a picture, if anything.
func (s *state) paint(out *image.RGBA, r image.Rectangle, c *uv.Cell) {
	if c == nil {
		return
	}
	if t, ok := s.graphics.tileOf(c); ok {
		draw.Draw(out, r, t.img, image.Point{}, draw.Src)
		return
	}
	if id, piece, ok := s.graphics.kittyCell(c); ok {
		s.graphics.kitty[id].paint(out, r, piece)
		return
	}
	if b, ok := blockOf(c); ok {
		b.paint(out, r)
	}
}

// kittyCell says which piece of which picture a cell shows, in cells.
func (g *graphics) kittyCell(c *uv.Cell) (id int, piece image.Point, ok bool) {
	marks, ok := strings.CutPrefix(c.Content, placeholder)
	if !ok {
		return 0, piece, false
	}
	runes := []rune(marks)
	index, ok := c.Style.Fg.(ansi.IndexedColor)
	if !ok || len(runes) != 2 || g.kitty[int(index)] == nil {
		return 0, piece, false
	}
	row, isRow := g.marks[runes[0]]
	column, isColumn := g.marks[runes[1]]
	return int(index), image.Pt(column, row), isRow && isColumn
}

// paint paints a piece of the picture.
func (k *kittyImage) paint(out *image.RGBA, r image.Rectangle, piece image.Point) {
	if !piece.In(image.Rectangle{Max: k.cells}) {
		return
	}
	box := image.Pt(k.cells.X*r.Dx(), k.cells.Y*r.Dy())
	if k.shown == nil || k.shown.Rect.Max != box {
		k.shown = k.scale(box)
	}
	draw.Draw(out, r, k.shown, image.Pt(piece.X*r.Dx(), piece.Y*r.Dy()), draw.Src)
}

// scale returns the picture as kitty shows it in its placement: as large as
// fits, with its aspect kept, in the middle.
func (k *kittyImage) scale(box image.Point) *image.RGBA {
	size := k.img.Rect.Size()
	fitted := image.Pt(box.X, size.Y*box.X/size.X)
	if fitted.Y > box.Y {
		fitted = image.Pt(size.X*box.Y/size.Y, box.Y)
	}
	out := image.NewRGBA(image.Rectangle{Max: box})
	at := box.Sub(fitted).Div(2)
	xdraw.ApproxBiLinear.Scale(out, image.Rectangle{Min: at, Max: at.Add(fitted)}, k.img, k.img.Rect, xdraw.Src, nil)
	return out
}

// source is what a cell is part of: a kitty picture by its number, or sixels,
// inline images or block characters.
type source struct {
	kind   string
	number int
}

// source says what a cell is part of, if it is part of a picture.
func (s *state) source(at image.Point) (source, bool) {
	g := &s.graphics
	c := s.emulator.CellAt(at.X, at.Y)
	if p := s.placedAt(at); p != nil {
		return source{KindPlacement, p.id}, true
	}
	if c == nil {
		return source{}, false
	}
	if t, ok := g.tileOf(c); ok {
		return source{kind: t.kind}, true
	}
	if id, _, ok := g.kittyCell(c); ok {
		return source{KindKitty, id}, true
	}
	if _, ok := blockOf(c); ok {
		return source{kind: KindBlocks}, true
	}
	return source{}, false
}

// Pictures returns the pictures on the screen, from the top left: cells of one
// source that touch, over edges or corners.
func (s *Screen) Pictures() []Placed {
	defer s.lock()()
	cells := map[image.Point]source{}
	size := image.Pt(s.emulator.Width(), s.emulator.Height())
	for y := range size.Y {
		for x := range size.X {
			if src, ok := s.source(image.Pt(x, y)); ok {
				cells[image.Pt(x, y)] = src
			}
		}
	}
	var found []Placed
	for y := range size.Y {
		for x := range size.X {
			if src, ok := cells[image.Pt(x, y)]; ok {
				found = append(found, gather(cells, image.Pt(x, y), src))
			}
		}
	}
	return found
}

// gather takes the cells of a picture out of cells, from one of them on.
func gather(cells map[image.Point]source, from image.Point, src source) Placed {
	p := Placed{Kind: src.kind}
	delete(cells, from)
	count := 0
	for queue := []image.Point{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		count++
		p.Cells = p.Cells.Union(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))})
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				next := at.Add(image.Pt(dx, dy))
				if cells[next] == src {
					delete(cells, next)
					queue = append(queue, next)
				}
			}
		}
	}
	p.Missing = p.Cells.Dx()*p.Cells.Dy() - count
	return p
}

// ceilDiv returns a/b, rounded up.
func ceilDiv(a, b int) int { return (a + b - 1) / b }
