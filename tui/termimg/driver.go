package termimg

import (
	"image"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// driver encodes pictures for one protocol. Drivers hold no state of a screen:
// what they return says what has to be written when, and the compositor does
// it. encode is called from one goroutine at a time.
type driver interface {
	encode(r request) encoded
}

// request is one picture to encode.
type request struct {
	img      image.Image
	grid     grid
	sampling Sampling
	scaler   *scaler
	profile  colorprofile.Profile
	// limit is the largest picture that the terminal takes, in pixels; zero if
	// it does not say.
	limit image.Point
	// id is a number from 16 to 255 that no picture on the screen has, for
	// protocols that name pictures.
	id int
	// onto is a picture that the terminal has and can change, zero if there is
	// none.
	onto sent
	// fine asks for the best that the protocol can do, not the fastest.
	fine bool
}

// grid is the block of cells for a picture.
type grid struct {
	cols, rows int
	cell       image.Point // size of a cell in pixels
}

// pixels returns the size of the block in pixels.
func (g grid) pixels() image.Point { return image.Pt(g.cols*g.cell.X, g.rows*g.cell.Y) }

// sent is a picture that the terminal keeps under an id.
type sent struct {
	id     int
	area   image.Rectangle // the cells of the block that show it
	pixels image.Point
	format int // kitty's name for how its pixels are written
}

// encoded is a picture ready for the terminal.
type encoded struct {
	// view is the block of cells for the program's view: as many lines as the
	// grid has rows, each as wide as it has columns.
	view string
	// once is written before the first frame with view on it: whole escapes.
	once []byte
	// sent is what once leaves in the terminal; its id is the request's own, or
	// that of the picture that once changes.
	sent sent
	// abort is written instead of the rest of once, to end it early.
	abort []byte
	// over is drawn over the text of a frame, and each strip again whenever text
	// damages it.
	over []strip
	// whole draws all of over at once, from its top left; nil where over has one
	// strip, or where nobody sees the difference.
	whole []byte
	// clear takes off the screen what over drew, where erasing the cells does not.
	clear []byte
	// forget is written when the picture is not needed any more.
	forget []byte
}

// strip is a part of a picture that is drawn on its own: whole rows of cells.
type strip struct {
	area image.Rectangle // the cells of the block that it draws on
	draw []byte          // written with the cursor at the top left of area
}

// area returns the cells of the block that the strips draw on.
func (e encoded) area() (all image.Rectangle) {
	for _, s := range e.over {
		all = all.Union(s.area)
	}
	return all
}

// blank returns a block of spaces.
func blank(cols, rows int) string {
	if cols <= 0 || rows <= 0 {
		return ""
	}
	line := strings.Repeat(" ", cols)
	return strings.Repeat(line+"\n", rows-1) + line
}

// over says whether a protocol draws pictures over the text, and not as part of it.
func (p Protocol) over() bool {
	switch p {
	case Auto, Kitty, Blocks, Off:
		return false
	}
	return true
}
