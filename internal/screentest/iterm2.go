package screentest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"strconv"
	"strings"

	xdraw "golang.org/x/image/draw"
)

// iterm2 runs an operating system command of iTerm2's. The caller holds the lock.
func (s *state) iterm2(data []byte) {
	file, ok := bytes.CutPrefix(data, []byte("1337;File="))
	if !ok || s.options.Terminal != ITerm2 {
		return
	}
	img, err := s.graphics.decodeInline(file)
	if err != nil {
		s.fault("inline image: %v", err)
		return
	}
	at := s.emulator.CursorPosition()
	cells := s.graphics.cellsOf(img.Rect.Size())
	// The image is the content of its cells: nothing of an earlier one shines
	// through.
	s.tile(KindITerm2, img, func(under, over *image.RGBA, from image.Point) {
		draw.Draw(under, under.Rect, over, from, draw.Src)
	})
	// iTerm2 leaves the cursor behind the last row, whatever it is asked for.
	if s.after == nil {
		s.after = fmt.Appendf(nil, "\x1b[%d;%dH", at.Y+cells.Y, min(at.X+cells.X, s.emulator.Width()-1)+1)
	}
}

// decodeInline decodes an inline image, from after File=, to the size that it is
// shown in.
func (g *graphics) decodeInline(data []byte) (*image.RGBA, error) {
	head, payload, ok := strings.Cut(string(data), ":")
	if !ok {
		return nil, errors.New("no colon before the data")
	}
	args := map[string]string{}
	for _, pair := range strings.Split(head, ";") {
		k, v, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("argument %q", pair)
		}
		args[k] = v
	}
	if args["inline"] != "1" {
		return nil, errors.New("without inline=1 it is a file to keep")
	}
	if args["preserveAspectRatio"] != "0" {
		return nil, errors.New("without preserveAspectRatio=0 the size is up to the terminal")
	}
	file, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if size, ok := args["size"]; ok && size != strconv.Itoa(len(file)) {
		return nil, fmt.Errorf("%d bytes, and the size says %s", len(file), size)
	}
	img, err := readPNG(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var size image.Point
	if size.X, err = length(args["width"], g.cell.X); err != nil {
		return nil, fmt.Errorf("width: %w", err)
	}
	if size.Y, err = length(args["height"], g.cell.Y); err != nil {
		return nil, fmt.Errorf("height: %w", err)
	}
	return stretch(img, size), nil
}

// maxInline is how many pixels an inline image has at most each way.
const maxInline = 1 << 13

// length reads a length in pixels, or in cells of so many pixels.
func length(s string, cell int) (int, error) {
	number, pixels := strings.CutSuffix(s, "px")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, fmt.Errorf("%q is neither cells nor pixels", s)
	}
	if n <= 0 || n > maxInline {
		return 0, fmt.Errorf("%q is out of range", s)
	}
	if !pixels {
		n = min(n*cell, maxInline)
	}
	return n, nil
}

// stretch scales a picture.
func stretch(img *image.RGBA, size image.Point) *image.RGBA {
	if img.Rect.Size() == size {
		return img
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	xdraw.ApproxBiLinear.Scale(out, out.Rect, img, img.Rect, xdraw.Src, nil)
	return out
}
