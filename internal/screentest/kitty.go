package screentest

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strconv"
	"strings"
)

// kittyChunkLimit is how much base64 one escape may carry.
const kittyChunkLimit = 4096

// kittyImage is a picture that kitty keeps.
type kittyImage struct {
	img   *image.RGBA
	cells image.Point // of its virtual placement; zero without one
	shown *image.RGBA // img as it looks there
}

// kittyControl is the control data of a graphics escape.
type kittyControl map[string]string

// number returns a value as a number, or 0.
func (c kittyControl) number(key string) int {
	n, err := strconv.Atoi(c[key])
	if err != nil {
		return 0
	}
	return n
}

// kitty runs a graphics escape. The caller holds the lock.
func (s *state) kitty(data []byte) {
	if s.options.Terminal != Kitty {
		return
	}
	head, payload, _ := bytes.Cut(data, []byte(";"))
	control := kittyControl{}
	for _, pair := range strings.Split(string(head), ",") {
		k, v, _ := strings.Cut(pair, "=")
		control[k] = v
	}
	if len(payload) > kittyChunkLimit {
		s.fault("kitty chunk of %d bytes, the limit is %d", len(payload), kittyChunkLimit)
	}
	g := &s.graphics
	if g.pending != nil {
		if control["a"] != "" {
			s.fault("kitty escape %q within a transmission", head)
		}
	} else {
		g.pending = control
	}
	g.payload = append(g.payload, payload...)
	if control["m"] == "1" {
		return
	}
	control, payload = g.pending, g.payload
	g.pending, g.payload = nil, nil
	s.kittyCommand(control, payload)
}

// kittyCommand runs a command whose payload is complete.
func (s *state) kittyCommand(c kittyControl, payload []byte) {
	id := c.number("i")
	switch action := c["a"]; action {
	case "q":
		s.send(fmt.Sprintf("\x1b_Gi=%d;OK\x1b\\", id))
	case "t", "T", "":
		img, err := c.decode(payload)
		if err != nil || id == 0 {
			s.fault("kitty picture %d: %v", id, err)
			return
		}
		k := &kittyImage{img: img}
		if action == "T" {
			k.cells = s.placement(c)
		}
		s.graphics.kitty[id] = k
	case "p":
		if k := s.graphics.kitty[id]; k != nil {
			k.cells, k.shown = s.placement(c), nil
		} else {
			s.fault("kitty placement of picture %d, which was not sent", id)
		}
	case "d":
		s.kittyDelete(c)
	default:
		s.fault("kitty action %q", action)
	}
}

// placement reads a virtual placement.
func (s *state) placement(c kittyControl) image.Point {
	if c["U"] != "1" {
		s.fault("kitty placement without U=1 is not known here")
	}
	return image.Pt(c.number("c"), c.number("r"))
}

// kittyDelete deletes one picture or all of them.
func (s *state) kittyDelete(c kittyControl) {
	switch c["d"] {
	case "I", "i":
		delete(s.graphics.kitty, c.number("i"))
	case "A", "a", "":
		clear(s.graphics.kitty)
	default:
		s.fault("kitty deletion %q", c["d"])
	}
}

// decode decodes a picture that was sent directly.
func (c kittyControl) decode(payload []byte) (*image.RGBA, error) {
	if t := c["t"]; t != "" && t != "d" {
		return nil, fmt.Errorf("transmission medium %q is not known here", t)
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(payload)))
	n, err := base64.StdEncoding.Decode(data, payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	var r io.Reader = bytes.NewReader(data[:n])
	if c["o"] == "z" {
		if r, err = zlib.NewReader(r); err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
	}
	size := image.Pt(c.number("s"), c.number("v"))
	switch c["f"] {
	case "100":
		return readPNG(r)
	case "24":
		return readPixels(r, size, 3)
	case "32", "":
		return readPixels(r, size, 4)
	default:
		return nil, fmt.Errorf("format %q is not known here", c["f"])
	}
}

// readPNG reads a PNG file.
func readPNG(r io.Reader) (*image.RGBA, error) {
	img, err := png.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out, nil
}

// readPixels reads a picture of so many bytes a pixel, exactly.
func readPixels(r io.Reader, size image.Point, channels int) (*image.RGBA, error) {
	pix, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if size.X <= 0 || size.Y <= 0 || len(pix) != size.X*size.Y*channels {
		return nil, fmt.Errorf("%d bytes for %dx%d pixels of %d", len(pix), size.X, size.Y, channels)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for i := range size.X * size.Y {
		p := color.NRGBA{A: 255}
		p.R, p.G, p.B = pix[i*channels], pix[i*channels+1], pix[i*channels+2]
		if channels == 4 {
			p.A = pix[i*channels+3]
		}
		out.Set(i%size.X, i/size.X, p)
	}
	return out, nil
}
