package export

import (
	"fmt"
	"image"
	"image/draw"
	"io"
	"strings"

	xdraw "golang.org/x/image/draw"

	"ldx/pipeline"
)

// Bounds of a grid, in pixels. A still one is as large as a picture viewer takes
// without effort; an animation holds many frames.
const (
	maxGridSide      = 8192
	maxAnimatedSide  = 1024
	maxGridThumb     = 256
	maxAnimatedThumb = 128
	minGridThumb     = 24
	gridRowLabel     = 120
)

// MaxGridFrames bounds an animation's frames.
const MaxGridFrames = 60

// Grid is pictures of many runs side by side, row by row, with the settings that make
// them.
type Grid struct {
	Heading string   // what is the same for all
	Columns []string // labels
	Rows    []string // likewise; one empty one where there is one row only
	Cells   []GridCell
}

// GridCell is one run's place.
type GridCell struct {
	Frames []*image.RGBA // the last is the picture, those before it the way there; none where there is no picture
	Note   string        // what stands there then
}

// GridThumb is the size in which a grid of so many columns and rows shows pictures of w x
// h pixels, as a still picture or animated.
func GridThumb(columns, rows, w, h int, animated bool) (image.Point, error) {
	side, most := maxGridSide, maxGridThumb
	if animated {
		side, most = maxAnimatedSide, maxAnimatedThumb
	}
	scale := min(1, float64(most)/float64(max(w, h)))
	room := func(n, other int) float64 { return float64((side-other)/max(n, 1) - sheetGap) }
	scale = min(scale, room(columns, gridRowLabel+2*sheetMargin)/float64(w), room(rows, 4*fontSize*maxLines)/float64(h))
	size := image.Pt(int(float64(w)*scale), int(float64(h)*scale))
	if size.X < 1 || size.Y < 1 || max(size.X, size.Y) < min(minGridThumb, w, h) {
		return size, fmt.Errorf("a grid of %d columns and %d rows has no room for pictures, want fewer values or a folder", columns, rows)
	}
	return size, nil
}

// Thumb is a picture in another size.
func Thumb(img *image.RGBA, size image.Point) *image.RGBA {
	if img.Rect.Size() == size {
		return img
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	xdraw.CatmullRom.Scale(out, out.Rect, img, img.Bounds(), draw.Src, nil)
	return out
}

// GridParameters are the settings that all cells have, in the form of [Parameters], with
// what varies in values of their own.
func GridParameters(model string, s pipeline.Settings, vary []Pair) string {
	return parameters(model, s, pairs(vary))
}

// WriteGrid writes a grid as a PNG, with parameters as in [PNG].
func WriteGrid(w io.Writer, g Grid, parameters string) error {
	l, err := layGrid(g)
	if err != nil {
		return err
	}
	return PNG(w, l.frame(1, 1), parameters)
}

// AnimateGrid writes a grid as an animation of n frames. Cells keep step by the share of
// their way: at the middle frame each shows the middle of its own.
func AnimateGrid(w io.Writer, format Format, g Grid, n int, parameters string) error {
	l, err := layGrid(g)
	if err != nil {
		return err
	}
	size := l.ground.Rect.Size()
	if format == FormatGIF {
		n = max(1, min(n, maxGIFPixels/(size.X*size.Y)))
		return writeGIF(w, n, func(i int) (*image.RGBA, error) { return l.frame(i+1, n), nil })
	}
	return writeAPNG(w, n, func(i int) (*image.RGBA, error) { return l.frame(i+1, n), nil }, parameters)
}

// gridLayout is a grid with everything drawn but the pictures.
type gridLayout struct {
	grid   Grid
	pen    *pen
	cell   image.Point // place for a picture
	left   int         // of the first column
	top    int         // of the first row
	ground *image.RGBA
}

func layGrid(g Grid) (*gridLayout, error) {
	pen, err := newPen()
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	l := &gridLayout{grid: g, pen: pen, cell: image.Pt(minColumn, minColumn), left: sheetMargin}
	for _, c := range g.Cells {
		for _, f := range c.Frames {
			l.cell.X, l.cell.Y = max(l.cell.X, f.Rect.Dx()), max(l.cell.Y, f.Rect.Dy())
		}
	}
	if strings.Join(g.Rows, "") != "" {
		l.left += gridRowLabel
	}
	width := max(l.left+len(g.Columns)*(l.cell.X+sheetGap)-sheetGap+sheetMargin, minSheetWidth)
	heading := pen.wrapped(g.Heading, width-2*sheetMargin)
	lines := 0
	for _, c := range g.Columns {
		lines = max(lines, len(pen.wrapped(c, l.cell.X)))
	}
	headed := sheetMargin + len(heading)*pen.height + sheetGap
	l.top = headed + lines*pen.height + sheetGap
	l.ground = image.NewRGBA(image.Rect(0, 0, width, l.top+len(g.Rows)*(l.cell.Y+sheetGap)+sheetMargin))
	draw.Draw(l.ground, l.ground.Rect, ground, image.Point{}, draw.Src)
	l.write(l.ground, ink, image.Pt(sheetMargin, sheetMargin), heading)
	for i, c := range g.Columns {
		l.write(l.ground, paler, image.Pt(l.at(i).X, headed), pen.wrapped(c, l.cell.X))
	}
	for r, text := range g.Rows {
		l.write(l.ground, paler, image.Pt(sheetMargin, l.at(r*len(g.Columns)).Y), pen.wrapped(text, gridRowLabel-sheetGap))
	}
	return l, nil
}

func (l *gridLayout) at(cell int) image.Point {
	n := len(l.grid.Columns)
	return image.Pt(l.left+cell%n*(l.cell.X+sheetGap), l.top+cell/n*(l.cell.Y+sheetGap))
}

func (l *gridLayout) write(dst draw.Image, ink image.Image, at image.Point, lines []string) {
	for _, line := range lines {
		l.pen.write(dst, ink, at, line)
		at.Y += l.pen.height
	}
}

// frame is the grid k n-ths of the way along.
func (l *gridLayout) frame(k, n int) *image.RGBA {
	out := image.NewRGBA(l.ground.Rect)
	copy(out.Pix, l.ground.Pix)
	for i, c := range l.grid.Cells {
		at := l.at(i)
		if len(c.Frames) == 0 {
			l.write(out, paler, at, l.pen.lines(c.Note, l.cell.X, max(1, l.cell.Y/l.pen.height)))
			continue
		}
		f := c.Frames[max((k*len(c.Frames)+n-1)/n, 1)-1]
		draw.Draw(out, f.Rect.Sub(f.Rect.Min).Add(at), f, f.Rect.Min, draw.Src)
	}
	return out
}
