package export

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"

	"github.com/soniakeys/quant/median"
)

// Animation times, in hundredths of a second: the steps, and the last picture.
const (
	frameDelay = 12
	finalDelay = 200
)

var errNoFrames = errors.New("no frames to animate")

// GIF writes frames as a looping animation that rests on the last one. Each frame
// has a palette of its own and is dithered.
func GIF(w io.Writer, frames []*image.RGBA) error {
	if len(frames) == 0 {
		return errNoFrames
	}
	var anim gif.GIF
	for i, f := range frames {
		palette := median.Quantizer(256).Quantize(make(color.Palette, 0, 256), f)
		img := image.NewPaletted(f.Bounds(), palette)
		draw.FloydSteinberg.Draw(img, img.Rect, f, f.Rect.Min)
		anim.Image = append(anim.Image, img)
		anim.Delay = append(anim.Delay, delay(i, len(frames)))
	}
	return gif.EncodeAll(w, &anim)
}

func delay(i, n int) int {
	if i == n-1 {
		return finalDelay
	}
	return frameDelay
}

// APNG writes frames of one size as a looping animated PNG, every pixel exact,
// with parameters as in [PNG].
func APNG(w io.Writer, frames []*image.RGBA, parameters string) error {
	if len(frames) == 0 {
		return errNoFrames
	}
	writer := &apngWriter{w: w, total: len(frames)}
	for i, f := range frames {
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
