package termimg

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"strconv"
)

// placeholder is the character that kitty replaces by a piece of a picture.
const placeholder = "\U0010eeee"

// kittyChunk is how much base64 an escape may carry.
const kittyChunk = 4096

// kitty sends pictures once, under an id, and shows them with placeholders:
// characters in the view whose foreground colour is the id and whose marks are
// the row and the column of the picture. They survive everything that the
// renderer does to text.
type kitty struct {
	marks []rune
	// passthrough wraps escapes for the terminal around tmux.
	passthrough bool
	// files hands the pixels over, nil where the terminal cannot read them.
	files *pixelFiles
}

// newKitty returns the driver.
func newKitty(passthrough bool) kitty {
	return kitty{marks: []rune(diacritics), passthrough: passthrough}
}

// encode implements driver.
func (d kitty) encode(r request) encoded {
	limit := len(d.marks)
	cell := r.grid.cell
	l := place(r, r.grid, image.Pt((limit-1)*cell.X, (limit-1)*cell.Y))
	img := l.canvas(r)
	pixels, format := pixelsOf(img)
	s := sent{id: r.id, area: l.area, pixels: img.Rect.Size(), format: format}
	action, later := fmt.Sprintf("a=T,U=1,c=%d,r=%d", l.area.Dx(), l.area.Dy()), ""
	if s.on(r.onto.id) == r.onto {
		// The picture changes where it is: the cells stay as they are.
		s, action, later = r.onto, "a=f,r=1,X=1", "a=f,"
	}
	return encoded{
		view:   d.placeholders(r.grid, l.area, s.id),
		once:   d.send(s, action, later, pixels),
		sent:   s,
		abort:  d.escape(nil, later+"q=2,m=0", nil),
		forget: d.escape(nil, fmt.Sprintf("a=d,d=I,i=%d,q=2", s.id), nil),
	}
}

// on returns the same picture under another id.
func (s sent) on(id int) sent {
	s.id = id
	return s
}

// placeholders returns a block of spaces with the placeholders of a picture in
// area.
func (d kitty) placeholders(g grid, area image.Rectangle, id int) string {
	var b bytes.Buffer
	for y := range g.rows {
		if y > 0 {
			b.WriteByte('\n')
		}
		if y < area.Min.Y || y >= area.Max.Y {
			b.WriteString(blank(g.cols, 1))
			continue
		}
		b.WriteString(blank(area.Min.X, 1))
		b.WriteString("\x1b[38;5;" + strconv.Itoa(id) + "m")
		for x := range area.Dx() {
			b.WriteString(placeholder)
			b.WriteRune(d.marks[y-area.Min.Y])
			b.WriteRune(d.marks[x])
		}
		b.WriteString("\x1b[39m" + blank(g.cols-area.Max.X, 1))
	}
	return b.String()
}

// send returns the escapes that send a picture, with keys for the action in the
// first of them and in the others: all that change a picture name that action.
func (d kitty) send(s sent, action, later string, pixels []byte) []byte {
	control := fmt.Sprintf("%s,q=2,f=%d,s=%d,v=%d,i=%d", action, s.format, s.pixels.X, s.pixels.Y, s.id)
	if d.files != nil {
		if path, err := d.files.write(pixels); err == nil {
			return d.escape(nil, control+",t=t", base64.StdEncoding.AppendEncode(nil, []byte(path)))
		}
	}
	return d.chunks(control, later+"q=2", pixels)
}

// chunks returns the escapes that send data, the first with the control keys, the
// rest with those of more.
func (d kitty) chunks(control, rest string, data []byte) []byte {
	payload := base64.StdEncoding.AppendEncode(nil, data)
	out := make([]byte, 0, len(payload)+len(payload)/kittyChunk*32+256)
	for {
		n, more := len(payload), 0
		if n > kittyChunk {
			n, more = kittyChunk, 1
		}
		out = d.escape(out, control+",m="+strconv.Itoa(more), payload[:n])
		payload = payload[n:]
		if more == 0 {
			return out
		}
		control = rest
	}
}

// pixelsOf returns a picture's pixels in one of kitty's formats: 24 or 32 bits. The
// picture may be changed by it.
func pixelsOf(img *image.RGBA) (pixels []byte, format int) {
	if img.Opaque() {
		return packRGB(img), 24
	}
	unmultiply(img.Pix)
	return img.Pix, 32
}

// escape appends a graphics escape.
func (d kitty) escape(b []byte, control string, payload []byte) []byte {
	open, end := "\x1b_G", "\x1b\\"
	if d.passthrough {
		// Every escape character is doubled inside tmux's own.
		open, end = "\x1bPtmux;\x1b\x1b_G", "\x1b\x1b\\\x1b\\"
	}
	b = append(append(b, open...), control...)
	if len(payload) > 0 {
		b = append(append(b, ';'), payload...)
	}
	return append(b, end...)
}

// packRGB returns the pixels of an opaque picture without their alpha.
func packRGB(img *image.RGBA) []byte {
	out := make([]byte, 0, len(img.Pix)/4*3)
	for i := 0; i+4 <= len(img.Pix); i += 4 {
		out = append(out, img.Pix[i:i+3]...)
	}
	return out
}

// unmultiply turns premultiplied pixels into straight ones, in place.
func unmultiply(pix []byte) {
	for i := 0; i+4 <= len(pix); i += 4 {
		a := uint32(pix[i+3])
		if a == 0 || a == 255 {
			continue
		}
		for c := range pix[i : i+3] {
			pix[i+c] = uint8(min(255, (uint32(pix[i+c])*255+a/2)/a))
		}
	}
}
