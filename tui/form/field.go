package form

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/samplers"
)

// field is one setting: how it reads, is typed, and is stepped through.
type field struct {
	label string
	text  bool // a prompt, shown over several lines
	get   func(pipeline.Settings) string
	set   func(*pipeline.Settings, string) error
	// step moves a number or a choice; dir is +1 or -1. nil where arrows do nothing.
	step func(s *pipeline.Settings, dir int)
	// choices is how many values step goes around in; 0 for a number. One that
	// does not fit the model is stepped over.
	choices int
	// slider is where a number stands between its ends, nil where it has none.
	slider *slider
}

// slider maps a setting to 0..1 and back.
type slider struct {
	at   func(pipeline.Settings) float64
	move func(*pipeline.Settings, float64)
}

// The fields by their place in the pane.
const (
	promptField = iota
	negativeField
	guidanceField
	etaField
	samplerField
	sigmasField
	stepsField
	seedField
)

// Steps of one key press, and the sliders' right ends.
const (
	guidanceStep = 0.5
	guidanceEnd  = 15
	etaStep      = 0.1
	maxSteps     = 1000
)

func fields() []field {
	return []field{
		promptField: {
			label: "prompt", text: true,
			get: func(s pipeline.Settings) string { return s.Prompt },
			set: func(s *pipeline.Settings, t string) error { s.Prompt = t; return nil },
		},
		negativeField: {
			label: "negative", text: true,
			get: func(s pipeline.Settings) string { return s.Negative },
			set: func(s *pipeline.Settings, t string) error { s.Negative = t; return nil },
		},
		guidanceField: real("guidance", "%.1f", guidanceStep, guidanceEnd, func(s *pipeline.Settings) *float64 { return &s.Guidance }),
		etaField:      real("eta", "%.2f", etaStep, 1, func(s *pipeline.Settings) *float64 { return &s.Eta }),
		samplerField:  samplerSetting(),
		sigmasField:   sigmasSetting(),
		stepsField:    stepsSetting(),
		seedField:     seedSetting(),
	}
}

// real is a setting that is a number with a slider from 0 to end.
func real(label, format string, step, end float64, of func(*pipeline.Settings) *float64) field {
	round := func(v float64) float64 { return math.Round(v/step*10) * step / 10 }
	return field{
		label: label,
		get: func(s pipeline.Settings) string {
			text := strconv.FormatFloat(*of(&s), 'g', -1, 64)
			if short := fmt.Sprintf(format, *of(&s)); len(short) >= len(text) {
				return short
			}
			return text
		},
		set: func(s *pipeline.Settings, t string) error {
			v, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
			if err != nil {
				return fmt.Errorf("%s is %q, want a number", label, t)
			}
			*of(s) = v
			return nil
		},
		step: func(s *pipeline.Settings, dir int) {
			*of(s) = min(max(round(*of(s)+float64(dir)*step), 0), max(end, *of(s)))
		},
		slider: &slider{
			at:   func(s pipeline.Settings) float64 { return min(*of(&s)/end, 1) },
			move: func(s *pipeline.Settings, f float64) { *of(s) = math.Round(f*end/step) * step },
		},
	}
}

// samplerSetting is the sampler. One that has no eta, or no choice of noise levels or
// spacing, takes its own.
func samplerSetting() field {
	all := samplers.Samplers()
	choose := func(s *pipeline.Settings, name string) {
		s.Sampler = name
		to, err := samplers.ByName(name)
		if err != nil {
			return // the check will say so
		}
		if !to.Eta {
			s.Eta = 0
		}
		if !to.Sigmas {
			s.Sigmas = ""
		}
		if to.OwnSpacing {
			s.Spacing = ""
		}
	}
	return field{
		label: "sampler", choices: len(all),
		get: func(s pipeline.Settings) string { return s.Sampler },
		set: func(s *pipeline.Settings, t string) error { choose(s, strings.TrimSpace(t)); return nil },
		step: func(s *pipeline.Settings, dir int) {
			i := slices.IndexFunc(all, func(x samplers.Sampler) bool { return x.Name == s.Sampler })
			choose(s, all[around(i, dir, len(all))].Name)
		},
	}
}

// around is the index after or before i of n, around the ends; from -1, what is not
// in the list, it goes to the first.
func around(i, dir, n int) int {
	if i < 0 {
		return 0
	}
	return (i + dir + n) % n
}

// sigmasSetting is the noise levels: the sampler's own, a schedule by its name, or a
// list.
func sigmasSetting() field {
	const own = "normal"
	names := samplers.SigmaSchedules()
	set := func(s *pipeline.Settings, name string) {
		if s.Sigmas = name; name == own {
			s.Sigmas = "" // for the model's own, as it is without the setting
		}
	}
	return field{
		label: "sigmas", choices: len(names),
		get: func(s pipeline.Settings) string { return cmp.Or(s.Sigmas, own) },
		set: func(s *pipeline.Settings, t string) error { set(s, strings.TrimSpace(t)); return nil },
		step: func(s *pipeline.Settings, dir int) {
			set(s, names[around(slices.Index(names, cmp.Or(s.Sigmas, own)), dir, len(names))])
		},
	}
}

func stepsSetting() field {
	return field{
		label: "steps",
		get:   func(s pipeline.Settings) string { return strconv.Itoa(s.Steps) },
		set: func(s *pipeline.Settings, t string) error {
			v, err := strconv.Atoi(strings.TrimSpace(t))
			if err != nil {
				return fmt.Errorf("steps is %q, want a whole number", t)
			}
			s.Steps = v
			return nil
		},
		step: func(s *pipeline.Settings, dir int) { s.Steps = min(max(s.Steps+dir, 1), maxSteps) },
	}
}

func seedSetting() field {
	return field{
		label: "seed",
		get:   func(s pipeline.Settings) string { return strconv.FormatUint(s.Seed, 10) },
		set: func(s *pipeline.Settings, t string) error {
			v, err := strconv.ParseUint(strings.TrimSpace(t), 10, 64)
			if err != nil {
				return fmt.Errorf("seed is %q, want 0 to 18446744073709551615", t)
			}
			s.Seed = v
			return nil
		},
		step: func(s *pipeline.Settings, dir int) { s.Seed += uint64(dir) }, // wraps around at both ends
	}
}
