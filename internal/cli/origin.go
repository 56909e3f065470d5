package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
)

// What flags mean that are not given beside those they belong to. Strength is that of
// diffusers' pipelines.
const (
	defaultBlend    = 0.5
	defaultStrength = pipeline.DefaultStrength
)

// syntax is a prompt syntax as settings have it: the plain one is "".
func syntax(name string) prompt.Syntax {
	if s := prompt.Syntax(name); s != prompt.Plain {
		return s
	}
	return ""
}

// complete fills in what typed flags leave open, and refuses those that would say
// nothing without another.
func (s *sampling) complete(out *pipeline.Settings) error {
	typed := s.flags.Changed
	switch {
	case typed("blend-weight") && !typed("blend") && out.Blend == "" && out.BlendWeight != 0:
		return usage(fmt.Errorf("blend-weight is %g, but there is no second prompt: give --blend too", out.BlendWeight))
	case typed("variation-seed") && out.VariationStrength == 0:
		return usage(fmt.Errorf("variation-seed is %d, but variation-strength is 0: give --variation-strength too, above 0 to 1", out.VariationSeed))
	case typed("strength") && !typed("init") && out.Init == "":
		return usage(errors.New("strength is for runs from a picture: give --init too"))
	}
	ofPicture := s.like != "" && out.VariationSeed != 0
	if typed("variation-strength") && !typed("variation-seed") && !ofPicture {
		out.VariationSeed = 0
		if out.VariationStrength != 0 {
			out.VariationSeed = pipeline.RandomSeed()
		}
	}
	return s.completePicture(out)
}

// completePicture looks at the picture to start from, as far as flags name it.
func (s *sampling) completePicture(out *pipeline.Settings) error {
	if s.flags.Changed("strength") {
		out.Strength = s.typed.Strength
	}
	if !s.flags.Changed("init") {
		return nil
	}
	if s.typed.Init == "" {
		forgetPicture(out)
		return nil
	}
	hash, err := pipeline.PictureSHA256(s.typed.Init)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(s.typed.Init) // settings are remembered, and copied to other folders
	if err != nil {
		return err
	}
	out.Init, out.InitSHA256 = path, hash
	if !s.flags.Changed("strength") {
		out.Strength = defaultStrength
	}
	return nil
}

// forgetPicture makes settings start from noise.
func forgetPicture(s *pipeline.Settings) { s.Init, s.InitSHA256, s.Strength = "", "", 0 }
