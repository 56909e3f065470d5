package screentest

import (
	"image"
	"image/color"
	"image/draw"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// quadrants are the block characters of two columns and two rows, by which of
// them are inked: upper left 1, upper right 2, lower left 4, lower right 8. The
// full block is left out: it is in every progress bar.
const quadrants = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟"

// Sextants, U+1FB00 on, are the characters of two columns and three rows, in the
// order of what is inked, but for the four that are quadrants.
const (
	firstSextant, lastSextant = 0x1FB00, 0x1FB3B
	leftHalf, rightHalf       = 0b010101, 0b101010
)

// block is a block character: two columns of parts in one of two colours; nil is
// the terminal's.
type block struct {
	rows     int
	mask     int // bit 2y+x is the part in column x, row y
	ink, gap color.Color
}

// blockOf returns the block character of a cell, if it is one in colour.
func blockOf(c *uv.Cell) (block, bool) {
	runes := []rune(c.Content)
	if len(runes) != 1 || runes[0] == ' ' || c.Style.Fg == nil {
		return block{}, false
	}
	b := block{rows: 2, ink: c.Style.Fg, gap: c.Style.Bg}
	if r := runes[0]; r >= firstSextant && r <= lastSextant {
		b.rows, b.mask = 3, int(r-firstSextant)+1
		if b.mask >= leftHalf {
			b.mask++
		}
		if b.mask >= rightHalf {
			b.mask++
		}
		return b, true
	}
	before, _, ok := strings.Cut(quadrants, c.Content)
	b.mask = len([]rune(before))
	return b, ok
}

// paint paints the character.
func (b block) paint(out *image.RGBA, r image.Rectangle) {
	fillRGBA(out, r, b.gap)
	for i := range 2 * b.rows {
		if b.mask>>i&1 == 1 {
			x, y := i%2, i/2
			part := image.Rect(x*r.Dx()/2, y*r.Dy()/b.rows, (x+1)*r.Dx()/2, (y+1)*r.Dy()/b.rows)
			fillRGBA(out, part.Add(r.Min), b.ink)
		}
	}
}

// fillRGBA fills a rectangle with a colour; nil leaves it.
func fillRGBA(out *image.RGBA, r image.Rectangle, c color.Color) {
	if c != nil {
		draw.Draw(out, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
}
