package export

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"strconv"

	xdraw "golang.org/x/image/draw"

	"ldx/pipeline"
)

// Colours of a sheet. It brings its own ground, so that it can be read whether what
// shows it is light or dark.
var (
	ground = image.NewUniform(color.RGBA{0xf4, 0xf4, 0xf2, 0xff})
	ink    = image.NewUniform(color.RGBA{0x1c, 0x1c, 0x1c, 0xff})
	paler  = image.NewUniform(color.RGBA{0x5c, 0x5c, 0x5c, 0xff})
)

// sheet is a contact sheet as an image that is drawn a band at a time, while it is read
// from top to bottom.
type sheet struct {
	pen      *pen
	pictures Pictures
	columns  []int
	cell     image.Point
	width    int
	bands    []band
	now      int         // the band that is drawn
	drawn    *image.RGBA // or nil
	err      error       // the first picture that could not be had
}

// band is a part of a sheet, from side to side: the head with the columns' numbers, or a
// row.
type band struct {
	top, bottom int
	lines       []string
	row         sheetRow
}

func (s *sheet) layOut(rows []sheetRow) {
	for _, r := range rows {
		s.cell.X, s.cell.Y = max(s.cell.X, r.size.X, minColumn), max(s.cell.Y, r.size.Y)
	}
	s.columns = columns(rows, (maxSheetWidth-2*sheetMargin+sheetGap)/(s.cell.X+sheetGap))
	s.width = max(2*sheetMargin-sheetGap+len(s.columns)*(s.cell.X+sheetGap), minSheetWidth)
	y := sheetMargin + s.pen.height
	s.bands = []band{{bottom: y}}
	for _, r := range rows {
		b := band{top: y, row: r, lines: s.pen.wrapped(r.label, s.width-2*sheetMargin)}
		y += sheetGap + len(b.lines)*s.pen.height + sheetMargin
		if len(r.steps) > 0 {
			y += s.cell.Y
		}
		b.bottom = y
		s.bands = append(s.bands, b)
	}
}

func (s *sheet) ColorModel() color.Model { return color.RGBAModel }

// Bounds implements [image.Image].
func (s *sheet) Bounds() image.Rectangle {
	return image.Rect(0, 0, s.width, s.bands[len(s.bands)-1].bottom)
}

// Opaque says what the PNG encoder would read the whole image for.
func (s *sheet) Opaque() bool { return true }

// At implements [image.Image].
func (s *sheet) At(x, y int) color.Color {
	if b := s.bands[s.now]; s.drawn == nil || y < b.top || y >= b.bottom {
		s.now = slices.IndexFunc(s.bands, func(b band) bool { return y < b.bottom })
		s.draw(s.bands[s.now])
	}
	return s.drawn.RGBAAt(x, y)
}

func (s *sheet) draw(b band) {
	s.drawn = image.NewRGBA(image.Rect(0, b.top, s.width, b.bottom))
	draw.Draw(s.drawn, s.drawn.Rect, ground, image.Point{}, draw.Src)
	y := b.top + sheetGap
	if b.top == 0 {
		for i, k := range s.columns {
			s.pen.write(s.drawn, paler, image.Pt(s.left(i), y), strconv.Itoa(k))
		}
		return
	}
	for _, line := range b.lines {
		s.pen.write(s.drawn, ink, image.Pt(sheetMargin, y), line)
		y += s.pen.height
	}
	for i, k := range s.columns {
		if step := b.row.steps[k]; step != nil && s.err == nil {
			s.err = s.thumb(step, image.Rectangle{Max: b.row.size}.Add(image.Pt(s.left(i), y)))
		}
	}
}

func (s *sheet) left(column int) int { return sheetMargin + column*(s.cell.X+sheetGap) }

func (s *sheet) thumb(step *pipeline.Step, at image.Rectangle) error {
	img, err := s.pictures(step)
	if err != nil {
		return fmt.Errorf("contact sheet, step %d: %w", step.Number(), err)
	}
	xdraw.CatmullRom.Scale(s.drawn, at, img, img.Bounds(), draw.Over, nil)
	return nil
}
