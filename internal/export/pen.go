package export

import (
	"image"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// fontSize is in pixels. The Go font has Latin, Greek, Cyrillic and arrows; basicfont
// has ASCII alone.
const fontSize = 14

// maxLines bounds a label.
const maxLines = 2

// pen writes text onto pictures.
type pen struct {
	face           font.Face
	height, ascent int
}

func newPen() (*pen, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, err
	}
	m := face.Metrics()
	return &pen{face, m.Height.Ceil() + 2, m.Ascent.Ceil()}, nil
}

// write puts text below and to the right of at.
func (p *pen) write(dst draw.Image, ink image.Image, at image.Point, text string) {
	d := font.Drawer{Dst: dst, Src: ink, Face: p.face, Dot: fixed.P(at.X, at.Y+p.ascent)}
	d.DrawString(text)
}

// wrapped breaks text into at most maxLines lines of at most width pixels, at blanks
// where there are any. What does not fit is left out, and marked so.
func (p *pen) wrapped(text string, width int) []string { return p.lines(text, width, maxLines) }

// lines is wrapped with another most.
func (p *pen) lines(text string, width, most int) (lines []string) {
	rest := text
	for rest != "" {
		n := p.fits(rest, width)
		if n == len(rest) {
			return append(lines, rest)
		}
		if len(lines) == most-1 {
			const more = "…"
			n = p.fits(rest, width-font.MeasureString(p.face, more).Ceil())
			return append(lines, rest[:n]+more)
		}
		if blank := strings.LastIndexByte(rest[:n+1], ' '); blank > 0 {
			n = blank
		}
		lines, rest = append(lines, rest[:n]), strings.TrimLeft(rest[n:], " ")
	}
	return lines
}

// fits is how many bytes of text fit into width pixels, at least one character's.
func (p *pen) fits(text string, width int) int {
	var dot fixed.Int26_6
	previous := rune(-1)
	for i, r := range text {
		if previous >= 0 {
			dot += p.face.Kern(previous, r)
		}
		advance, _ := p.face.GlyphAdvance(r) // a missing glyph is drawn as a box of its own width
		if dot += advance; i > 0 && dot.Ceil() > width {
			return i
		}
		previous = r
	}
	return len(text)
}
