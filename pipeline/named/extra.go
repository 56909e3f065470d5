package named

import (
	"fmt"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
	"ldx/samplers"
)

func guiding() []Setting {
	type g = samplers.Guidance
	return []Setting{
		parsed("guidance-schedule", "linear:FROM..TO, cosine:FROM..TO or a list such as 8,7.5,6; empty for none", func(s *g) *samplers.GuidanceSchedule { return &s.Schedule },
			samplers.ParseGuidanceSchedule, func(v samplers.GuidanceSchedule) string { return string(v) }),
		parsed("guidance-interval", "sigma:LOW..HIGH, steps:FROM..TO, or both with a comma; empty for everywhere", func(s *g) *samplers.GuidanceInterval { return &s.Interval },
			samplers.ParseGuidanceInterval, samplers.GuidanceInterval.String),
		number("guidance-rescale", "0 (off) to 1", func(s *pipeline.Settings) *float64 { return &s.Guiding.Rescale }),
		parsed("apg", "on, or some of momentum=-0.5,threshold=15,eta=0; empty for off", func(s *g) *samplers.APG { return &s.APG }, samplers.ParseAPG, samplers.APG.String),
		parsed("mimic", "SCALE,PERCENTILE such as 7 or 7,0.99; empty for off", func(s *g) *samplers.Mimic { return &s.Mimic }, samplers.ParseMimic, samplers.Mimic.String),
		{
			Name: "cfg-plus-plus", Help: "on or off",
			Get: func(s pipeline.Settings) string { return onOff(s.Guiding.PlusPlus) },
			Set: func(s *pipeline.Settings, t string) error {
				if t != "on" && t != "off" {
					return fmt.Errorf("cfg-plus-plus is %q, want on or off", t)
				}
				s.Guiding.PlusPlus = t == "on"
				return nil
			},
		},
	}
}

func wording() []Setting {
	return []Setting{
		{
			Name: "prompt-syntax", Help: string(prompt.Plain) + " or " + string(prompt.A1111),
			Get: func(s pipeline.Settings) string { return orElse(string(s.Syntax), string(prompt.Plain)) },
			Set: func(s *pipeline.Settings, t string) error {
				if s.Syntax = prompt.Syntax(t); s.Syntax == prompt.Plain {
					s.Syntax = ""
				}
				return nil
			},
		},
		{
			Name: "blend", Help: "a second prompt; empty for none",
			Get: func(s pipeline.Settings) string { return s.Blend },
			Set: func(s *pipeline.Settings, t string) error {
				switch s.Blend = t; {
				case t == "":
					s.BlendWeight = 0
				case s.BlendWeight == 0:
					s.BlendWeight = 0.5
				}
				return nil
			},
		},
		number("blend-weight", "0 (the prompt alone) to 1 (the second alone)", func(s *pipeline.Settings) *float64 { return &s.BlendWeight }),
	}
}

func origin() []Setting {
	return []Setting{
		seed("variation-seed", noneSeed, func(s *pipeline.Settings) *uint64 { return &s.VariationSeed }),
		number("variation-strength", "0 (the seed's own noise) to 1 (the variation seed's)", func(s *pipeline.Settings) *float64 { return &s.VariationStrength }),
		{
			Name: "init", Help: "a picture's path; empty for noise alone",
			Get: func(s pipeline.Settings) string { return s.Init },
			Set: func(s *pipeline.Settings, t string) error {
				s.Init, s.InitSHA256 = t, ""
				switch {
				case t == "":
					s.Strength = 0
				case s.Strength == 0:
					s.Strength = pipeline.DefaultStrength
				}
				return nil
			},
		},
		number("strength", "share of the steps that a run from a picture takes, above 0 to 1", func(s *pipeline.Settings) *float64 { return &s.Strength }),
		seed("later-seed", noneSeed, func(s *pipeline.Settings) *uint64 { return &s.LaterSeed }),
		{
			Name: "rng", Help: "torch, philox, nv or numpy",
			Get: func(s pipeline.Settings) string { return string(s.RNG) },
			Set: func(s *pipeline.Settings, t string) error { s.RNG = samplers.Generator(t); return s.RNG.Check() },
		},
		{
			Name: "spacing", Help: "leading, trailing, linspace or ldm; empty for the model's",
			Get: func(s pipeline.Settings) string { return string(s.Spacing) },
			Set: func(s *pipeline.Settings, t string) error { s.Spacing = samplers.Spacing(t); return nil },
		},
		{
			Name: "size", Help: "WxH in pixels",
			Get: func(s pipeline.Settings) string { return fmt.Sprintf("%dx%d", s.Width, s.Height) },
			Set: func(s *pipeline.Settings, t string) error {
				left, right, ok := strings.Cut(strings.ToLower(t), "x")
				w, errW := strconv.Atoi(left)
				h, errH := strconv.Atoi(right)
				if !ok || errW != nil || errH != nil {
					return fmt.Errorf("size is %q, want WIDTHxHEIGHT in pixels, for example 128x128", t)
				}
				s.Width, s.Height = w, h
				return nil
			},
		},
	}
}

// parsed is a part of guidance that reads as text; empty is its zero value.
func parsed[T any](name, help string, of func(*samplers.Guidance) *T, parse func(string) (T, error), text func(T) string) Setting {
	return Setting{
		Name: name, Help: help,
		Get: func(s pipeline.Settings) string { return text(*of(&s.Guiding)) },
		Set: func(s *pipeline.Settings, t string) (err error) {
			var v T
			if t != "" {
				v, err = parse(t)
			}
			*of(&s.Guiding) = v
			return err
		},
	}
}

// noneSeed says what may be typed for a seed that need not be there.
const noneSeed = "0 to 18446744073709551615; 0 is none"

func number(name, help string, of func(*pipeline.Settings) *float64) Setting {
	return Setting{
		Name: name, Help: help,
		Get: func(s pipeline.Settings) string { return strconv.FormatFloat(*of(&s), 'g', -1, 64) },
		Set: func(s *pipeline.Settings, t string) error {
			v, err := strconv.ParseFloat(t, 64)
			if err != nil {
				return fmt.Errorf("%s is %q, want a number", name, t)
			}
			*of(s) = v
			return nil
		},
	}
}

func seed(name, help string, of func(*pipeline.Settings) *uint64) Setting {
	return Setting{
		Name: name, Help: help,
		Get: func(s pipeline.Settings) string { return strconv.FormatUint(*of(&s), 10) },
		Set: func(s *pipeline.Settings, t string) error {
			v, err := strconv.ParseUint(t, 10, 64)
			if err != nil {
				return fmt.Errorf("%s is %q, want 0 to 18446744073709551615", name, t)
			}
			*of(s) = v
			return nil
		},
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
