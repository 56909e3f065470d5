package pipeline_test

import (
	"context"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"
	"gorgonia.org/tensor"

	"ldx/internal/testlib"
	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/samplers"
)

// TestRunFromPictureMatchesReference holds every latent of a run from a picture
// against diffusers: the VAE's posterior, the noise and all later draws.
func TestRunFromPictureMatchesReference(t *testing.T) {
	r, err := npz.Open("testdata/img2img.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var file []uint8
	var x []float32
	if err := r.Read("picture.npy", &file); err != nil {
		t.Fatal(err)
	}
	if err := r.Read("x.npy", &x); err != nil {
		t.Fatal(err)
	}
	m := testlib.Model(t)
	s := m.Settings()
	s.Prompt, s.Seed, s.Eta = "a red apple", 42, 0.5
	s.Init, s.Strength = filepath.Join(t.TempDir(), "drawing.png"), 0.6
	if err := os.WriteFile(s.Init, file, 0o600); err != nil {
		t.Fatal(err)
	}
	path := runToEnd(t, m, s)
	if len(path) != 13 || path[0].Call() != 8 || path[12].Call() != 20 {
		t.Fatalf("%d places, from call %d on; want 13 from 8 on", len(path), path[0].Call())
	}
	for i, at := range path {
		n := len(numbers(t, at).State.X)
		if d := distance(numbers(t, at).State.X, x[i*n:(i+1)*n]); d > 2e-5 {
			t.Errorf("latent %d differs by up to %g", i, d)
		}
	}
	if cost := m.Cost(path[3], pipeline.Settings{}); cost != (pipeline.Cost{}) {
		t.Errorf("settings that do not fit are said to cost %+v", cost)
	}
	s.Seed++
	if cost, want := m.Cost(path[3], s), (pipeline.Cost{Now: 1, ToEnd: 11}); cost != want {
		t.Errorf("another seed is said to cost %+v, want %+v", cost, want)
	}
}

// fixedEncoder gives one latent's parameters for any picture, and counts.
type fixedEncoder struct {
	parameters *tensor.Dense
	calls      int
	picture    []float32 // the last one
}

func (f *fixedEncoder) Encode(_ context.Context, picture *tensor.Dense) (*tensor.Dense, error) {
	f.calls++
	f.picture = picture.Data().([]float32)
	return f.parameters, nil
}

// parameters are c channels of a 4x4 latent, every value v but for the second half,
// which is w.
func parameters(c int, v, w float32) *tensor.Dense {
	x := slices.Concat(slices.Repeat([]float32{v}, c*8), slices.Repeat([]float32{w}, c*8))
	return tensor.New(tensor.WithShape(1, c, 4, 4), tensor.WithBacking(x))
}

// TestStartFromPicture checks where a run begins and what with: a latent as given takes
// one draw, a posterior two; log variances are bounded.
func TestStartFromPicture(t *testing.T) {
	var works toy.Toy
	s := toySettings(works.Model())
	s.Steps, s.Init = 10, writePicture(t, "grey.png", grey(16, 16, 128))
	noise, err := samplers.NewNoise(s.RNG, s.Seed, 64)
	if err != nil {
		t.Fatal(err)
	}
	deviation := float32(math.Exp(-15)) // of a log variance of -100, cut off at -30
	tests := map[string]struct {
		encoder  *fixedEncoder
		strength float64
		sampler  string
		index    int
		x0       func(i int) float32
		draws    int
	}{
		"latent":      {&fixedEncoder{parameters: parameters(4, 0.5, 0.5)}, 0.5, "ddim", 5, func(int) float32 { return 0.5 }, 1},
		"posterior":   {&fixedEncoder{parameters: parameters(8, 2, -100)}, 0.39, "ddim", 7, func(i int) float32 { return 2 + deviation*noise.Draw(0)[i] }, 2},
		"all steps":   {&fixedEncoder{parameters: parameters(4, 1, 1)}, 1, "euler", 0, func(int) float32 { return 1 }, 1},
		"two a step":  {&fixedEncoder{parameters: parameters(4, 1, 1)}, 0.3, "heun", 14, func(int) float32 { return 1 }, 1},
		"one is left": {&fixedEncoder{parameters: parameters(4, 1, 1)}, 0.1, "dpm++2m", 9, func(int) float32 { return 1 }, 1},
	}
	for name, tt := range tests {
		m := works.Model().WithEncoder(tt.encoder)
		s.Strength, s.Sampler = tt.strength, tt.sampler
		at, err := m.Begin(context.Background(), s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		x0 := make([]float32, 64)
		for i := range x0 {
			x0[i] = tt.x0(i)
		}
		want := at.Leg.Plan.AddNoise(x0, noise.Draw(tt.draws-1), tt.index)
		if at.Call() != tt.index || numbers(t, at).State.Draws != tt.draws || distance(numbers(t, at).State.X, want) > 1e-6 {
			t.Errorf("%s: starts at call %d after %d draws, want %d and %d; the latent differs by %g",
				name, at.Call(), numbers(t, at).State.Draws, tt.index, tt.draws, distance(numbers(t, at).State.X, want))
		}
		if got := tt.encoder.picture; len(got) != 3*16*16 || got[0] != 2*float32(128)/255-1 {
			t.Errorf("%s: the encoder is given %d values, the first %g", name, len(got), got[0])
		}
		s.Seed++
		if _, err := m.Begin(context.Background(), s); err != nil || tt.encoder.calls != 1 {
			t.Errorf("%s: another seed encodes the picture again: %d calls, %v", name, tt.encoder.calls, err)
		}
		s.Seed--
	}
}

func TestVariationSeed(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	s := toySettings(m)
	s.Sampler, s.VariationSeed = "euler-a", 7
	draws := func(seed uint64, k int) []float32 {
		n, err := samplers.NewNoise(s.RNG, seed, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n.Draw(k)
	}
	begin := func(m *pipeline.Model) *pipeline.Step {
		at, err := m.Begin(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	plain := begin(m)
	for strength, want := range map[float64][]float32{
		0: draws(42, 0), 1: draws(7, 0), 0.3: samplers.Slerp(0.3, draws(42, 0), draws(7, 0), 4, 4, 4),
	} {
		s.VariationStrength = strength
		at := begin(m)
		if d := distance(numbers(t, at).State.X, at.Leg.Plan.Start(fixedNoise(want)).X); d > 1e-4 {
			t.Errorf("strength %g: the start differs by up to %g", strength, d)
		}
	}
	// What is drawn later is the seed's own.
	s.VariationStrength, s.VariationSeed = 0.5, 42
	same := begin(m)
	after := func(at *pipeline.Step) []float32 {
		next, err := m.Advance(context.Background(), at)
		if err != nil {
			t.Fatal(err)
		}
		return numbers(t, next).State.X
	}
	if !slices.Equal(after(plain), after(same)) {
		t.Error("a variation towards the seed itself is another run")
	}
	// From a picture it is the noise that is turned, not the posterior.
	s.VariationSeed = 7
	s.Init, s.Strength = writePicture(t, "grey.png", grey(16, 16, 128)), 0.5
	at := begin(m.WithEncoder(&fixedEncoder{parameters: parameters(8, 1, 0)}))
	x0 := slices.Clone(draws(42, 0))
	for i := range x0 {
		x0[i]++
	}
	want := at.Leg.Plan.AddNoise(x0, samplers.Slerp(0.5, draws(42, 1), draws(7, 1), 4, 4, 4), at.Call())
	if d := distance(numbers(t, at).State.X, want); d > 1e-5 {
		t.Errorf("from a picture the start differs by up to %g", d)
	}
}

// fixedNoise gives the same values at every draw.
type fixedNoise []float32

func (f fixedNoise) Draw(int) []float32 { return slices.Clone(f) }

func TestStartsThatDoNotFit(t *testing.T) {
	var works toy.Toy
	bare := works.Model()
	m := bare.WithEncoder(&fixedEncoder{parameters: parameters(4, 1, 1)})
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	picture := writePicture(t, "grey.png", grey(16, 16, 128))
	data, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		model  *pipeline.Model
		change func(*pipeline.Settings)
		want   string
	}{
		"strength 0":         {m, func(s *pipeline.Settings) { s.Strength = 0 }, "strength is 0, want above 0 to 1"},
		"strength above 1":   {m, func(s *pipeline.Settings) { s.Strength = 1.1 }, "strength is 1.1"},
		"strength NaN":       {m, func(s *pipeline.Settings) { s.Strength = math.NaN() }, "strength is NaN"},
		"no step left":       {m, func(s *pipeline.Settings) { s.Strength = 0.04 }, "leaves none of 20 steps: want at least 0.05"},
		"no encoder":         {bare, func(*pipeline.Settings) {}, "model toy has no vae_encoder/model.onnx"},
		"no file":            {m, func(s *pipeline.Settings) { s.Init = filepath.Join(dir, "none.png") }, "none.png: no such file"},
		"a folder":           {m, func(s *pipeline.Settings) { s.Init = dir }, "is no picture: want a PNG"},
		"no picture":         {m, func(s *pipeline.Settings) { s.Init = write("a.txt", "words") }, "a.txt is no picture: want PNG"},
		"half a picture":     {m, func(s *pipeline.Settings) { s.Init = write("b.png", string(data[:len(data)/2])) }, "b.png is a damaged picture"},
		"an empty file":      {m, func(s *pipeline.Settings) { s.Init = write("c.png", "") }, "c.png is no picture"},
		"another picture":    {m, func(s *pipeline.Settings) { s.InitSHA256 = strings.Repeat("0", 64) }, "is not the picture it was"},
		"variation":          {m, func(s *pipeline.Settings) { s.VariationStrength = -0.5 }, "variation strength is -0.5, want 0 to 1"},
		"variation's seed":   {m, func(s *pipeline.Settings) { s.RNG, s.VariationSeed = samplers.Numpy, 1<<40 }, "numpy generator takes 0 to"},
		"strange parameters": {bare.WithEncoder(&fixedEncoder{parameters: parameters(3, 1, 1)}), func(*pipeline.Settings) {}, "want 4 or 8 channels"},
	}
	for name, tt := range tests {
		s := toySettings(m)
		s.Init, s.Strength = picture, 0.5
		tt.change(&s)
		_, err := tt.model.Begin(context.Background(), s)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line with %q", name, err, tt.want)
		}
	}
}

// TestPicturesAreFitted reads each format, and pictures of other shapes: the middle is
// kept, transparency is white.
func TestPicturesAreFitted(t *testing.T) {
	stripes := image.NewNRGBA(image.Rect(0, 0, 300, 100)) // red, green, blue, each 100 wide
	for y := range 100 {
		for x := range 300 {
			c := color.NRGBA{A: 255}
			*[]*uint8{&c.R, &c.G, &c.B}[x/100] = 255
			stripes.SetNRGBA(x, y, c)
		}
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	tests := map[string]struct {
		path string
		want color.RGBA // everywhere, but for the outermost pixels
	}{
		"png, wide":   {writePicture(t, "a.png", stripes), color.RGBA{0, 255, 0, 255}},
		"gif":         {writePicture(t, "a.gif", grey(64, 64, 255)), color.RGBA{255, 255, 255, 255}},
		"jpeg":        {writePicture(t, "a.jpg", grey(50, 70, 90)), color.RGBA{90, 90, 90, 255}},
		"transparent": {writePicture(t, "b.png", clear), color.RGBA{255, 255, 255, 255}},
		"one pixel":   {writePicture(t, "c.png", grey(1, 1, 7)), color.RGBA{7, 7, 7, 255}},
		"one line":    {writePicture(t, "d.png", grey(1, 3000, 7)), color.RGBA{7, 7, 7, 255}},
	}
	for name, tt := range tests {
		img, err := pipeline.PictureFile(tt.path, 64, 64)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img.Rect != image.Rect(0, 0, 64, 64) {
			t.Errorf("%s: bounds are %v", name, img.Rect)
		}
		for y := 2; y < 62; y++ {
			for x := 2; x < 62; x++ {
				if got := img.RGBAAt(x, y); got != tt.want {
					t.Fatalf("%s: pixel %d,%d is %v, want %v", name, x, y, got, tt.want)
				}
			}
		}
	}
}

func grey(w, h int, v uint8) image.Image {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = v
	}
	return img
}

// writePicture writes a file in the form that its name says.
func writePicture(t *testing.T, name string, img image.Image) string {
	t.Helper()
	encode := map[string]func(io.Writer, image.Image) error{
		".png": png.Encode,
		".gif": func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) },
		".jpg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 100}) },
	}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := encode[filepath.Ext(name)](f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
