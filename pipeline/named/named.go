// Package named has the settings of a run by name: that of the flag of ldx run. Each
// reads and writes as text. What needs a model to be told wrong is taken here, and
// refused by [pipeline.Info.Check].
package named

import (
	"fmt"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/samplers"
)

// Setting is one setting. Set takes what Get gives.
type Setting struct {
	Name string
	Help string // what may be typed
	Get  func(pipeline.Settings) string
	Set  func(*pipeline.Settings, string) error
}

// All are all settings.
func All() []Setting { return append(first(), Extras()...) }

// Extras are those that are less often changed.
func Extras() []Setting {
	return append(append(guiding(), wording()...), origin()...)
}

// ByName finds a setting; the error lists the names there are.
func ByName(name string) (Setting, error) {
	var names []string
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Setting{}, fmt.Errorf("%q is no setting, want %s", name, strings.Join(names, ", "))
}

func first() []Setting {
	return []Setting{
		text("prompt", "what to make", func(s *pipeline.Settings) *string { return &s.Prompt }),
		text("negative", "what to keep away from", func(s *pipeline.Settings) *string { return &s.Negative }),
		number("guidance", "scale, at most 1 is off", func(s *pipeline.Settings) *float64 { return &s.Guidance }),
		{
			Name: "sampler", Help: samplers.Names(func(samplers.Sampler) bool { return true }),
			Get: func(s pipeline.Settings) string { return s.Sampler },
			Set: func(s *pipeline.Settings, t string) error {
				_, err := samplers.ByName(t)
				s.Sampler = t
				return err
			},
		},
		text("sigmas", strings.Join(samplers.SigmaSchedules(), ", ")+", or falling noise levels; empty for the model's", func(s *pipeline.Settings) *string { return &s.Sigmas }),
		{
			Name: "steps", Help: "a whole number",
			Get: func(s pipeline.Settings) string { return strconv.Itoa(s.Steps) },
			Set: func(s *pipeline.Settings, t string) error {
				n, err := strconv.Atoi(t)
				if err != nil {
					return fmt.Errorf("steps is %q, want a whole number", t)
				}
				s.Steps = n
				return nil
			},
		},
		number("eta", "0 to 1", func(s *pipeline.Settings) *float64 { return &s.Eta }),
		seed("seed", "0 to 18446744073709551615", func(s *pipeline.Settings) *uint64 { return &s.Seed }),
	}
}

// text is a setting that is text as it stands.
func text(name, help string, of func(*pipeline.Settings) *string) Setting {
	return Setting{
		Name: name, Help: help,
		Get: func(s pipeline.Settings) string { return *of(&s) },
		Set: func(s *pipeline.Settings, t string) error { *of(s) = t; return nil },
	}
}
