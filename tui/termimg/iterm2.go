package termimg

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
)

// inlineRows is how many rows of cells one inline image has: few, so that keys get
// through between two of them on a slow line, and so that little is sent again.
const inlineRows = 2

// iterm2 draws pictures over blank cells with iTerm2's inline images. They are
// the content of the cells: text in a cell takes its piece of the picture away.
type iterm2 struct{}

// encode implements driver.
func (d iterm2) encode(r request) encoded {
	l := place(r, r.grid, r.grid.pixels())
	canvas := l.canvas(r)
	unmultiply(canvas.Pix)
	return encoded{
		view: holders(r.grid, l.area),
		over: d.strips(l, &image.NRGBA{Pix: canvas.Pix, Stride: canvas.Stride, Rect: canvas.Rect}),
	}
}

// strips encodes the picture in strips of inlineRows.
func (iterm2) strips(l layout, canvas *image.NRGBA) (strips []strip) {
	e := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &pngBuffer{}}
	for _, area := range l.split(inlineRows) {
		top, bottom := l.lines(area)
		part := image.Rect(0, top, canvas.Rect.Max.X, bottom)
		var file bytes.Buffer
		// A bytes.Buffer takes everything, and the picture has a size.
		if err := e.Encode(&file, canvas.SubImage(part)); err != nil {
			return nil
		}
		strips = append(strips, strip{area: area, draw: inline(file.Bytes(), area.Size())})
		if raw := 3 * part.Dx() * part.Dy(); file.Len() > raw-raw/8 {
			// Noise. Trying to compress it takes most of the time.
			e.CompressionLevel = png.NoCompression
		}
	}
	return strips
}

// inline returns the sequence that shows a file on so many cells, stretched to
// them. Terminals that do not know doNotMoveCursor move the cursor behind the last
// row.
func inline(file []byte, cells image.Point) []byte {
	b := fmt.Appendf(nil, "\x1b]1337;File=inline=1;size=%d;width=%d;height=%d;preserveAspectRatio=0;doNotMoveCursor=1:",
		len(file), cells.X, cells.Y)
	return append(base64.StdEncoding.AppendEncode(b, file), '\a')
}

// pngBuffer keeps an encoder's buffer for its next picture.
type pngBuffer struct{ b *png.EncoderBuffer }

// Get implements png.EncoderBufferPool.
func (p *pngBuffer) Get() *png.EncoderBuffer { return p.b }

// Put implements png.EncoderBufferPool.
func (p *pngBuffer) Put(b *png.EncoderBuffer) { p.b = b }
