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
	"os"
	"path/filepath"
	"regexp"
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

// readControl reads the control data of an escape.
func readControl(head []byte) kittyControl {
	control := kittyControl{}
	for _, pair := range strings.Split(string(head), ",") {
		k, v, _ := strings.Cut(pair, "=")
		control[k] = v
	}
	return control
}

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
	if k := s.options.Terminal; k != Kitty && k != Konsole && k != ITerm2 {
		return
	}
	head, payload, _ := bytes.Cut(data, []byte(";"))
	control := readControl(head)
	if len(payload) > kittyChunkLimit {
		s.fault("kitty chunk of %d bytes, the limit is %d", len(payload), kittyChunkLimit)
	}
	g := &s.graphics
	action := control["a"]
	if g.pending == nil {
		g.pending = control
	} else if s.options.Terminal == Konsole && (action == "p" || action == "d") {
		// It looks for more of a transmission in transmissions only.
		s.kittyCommand(control, payload)
		return
	} else if wants := strings.Trim(g.pending["a"], "tT"); action != wants {
		// What changes a picture says so in each escape.
		s.fault("kitty escape %q within a transmission", head)
	}
	if control["m"] == "1" {
		g.payload = append(g.payload, payload...)
		return
	}
	cut := len(payload) == 0 && len(g.payload) > 0
	control, payload = g.pending, append(g.payload, payload...)
	g.pending, g.payload = nil, nil
	switch {
	case !cut:
		s.kittyCommand(control, payload)
	case control["a"] != "f":
		delete(g.kitty, control.number("i")) // a change that is cut off changes nothing
	}
}

// kittyCommand runs a command whose payload is complete.
func (s *state) kittyCommand(c kittyControl, payload []byte) {
	id := c.number("i")
	if s.options.Terminal == ITerm2 && c["a"] != "q" {
		s.fault("kitty escape with the action %q on a terminal that shows inline images", c["a"])
		return
	}
	switch action := c["a"]; action {
	case "q":
		s.send(fmt.Sprintf("\x1b_Gi=%d;%s\x1b\\", id, s.kittyAnswer(c, payload)))
	case "t", "T", "":
		img, err := c.decode(payload)
		if err != nil || id == 0 {
			s.fault("kitty picture %d: %v", id, err)
			return
		}
		k := &kittyImage{img: img}
		s.graphics.kitty[id] = k
		if action == "T" {
			s.display(c, k)
		}
	case "f":
		s.change(c, payload)
	case "p":
		if k := s.graphics.kitty[id]; k != nil {
			s.display(c, k)
		} else {
			s.fault("kitty placement of picture %d, which was not sent", id)
		}
	case "d":
		s.kittyDelete(c)
	default:
		s.fault("kitty action %q", action)
	}
}

// change replaces the pixels of a picture, which is what editing its only frame
// comes to.
func (s *state) change(c kittyControl, payload []byte) {
	k := s.graphics.kitty[c.number("i")]
	img, err := c.decode(payload)
	switch {
	case s.options.Terminal != Kitty:
		s.fault("kitty animation on a terminal that has none")
	case k == nil:
		s.fault("kitty change of picture %d, which was not sent", c.number("i"))
	case err != nil:
		s.fault("kitty picture %d: %v", c.number("i"), err)
	case c["r"] != "1" || c["X"] != "1" || img.Rect != k.img.Rect:
		s.fault("kitty change of picture %d that does not replace all of it", c.number("i"))
	default:
		k.img, k.shown = img, nil
	}
}

// kittyAnswer is the answer to a question whether a picture can be shown.
func (s *state) kittyAnswer(c kittyControl, payload []byte) string {
	medium := c["t"]
	if s.options.Terminal == Konsole && medium != "" && medium != "d" {
		return "ENOTSUPPORTED:"
	}
	if medium == "t" && s.options.Remote {
		return "EBADF:the file is not on this machine"
	}
	if _, err := c.decode(payload); err != nil {
		return "EINVAL:" + err.Error()
	}
	return "OK"
}

// display places a picture: on kitty for Unicode placeholders, on Konsole over the
// text.
func (s *state) display(c kittyControl, k *kittyImage) {
	switch virtual := c["U"] == "1"; {
	case s.options.Terminal == Konsole && virtual:
		s.fault("kitty placement with U=1 on a terminal without Unicode placeholders")
	case s.options.Terminal == Konsole:
		s.place(c, k)
	case virtual:
		k.cells, k.shown = image.Pt(c.number("c"), c.number("r")), nil
	default:
		s.fault("kitty placement without U=1 is not known here")
	}
}

// kittyDelete deletes one picture or all of them, or only takes them off the
// screen.
func (s *state) kittyDelete(c kittyControl) {
	id, number := c.number("i"), c.number("p")
	switch c["d"] {
	case "I", "i":
		s.unplace(func(p placement) bool { return p.id == id && (number == 0 || p.number == number) })
		if c["d"] == "I" || s.options.Terminal == Kitty {
			delete(s.graphics.kitty, id)
		}
	case "A", "a", "":
		s.graphics.placed = nil
		clear(s.graphics.kitty)
	default:
		s.fault("kitty deletion %q", c["d"])
	}
}

// decode decodes a picture that was sent directly.
func (c kittyControl) decode(payload []byte) (*image.RGBA, error) {
	data := make([]byte, base64.StdEncoding.DecodedLen(len(payload)))
	n, err := base64.StdEncoding.Decode(data, payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	data = data[:n]
	switch c["t"] {
	case "", "d":
	case "t":
		if data, err = takeFile(string(data)); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("transmission medium %q is not known here", c["t"])
	}
	var r io.Reader = bytes.NewReader(data)
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

// takeFile reads a file and removes it, as kitty does if its name says that it is
// meant for that.
func takeFile(path string) ([]byte, error) {
	if !strings.Contains(filepath.Base(path), "tty-graphics-protocol") {
		return nil, fmt.Errorf("temporary file %s is not named as one", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	return data, os.Remove(path)
}

// readPNG reads a PNG file.
func readPNG(r io.Reader) (*image.RGBA, error) {
	file, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	c, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if c.Width > 1<<13 || c.Height > 1<<13 {
		return nil, fmt.Errorf("a PNG file of %dx%d pixels is too large", c.Width, c.Height)
	}
	img, err := png.Decode(bytes.NewReader(file))
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

// pixelFile finds the names of files in graphics escapes.
var pixelFile = regexp.MustCompile(`\x1b_G[^;\x1b]*\bt=t\b[^;\x1b]*;([A-Za-z0-9+/=]+)`)

// PixelFiles returns the paths of the files that graphics escapes name.
func PixelFiles(raw []byte) (paths []string) {
	for _, m := range pixelFile.FindAllSubmatch(raw, -1) {
		if path, err := base64.StdEncoding.AppendDecode(nil, m[1]); err == nil {
			paths = append(paths, string(path))
		}
	}
	return paths
}
