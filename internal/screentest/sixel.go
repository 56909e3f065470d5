package screentest

import (
	"fmt"
	"image"
	"image/color"
)

// sixelDecoder draws sixels. It takes RGB colours and raster attributes, and no
// default palette: a program that relies on one would look different on every
// terminal.
type sixelDecoder struct {
	img     *image.RGBA
	palette map[int]color.RGBA
	colour  color.RGBA
	defined bool
	x, y    int
	repeat  int
	extent  image.Point
}

// DecodeSixel decodes the data of a sixel sequence, from after its q. Pixels
// that it does not draw are transparent.
func DecodeSixel(data []byte) (*image.RGBA, error) {
	d := sixelDecoder{palette: map[int]color.RGBA{}, repeat: 1, img: &image.RGBA{}}
	for i := 0; i < len(data); {
		n, err := d.command(data[i:])
		if err != nil {
			return nil, fmt.Errorf("sixel byte %d: %w", i, err)
		}
		i += n
	}
	if d.extent.X > 1<<13 || d.extent.Y > 1<<13 {
		return nil, fmt.Errorf("sixel of %v pixels is too large", d.extent)
	}
	return d.crop(d.extent), nil
}

// command runs one command and returns its length.
func (d *sixelDecoder) command(b []byte) (int, error) {
	switch c := b[0]; {
	case c == '"':
		params, n := numbers(b[1:])
		if len(params) == 4 {
			d.extent = image.Pt(max(d.extent.X, params[2]), max(d.extent.Y, params[3]))
		}
		return 1 + n, nil
	case c == '#':
		params, n := numbers(b[1:])
		return 1 + n, d.selectColour(params)
	case c == '!':
		params, n := numbers(b[1:])
		if len(params) != 1 || params[0] < 1 || params[0] > 1<<13 {
			return 0, fmt.Errorf("repeat count %v", params)
		}
		d.repeat = params[0]
		return 1 + n, nil
	case c == '$':
		d.x = 0
	case c == '-':
		d.x, d.y = 0, d.y+6
	case c >= '?' && c <= '~':
		return 1, d.draw(c - '?')
	case c != '\n' && c != '\r':
		return 0, fmt.Errorf("unexpected %q", c)
	}
	return 1, nil
}

// selectColour selects a register, and defines it if there are values.
func (d *sixelDecoder) selectColour(params []int) error {
	switch {
	case len(params) == 5 && params[1] == 2 && max(params[2], params[3], params[4]) <= 100:
		d.palette[params[0]] = color.RGBA{percent(params[2]), percent(params[3]), percent(params[4]), 255}
	case len(params) != 1:
		return fmt.Errorf("colour %v", params)
	}
	if params[0] > 255 {
		return fmt.Errorf("colour register %d, terminals have 256", params[0])
	}
	d.colour, d.defined = d.palette[params[0]]
	return nil
}

// percent turns a value from 0 to 100 into one from 0 to 255.
func percent(v int) uint8 { return uint8((v*255 + 50) / 100) }

// draw draws a column of six pixels, as often as the repeat count says.
func (d *sixelDecoder) draw(bits byte) error {
	n := d.repeat
	d.repeat = 1
	if bits != 0 && !d.defined {
		return fmt.Errorf("pixels in a colour that is not defined")
	}
	if end := image.Pt(d.x+n, d.y+6); bits != 0 {
		d.grow(end)
		for row := range 6 {
			if bits>>row&1 == 0 {
				continue
			}
			d.extent = image.Pt(max(d.extent.X, end.X), max(d.extent.Y, d.y+row+1))
			for x := d.x; x < end.X; x++ {
				d.img.SetRGBA(x, d.y+row, d.colour)
			}
		}
	}
	d.x += n
	return nil
}

// grow makes the picture at least so large.
func (d *sixelDecoder) grow(size image.Point) {
	if have := d.img.Rect.Max; size.X > have.X || size.Y > have.Y {
		d.img = d.crop(image.Pt(max(size.X, d.extent.X, 2*have.X*b2i(size.X > have.X), have.X),
			max(size.Y, d.extent.Y, 2*have.Y*b2i(size.Y > have.Y), have.Y)))
	}
}

// b2i returns 1 for true.
func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// crop returns the picture in another size.
func (d *sixelDecoder) crop(size image.Point) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range min(size.Y, d.img.Rect.Max.Y) {
		copy(out.Pix[y*out.Stride:(y+1)*out.Stride], d.img.Pix[y*d.img.Stride:(y+1)*d.img.Stride])
	}
	return out
}

// numbers reads decimal numbers with semicolons between them.
func numbers(b []byte) (params []int, n int) {
	params = []int{0}
	for ; n < len(b); n++ {
		last := &params[len(params)-1]
		switch {
		case b[n] >= '0' && b[n] <= '9' && *last < 1<<20:
			*last = *last*10 + int(b[n]-'0')
		case b[n] == ';':
			params = append(params, 0)
		default:
			return params, n
		}
	}
	return params, n
}
