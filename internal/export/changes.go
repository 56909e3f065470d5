package export

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
)

// Change is a setting that differs between two steps, as text.
type Change struct{ Name, From, To string }

// String is the change in a line, such as "guidance 3 → 5".
func (c Change) String() string {
	return c.Name + " " + unlessEmpty(c.From) + " → " + unlessEmpty(c.To)
}

func unlessEmpty(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// Changes are those of one place on a path.
type Changes struct {
	Index   int // on the path: the first step under the new settings
	Step    int // [pipeline.Step.Number] there
	Changed []Change
}

// String lists what changed.
func (c Changes) String() string {
	parts := make([]string, len(c.Changed))
	for i, p := range c.Changed {
		parts[i] = p.String()
	}
	return strings.Join(parts, "; ")
}

// ChangesOn lists where settings change along a path, the first step's excepted.
func ChangesOn(path []*pipeline.Step) []Changes {
	var all []Changes
	for i := 1; i < len(path); i++ {
		if changed := Differences(path[i-1].Settings, path[i].Settings); len(changed) > 0 {
			all = append(all, Changes{i, path[i].Number(), changed})
		}
	}
	return all
}

// Differences lists what differs between two settings and has an effect in one of them,
// in the order of the flags of ldx run.
func Differences(from, to pipeline.Settings) []Change {
	var out []Change
	before, after := described(from), described(to)
	for i, d := range before {
		if d.text != after[i].text {
			out = append(out, Change{d.name, d.text, after[i].text})
		}
	}
	return out
}

type description struct{ name, text string }

// described are the settings as texts, "" for what is off.
func described(s pipeline.Settings) []description {
	g := s.Guiding
	return []description{
		{"prompt", ifNotEmpty(strconv.Quote, s.Prompt)},
		{"negative prompt", ifNotEmpty(strconv.Quote, s.Negative)},
		{"guidance", number(s.Guidance)},
		{"guidance schedule", string(g.Schedule)},
		{"guidance interval", g.Interval.String()},
		{"guidance rescale", unlessZero(g.Rescale)},
		{"apg", g.APG.String()},
		{"mimic", g.Mimic.String()},
		{"cfg++", onOff(g.PlusPlus)},
		{"sampler", s.Sampler},
		{"sigmas", s.Sigmas},
		{"steps", strconv.Itoa(s.Steps)},
		{"eta", number(s.Eta)},
		{"seed", strconv.FormatUint(s.Seed, 10)},
		{"rng", string(s.RNG)},
		{"spacing", string(s.Spacing)},
		{"size", fmt.Sprintf("%dx%d", s.Width, s.Height)},
		{"prompt syntax", syntaxName(s.Syntax)},
		{"blend", when(s.BlendWeight != 0, strconv.Quote(s.Blend)+" "+number(s.BlendWeight))},
		{"variation", when(s.VariationStrength != 0, strconv.FormatUint(s.VariationSeed, 10)+" by "+number(s.VariationStrength))},
		{"init", when(s.Init != "", strconv.Quote(s.Init)+" by "+number(s.Strength))},
		{"later seed", when(s.LaterSeed != 0, strconv.FormatUint(s.LaterSeed, 10))},
	}
}

func ifNotEmpty(f func(string) string, text string) string {
	if text == "" {
		return ""
	}
	return f(text)
}

func when(on bool, text string) string {
	if on {
		return text
	}
	return ""
}

func unlessZero(v float64) string { return when(v != 0, number(v)) }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func syntaxName(s prompt.Syntax) string { return string(cmp.Or(s, prompt.Plain)) }
