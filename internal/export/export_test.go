package export_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"

	"ldx/internal/export"
	"ldx/internal/toy"
	"ldx/pipeline"
)

func picture(shade uint8) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 8, 6))
	for i := range img.Pix {
		img.Pix[i] = shade
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	img.SetRGBA(1, 1, color.RGBA{R: 255, A: 255})
	return img
}

// text finds a PNG's text chunk by walking the file.
func text(t *testing.T, file []byte) (kind, key, value string) {
	t.Helper()
	for rest := file[8:]; len(rest) >= 12; {
		n := int(binary.BigEndian.Uint32(rest))
		data := rest[8 : 8+n]
		switch k := string(rest[4:8]); k {
		case "tEXt", "iTXt":
			key, body, _ := bytes.Cut(data, []byte{0})
			if k == "iTXt" {
				return k, string(key), string(body[4:])
			}
			var runes []rune
			for _, b := range body {
				runes = append(runes, rune(b))
			}
			return k, string(key), string(runes)
		}
		rest = rest[12+n:]
	}
	t.Fatal("no text chunk")
	return "", "", ""
}

func TestPNGHoldsPixelsAndText(t *testing.T) {
	for name, tt := range map[string]struct{ parameters, kind string }{
		"latin":   {"un café\nSteps: 20", "tEXt"},
		"unicode": {"猫 on a blue background", "iTXt"},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			if err := export.PNG(&file, picture(9), tt.parameters); err != nil {
				t.Fatal(err)
			}
			kind, key, value := text(t, file.Bytes())
			if kind != tt.kind || key != "parameters" || value != tt.parameters {
				t.Errorf("chunk %s %q: %q, want %s parameters: %q", kind, key, value, tt.kind, tt.parameters)
			}
			img, err := png.Decode(&file)
			if err != nil {
				t.Fatal(err)
			}
			if img.At(1, 1) != (color.RGBA{R: 255, A: 255}) {
				t.Errorf("pixel is %v", img.At(1, 1))
			}
		})
	}
}

// TestAnimationsKeepEveryFrame animates a path of eight calls in four steps.
func TestAnimationsKeepEveryFrame(t *testing.T) {
	path := toyPath(t, func(s *pipeline.Settings) { s.Sampler, s.Steps = "heun", 4 })
	asked := 0
	shade := func(s *pipeline.Step) (*image.RGBA, error) { asked++; return picture(uint8(10 * s.Number())), nil }
	var g, a bytes.Buffer
	if err := errors.Join(export.Animation(&g, export.FormatGIF, path, shade, ""), export.Animation(&a, export.FormatAPNG, path, shade, "p")); err != nil {
		t.Fatal(err)
	}
	anim, err := gif.DecodeAll(&g)
	if err != nil || len(anim.Image) != 4 || anim.Delay[3] <= anim.Delay[0] || asked != 8 {
		t.Errorf("GIF: %d frames, delays %v, %d pictures asked for, error %v", len(anim.Image), anim.Delay, asked, err)
	}
	still, err := png.Decode(bytes.NewReader(a.Bytes())) // a reader that knows no animation
	if err != nil || still.At(0, 0) != (color.RGBA{10, 10, 10, 255}) {
		t.Errorf("APNG's still picture: %v", err)
	}
	if n := bytes.Count(a.Bytes(), []byte("fcTL")); n != 4 {
		t.Errorf("APNG: %d frame controls, want 4", n)
	}
	if n := bytes.Count(a.Bytes(), []byte("fdAT")); n != 3 {
		t.Errorf("APNG: %d later frames, want 3", n)
	}
	broken := errors.New("broken")
	fail := func(*pipeline.Step) (*image.RGBA, error) { return nil, broken }
	for _, f := range []export.Format{export.FormatGIF, export.FormatAPNG} {
		if export.Animation(io.Discard, f, nil, shade, "") == nil {
			t.Errorf("%s: an animation of nothing was written", f)
		}
		if err := export.Animation(io.Discard, f, path, fail, ""); !errors.Is(err, broken) {
			t.Errorf("%s: error is %v, want the picture's", f, err)
		}
	}
	if err := export.Animation(io.Discard, "mp4", path, shade, ""); err == nil || !strings.Contains(err.Error(), "mp4") {
		t.Errorf("error is %v, want one that names the format", err)
	}
}

// TestGIFHoldsNoMoreThanFits makes steps of 8192x8192 pixels, of which a GIF holds one.
func TestGIFHoldsNoMoreThanFits(t *testing.T) {
	path := toyPath(t, func(s *pipeline.Settings) { s.Steps = 5 })
	for _, s := range path {
		s.Settings.Width, s.Settings.Height = 8192, 4096
	}
	var shown []int
	var g bytes.Buffer
	err := export.Animation(&g, export.FormatGIF, path, func(s *pipeline.Step) (*image.RGBA, error) {
		shown = append(shown, s.Number())
		return picture(1), nil
	}, "")
	if err != nil || !slices.Equal(shown, []int{1, 5}) {
		t.Errorf("steps %v are shown, want 1 and 5 (error %v)", shown, err)
	}
}

