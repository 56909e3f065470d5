package export_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"slices"
	"strings"
	"testing"

	"ldx/internal/export"
	"ldx/pipeline"
)

func filled(c color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 32, 32))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

var (
	red   = color.RGBA{255, 0, 0, 255}
	green = color.RGBA{0, 255, 0, 255}
	blue  = color.RGBA{0, 0, 255, 255}
)

// twoByOne is a grid with a run of three steps, one of a single step, and one that failed.
func twoByOne() export.Grid {
	return export.Grid{
		Heading: "prompt a toy", Columns: []string{"steps 3", "steps 1", "steps 0"}, Rows: []string{"eta 0"},
		Cells: []export.GridCell{
			{Frames: []*image.RGBA{filled(green), filled(green), filled(red)}},
			{Frames: []*image.RGBA{filled(blue)}},
			{Note: "steps is 0, want 1 to 1000"},
		},
	}
}

// count is how many pixels of an image have a colour.
func count(img image.Image, c color.RGBA) (n int) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == c {
				n++
			}
		}
	}
	return n
}

// TestGridShowsLastPictures holds that a still grid has each cell's picture whole, and the
// settings inside.
func TestGridShowsLastPictures(t *testing.T) {
	var file bytes.Buffer
	s := pipeline.Settings{Prompt: "a toy", Sampler: "ddim", Steps: 3, Seed: 5, RNG: "torch", Width: 32, Height: 32}
	if err := export.WriteGrid(&file, twoByOne(), export.GridParameters("toy", s, []export.Pair{{Name: "Columns", Value: "steps 3; steps 1"}})); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(file.Bytes(), []byte("Columns: steps 3; steps 1")) {
		t.Error("the grid does not say what its columns are")
	}
	img, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b := count(img, red), count(img, green), count(img, blue); r != 32*32 || g != 0 || b != 32*32 {
		t.Errorf("%d pixels are red, %d green and %d blue, want 1024, 0 and 1024", r, g, b)
	}
}

// TestGridAnimationKeepsStep holds that a run of one step waits for one of three.
func TestGridAnimationKeepsStep(t *testing.T) {
	var file bytes.Buffer
	if err := export.AnimateGrid(&file, export.FormatGIF, twoByOne(), 3, ""); err != nil {
		t.Fatal(err)
	}
	anim, err := gif.DecodeAll(&file)
	if err != nil {
		t.Fatal(err)
	}
	var greens []bool
	for _, frame := range anim.Image {
		greens = append(greens, count(frame, green) > 900)
		if n := count(frame, blue); n < 900 {
			t.Errorf("a frame has %d blue pixels, want all of the shorter run", n)
		}
	}
	if !slices.Equal(greens, []bool{true, true, false}) {
		t.Errorf("the longer run's way shows in %v", greens)
	}
	file.Reset()
	if err := export.AnimateGrid(&file, export.FormatAPNG, twoByOne(), 3, "words"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(file.String(), "words") || !strings.Contains(file.String(), "acTL") {
		t.Error("the APNG has no settings, or is none")
	}
}

func TestGridThumb(t *testing.T) {
	tests := map[string]struct {
		columns, rows, side int
		animated            bool
		want                int // 0: refused
	}{
		"as it is":    {3, 2, 128, false, 128},
		"halved":      {3, 2, 512, false, 256},
		"animated":    {3, 2, 512, true, 128},
		"many":        {100, 2, 512, false, 76},
		"no room":     {2000, 2, 512, false, 0},
		"small stays": {100, 100, 16, false, 16},
	}
	for name, tt := range tests {
		got, err := export.GridThumb(tt.columns, tt.rows, tt.side, tt.side, tt.animated)
		if (err != nil) != (tt.want == 0) || err == nil && (got.X != tt.want || got.Y != tt.want) {
			t.Errorf("%s: %v (%v), want %d", name, got, err, tt.want)
		}
	}
}
