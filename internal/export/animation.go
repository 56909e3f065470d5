package export

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"

	"github.com/soniakeys/quant/median"

	"ldx/pipeline"
)

// Animation times, in hundredths of a second: the steps, and the last picture.
const (
	frameDelay = 12
	finalDelay = 200
)

var errNoFrames = errors.New("no frames to animate")

// Format is that of an animation.
type Format string

// The formats.
const (
	FormatGIF  Format = "gif"
	FormatAPNG Format = "apng"
)

// maxGIFPixels bounds the frames of a GIF, which are all held until it is written: 64
// MiB, 256 frames of 512x512.
const maxGIFPixels = 64 << 20

// Animation writes the whole steps of a path as a looping animation that rests on the
// last one; parameters, as in [PNG], go into an APNG. An APNG takes the memory of one
// picture, however many there are. A GIF that would hold more than 64 MiB leaves out
// steps, evenly, but never the last.
func Animation(w io.Writer, format Format, path []*pipeline.Step, pictures Pictures, parameters string) error {
	steps := WholeSteps(path)
	if len(steps) == 0 {
		return errNoFrames
	}
	steps = steps[min(1, len(steps)-1):] // not the start, before any step
	frame := func(i int) (*image.RGBA, error) { return pictures(steps[i]) }
	switch format {
	case FormatGIF:
		s := steps[0].Settings
		steps = Thinned(steps, max(maxGIFPixels/max(s.Width*s.Height, 1), 1))
		return writeGIF(w, len(steps), frame)
	case FormatAPNG:
		return writeAPNG(w, len(steps), frame, parameters)
	}
	return fmt.Errorf("animation format is %q, want %s or %s", format, FormatGIF, FormatAPNG)
}

// writeGIF writes n frames. Each has a palette of its own and is dithered.
func writeGIF(w io.Writer, n int, frame func(int) (*image.RGBA, error)) error {
	var anim gif.GIF
	for i := range n {
		f, err := frame(i)
		if err != nil {
			return err
		}
		palette := median.Quantizer(256).Quantize(make(color.Palette, 0, 256), f)
		img := image.NewPaletted(f.Bounds(), palette)
		draw.FloydSteinberg.Draw(img, img.Rect, f, f.Rect.Min)
		anim.Image = append(anim.Image, img)
		anim.Delay = append(anim.Delay, delay(i, n))
	}
	return gif.EncodeAll(w, &anim)
}

func delay(i, n int) int {
	if i == n-1 {
		return finalDelay
	}
	return frameDelay
}

// writeAPNG writes n frames of one size, every pixel exact.
func writeAPNG(w io.Writer, n int, frame func(int) (*image.RGBA, error), parameters string) error {
	writer := &apngWriter{w: w, total: n}
	for i := range n {
		f, err := frame(i)
		if err != nil {
			return err
		}
		chunks, err := pngChunks(f)
		if err != nil {
			return err
		}
		if i == 0 {
			writer.head(chunks[0], parameters)
		}
		writer.frame(i, f.Bounds(), chunks)
	}
	writer.chunk(chunk{kind: "IEND"})
	return writer.err
}

// apngWriter numbers an animation's chunks (PNG specification 3rd ed., 11.3.6).
type apngWriter struct {
	w        io.Writer
	total    int
	sequence uint32
	err      error // the first
}

func (a *apngWriter) chunk(c chunk) {
	if a.err == nil {
		a.err = c.write(a.w)
	}
}

func (a *apngWriter) number() []byte {
	n := binary.BigEndian.AppendUint32(nil, a.sequence)
	a.sequence++
	return n
}

func (a *apngWriter) head(header chunk, parameters string) {
	_, a.err = io.WriteString(a.w, pngSignature)
	a.chunk(header)
	forever := uint32(0)
	control := binary.BigEndian.AppendUint32(nil, uint32(a.total))
	a.chunk(chunk{kind: "acTL", data: binary.BigEndian.AppendUint32(control, forever)})
	if parameters != "" {
		a.chunk(textChunk("parameters", parameters))
	}
}

func (a *apngWriter) frame(i int, b image.Rectangle, chunks []chunk) {
	control := a.number()
	for _, v := range []int{b.Dx(), b.Dy(), 0, 0} {
		control = binary.BigEndian.AppendUint32(control, uint32(v))
	}
	control = binary.BigEndian.AppendUint16(control, uint16(delay(i, a.total)))
	control = binary.BigEndian.AppendUint16(control, 100)
	a.chunk(chunk{kind: "fcTL", data: append(control, 0, 0)}) // leave in place, overwrite
	for _, c := range chunks {
		switch {
		case c.kind != "IDAT":
		case i == 0: // the still picture for readers that know no animation
			a.chunk(c)
		default:
			a.chunk(chunk{kind: "fdAT", data: append(a.number(), c.data...)})
		}
	}
}