// toyPath is a whole run on the toy.
func toyPath(t *testing.T, change func(*pipeline.Settings)) []*pipeline.Step {
	t.Helper()
	m := (&toy.Toy{}).Model()
	s := m.Settings()
	change(&s)
	at, err := m.Begin(context.Background(), s)
	for err == nil && !at.Done() {
		at, err = m.Advance(context.Background(), at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return at.Path()
}

func TestFileIsWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	broken := errors.New("broken")
	write := func(text string, err error) error {
		return export.File(path, func(w io.Writer) error { _, werr := io.WriteString(w, text); return errors.Join(werr, err) })
	}
	if err := write("half", broken); !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v, want broken with the path", err)
	}
	if err := write("first", nil); err != nil {
		t.Fatal(err)
	}
	if write("half", broken) == nil {
		t.Error("no error")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files left, want the one (error %v)", len(entries), err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "first" {
		t.Errorf("file holds %q, want what stood there (error %v)", data, err)
	}
	if err := export.Writable(filepath.Join(dir, "missing", "a.png")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("error is %v, want one that names the path", err)
	}
	if export.Writable(dir) == nil {
		t.Error("a folder was taken for a file")
	}
}

func TestTraceStacksARun(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	s := m.Settings()
	s.Steps, s.Eta = 4, 1
	at, err := m.Begin(context.Background(), s)
	for err == nil && !at.Done() {
		at, err = m.Advance(context.Background(), at)
	}
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := errors.Join(export.Trace(&first, "toy", at.Path()), export.Trace(&second, "toy", at.Path())); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same run is written in two ways")
	}
	st, err := safetensors.Deserialize(first.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]uint64{
		"x": {5, 4, 4, 4}, "x0": {4, 4, 4, 4}, "eps": {4, 4, 4, 4}, "eps_cond": {4, 4, 4, 4}, "eps_uncond": {4, 4, 4, 4},
		"timesteps": {4}, "sigmas": {4},
	}
	if len(st.Names()) != len(shapes) {
		t.Errorf("tensors %v, want %d", st.Names(), len(shapes))
	}
	for name, want := range shapes {
		v, ok := st.Tensor(name)
		if !ok || !slices.Equal(v.Shape(), want) {
			t.Errorf("%s has shape %v, want %v", name, v.Shape(), want)
		}
	}
	x, _ := st.Tensor("x")
	end, err := at.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	if got := math.Float32frombits(binary.LittleEndian.Uint32(x.Data()[4*64*4:])); got != end.State.X[0] {
		t.Errorf("the last latent starts with %g, want %g", got, end.State.X[0])
	}
}

func TestParametersAndCommand(t *testing.T) {
	s := pipeline.Settings{
		Prompt: "it's a cat", Negative: "dog", Guidance: 7.5, Sampler: "ddim", Steps: 20, Eta: 0.5, Seed: 42,
		RNG: "torch", Spacing: "trailing", Width: 128, Height: 64,
	}
	want := "it's a cat\nNegative prompt: dog\nSteps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 42, Size: 128x64, Model: m, Eta: 0.5, RNG: torch, Timestep spacing: trailing, Version: ldx"
	if got := export.Parameters("m", s); got != want {
		t.Errorf("parameters\n%s\nwant\n%s", got, want)
	}
	want = `ldx run --model 'm' -p 'it'\''s a cat' -n 'dog' -g 7.5 --sampler ddim --steps 20 --eta 0.5 -s 42 --size 128x64 --spacing trailing -o out.png`
	if got := export.Command("m", s); got != want {
		t.Errorf("command\n%s\nwant\n%s", got, want)
	}
}

// TestWordingAndOrigin writes what prompts and starts add, and nothing of it that is
// off.
func TestWordingAndOrigin(t *testing.T) {
	s := pipeline.Settings{Prompt: "a (cat:1.2)", Sampler: "ddim", Steps: 20, RNG: "torch", Width: 64, Height: 64}
	off := s
	off.Syntax, off.Blend, off.VariationSeed, off.Strength = "plain", "b", 3, 0.5
	if got, want := export.Command("", off), export.Command("", s); got != want {
		t.Errorf("what is off is written: %s", got)
	}
	if got, want := export.Parameters("m", off), export.Parameters("m", s); got != want {
		t.Errorf("what is off is written: %s", got)
	}
	s.Syntax, s.Blend, s.BlendWeight = "a1111", `a "b", c`, 0.25
	s.VariationSeed, s.VariationStrength = 7, 0.1
	s.Init, s.InitSHA256, s.Strength = "/a b/c.png", "00", 0.6
	want := `--prompt-syntax a1111 --blend 'a "b", c' --blend-weight 0.25 --variation-seed 7 --variation-strength 0.1 --init '/a b/c.png' --strength 0.6 -o out.png`
	if got := export.Command("", s); !strings.HasSuffix(got, want) {
		t.Errorf("command\n%s\nwant it to end in\n%s", got, want)
	}
	want = `, Variation seed: 7, Variation seed strength: 0.1, Denoising strength: 0.6, Init image: /a b/c.png, Init image SHA-256: 00, Prompt syntax: a1111, Blend: "a \"b\", c", Blend weight: 0.25, Version: ldx`
	if got := export.Parameters("m", s); !strings.HasSuffix(got, want) {
		t.Errorf("parameters\n%s\nwant it to end in\n%s", got, want)
	}
}
