package scenario

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"

	"ldx/pipeline"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// chunk is a chunk of a PNG file.
type chunk struct {
	kind string
	data []byte
}

// chunks takes a PNG file apart, checking its lengths and checksums.
func chunks(t *testing.T, file []byte) []chunk {
	t.Helper()
	rest, ok := bytes.CutPrefix(file, []byte(pngSignature))
	if !ok {
		t.Fatalf("no PNG file: it begins with %.16q", file)
	}
	var list []chunk
	for len(rest) > 0 {
		if len(rest) < 12 {
			t.Fatalf("PNG: %d bytes after the last chunk", len(rest))
		}
		n := int(binary.BigEndian.Uint32(rest))
		if len(rest) < 12+n {
			t.Fatalf("PNG: a chunk of %d bytes in the last %d", n, len(rest))
		}
		if sum := crc32.ChecksumIEEE(rest[4 : 8+n]); sum != binary.BigEndian.Uint32(rest[8+n:]) {
			t.Fatalf("PNG: chunk %s has a wrong checksum", rest[4:8])
		}
		list = append(list, chunk{kind: string(rest[4:8]), data: rest[8 : 8+n]})
		rest = rest[12+n:]
	}
	if last := list[len(list)-1].kind; last != "IEND" {
		t.Fatalf("PNG ends in a chunk %s", last)
	}
	return list
}

// parameters is the text chunk of that name.
func parameters(t *testing.T, file []byte) string {
	t.Helper()
	for _, c := range chunks(t, file) {
		text, ok := bytes.CutPrefix(c.data, []byte("parameters\x00"))
		switch {
		case !ok:
		case c.kind == "iTXt": // not compressed, no language, no translated keyword
			plain, ok := bytes.CutPrefix(text, []byte{0, 0, 0, 0})
			if !ok {
				t.Fatalf("iTXt chunk begins with %q", text[:4])
			}
			return string(plain)
		case c.kind == "tEXt":
			runes := make([]rune, len(text))
			for i, b := range text {
				runes[i] = rune(b)
			}
			return string(runes)
		}
	}
	t.Fatal("the PNG has no text chunk named parameters")
	return ""
}

func decodePNG(t *testing.T, file []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// apngFrames puts each frame of an animated PNG together as a file of its own.
func apngFrames(t *testing.T, file []byte) (frames []image.Image) {
	t.Helper()
	var header, frame []chunk
	announced, sequence := 0, uint32(0)
	number := func(c chunk) []byte {
		if got := binary.BigEndian.Uint32(c.data); got != sequence {
			t.Fatalf("APNG: chunk %s has number %d, want %d", c.kind, got, sequence)
		}
		sequence++
		return c.data[4:]
	}
	flush := func() {
		if frame != nil {
			frames = append(frames, decodePNG(t, join(append(append(header, frame...), chunk{kind: "IEND"}))))
		}
		frame = nil
	}
	for _, c := range chunks(t, file) {
		switch c.kind {
		case "IHDR":
			header = []chunk{c}
		case "acTL":
			announced = int(binary.BigEndian.Uint32(c.data))
		case "fcTL":
			flush()
			number(c)
		case "IDAT":
			frame = append(frame, c)
		case "fdAT":
			frame = append(frame, chunk{kind: "IDAT", data: number(c)})
		case "IEND":
			flush()
		}
	}
	if announced != len(frames) {
		t.Fatalf("APNG announces %d frames and has %d", announced, len(frames))
	}
	return frames
}

func join(list []chunk) []byte {
	out := []byte(pngSignature)
	for _, c := range list {
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.data)))
		body := append([]byte(c.kind), c.data...)
		out = append(out, body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	}
	return out
}

// samePixels holds two pictures against each other.
func samePixels(t *testing.T, got, want image.Image) {
	t.Helper()
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("the picture has %v pixels, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	size := want.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			a := got.At(got.Bounds().Min.X+x, got.Bounds().Min.Y+y)
			b := want.At(want.Bounds().Min.X+x, want.Bounds().Min.Y+y)
			if ar, ag, ab, aa := a.RGBA(); fmt.Sprint(ar, ag, ab, aa) != rgba(b) {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, a, b)
			}
		}
	}
}

func rgba(c interface{ RGBA() (r, g, b, a uint32) }) string {
	r, g, b, a := c.RGBA()
	return fmt.Sprint(r, g, b, a)
}

// trace is a trace file, checked.
type trace struct {
	calls    int
	settings pipeline.Settings
}

// readTrace parses a trace and checks names, shapes and values.
func readTrace(t *testing.T, file []byte) trace {
	t.Helper()
	parsed, err := safetensors.Deserialize(file)
	if err != nil {
		t.Fatal(err)
	}
	_, metadata, err := safetensors.ReadMetadata(file)
	if err != nil {
		t.Fatal(err)
	}
	var out trace
	if err := json.Unmarshal([]byte(metadata.Metadata()["settings"]), &out.settings); err != nil {
		t.Fatalf("settings in the metadata: %v", err)
	}
	timesteps, ok := parsed.Tensor("timesteps")
	if !ok {
		t.Fatalf("the trace holds %q, want timesteps", parsed.Names())
	}
	out.calls = int(timesteps.Shape()[0])
	n := out.calls
	for name, want := range map[string]string{
		"x":  fmt.Sprintf("[%d 4 16 16]", n+1),
		"x0": fmt.Sprintf("[%d 4 16 16]", n), "eps": fmt.Sprintf("[%d 4 16 16]", n),
		"eps_cond": fmt.Sprintf("[%d 4 16 16]", n), "eps_uncond": fmt.Sprintf("[%d 4 16 16]", n),
		"timesteps": fmt.Sprintf("[%d]", n), "sigmas": fmt.Sprintf("[%d]", n),
	} {
		view, ok := parsed.Tensor(name)
		if !ok || view.DType() != safetensors.F32 || fmt.Sprint(view.Shape()) != want {
			t.Errorf("tensor %s: found %v, %v of shape %v, want float32 of shape %s", name, ok, view.DType(), view.Shape(), want)
			continue
		}
		for i := 0; i < len(view.Data()); i += 4 {
			v := float64(math.Float32frombits(binary.LittleEndian.Uint32(view.Data()[i:])))
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("tensor %s holds %v", name, v)
				break
			}
		}
	}
	if parsed.Len() != 7 {
		t.Errorf("the trace holds %q, want seven tensors", parsed.Names())
	}
	return out
}

// says checks that a picture's parameters hold all parts.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("parameters are %q, want %q in them", text, part)
		}
	}
}
