package cli

import (
	"bytes"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"ldx/assets"
	"ldx/internal/export"
	"ldx/pipeline"
)

// likePicture writes a picture with parameters.
func likePicture(t *testing.T, parameters string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "it.png")
	err := export.File(path, func(w io.Writer) error {
		return export.PNG(w, image.NewRGBA(image.Rect(0, 0, 2, 2)), parameters)
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func parsed(t *testing.T, args ...string) *sampling {
	t.Helper()
	s := &sampling{}
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	s.register(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLikeIsBelowFlags takes a picture's settings, and flags before them.
func TestLikeIsBelowFlags(t *testing.T) {
	info, err := pipeline.ReadInfo(embedded())
	if err != nil {
		t.Fatal(err)
	}
	made := info.Settings()
	made.Prompt, made.Negative, made.Seed, made.Steps, made.Sampler, made.Sigmas = "a cat", "a dog", 7, 11, "dpm++2m", "karras"
	made.LaterSeed, made.VariationSeed, made.VariationStrength = 3, 5, 0.25
	path := likePicture(t, export.Parameters(assets.ModelName, made))
	tests := map[string]struct {
		args   []string
		change func(*pipeline.Settings)
	}{
		"alone":     {nil, func(*pipeline.Settings) {}},
		"seed":      {[]string{"-s", "8", "--sampler", "euler"}, func(s *pipeline.Settings) { s.Seed, s.Sampler = 8, "euler" }},
		"negative":  {[]string{"-n", ""}, func(s *pipeline.Settings) { s.Negative = "" }},
		"variation": {[]string{"--variation-strength", "0.5"}, func(s *pipeline.Settings) { s.VariationStrength = 0.5 }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := made
			tt.change(&want)
			s := parsed(t, append(tt.args, "--like", path)...)
			folder, got, err := s.resolve()
			if err != nil || got != want {
				t.Errorf("settings\n%+v\nwant\n%+v\nerror %v", got, want, err)
			}
			var said bytes.Buffer
			if err := s.sayLike(&said, folder.Name); err != nil || said.Len() > 0 {
				t.Errorf("%q is said of a picture of our own (error %v)", said.String(), err)
			}
		})
	}
}

func TestLikeSaysWhatItLeavesOut(t *testing.T) {
	path := likePicture(t, "a cat\nSteps: 9, Sampler: DPM++ SDE Karras, CFG scale: 4, Seed: 3, Size: 128x128, Model: another, Clip skip: 2")
	s := parsed(t, "--like", path)
	folder, settings, err := s.resolve()
	if err != nil || settings.Prompt != "a cat" || settings.Sampler != "ddim" || settings.Guidance != 4 {
		t.Errorf("settings %+v, error %v", settings, err)
	}
	var said bytes.Buffer
	if err := s.sayLike(&said, folder.Name); err != nil {
		t.Fatal(err)
	}
	line := said.String()
	for _, want := range []string{"it.png", "DPM++ SDE Karras", "Clip skip", "another"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q, want %s in it", line, want)
		}
	}
	if strings.Count(line, "\n") != 1 {
		t.Errorf("%q is not one line", line)
	}
}

func TestLikeRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(text, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.png")
	large := likePicture(t, "a\nSteps: 9, Sampler: DDIM, CFG scale: 4, Seed: 3, Size: 100x128")
	for path, want := range map[string]string{text: text, missing: missing, large: "100", likePicture(t, ""): "holds no settings"} {
		_, _, err := parsed(t, "--like", path).resolve()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line with %s", path, err, want)
		}
	}
}
