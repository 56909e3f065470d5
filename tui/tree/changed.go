package tree

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
)

// Changed says in few words what other settings are, the prompt first; "" for nothing.
func Changed(from, to pipeline.Settings) string {
	var parts []string
	for _, changes := range []func(from, to pipeline.Settings) []string{texts, guidance, sampling, start} {
		parts = append(parts, changes(from, to)...)
	}
	return strings.Join(parts, ", ")
}

// change words a setting if it is another.
func change[T comparable](from, to T, format string) []string {
	if from == to {
		return nil
	}
	return []string{fmt.Sprintf(format, to)}
}

// quoted is a text in one line, without what a terminal would obey.
func quoted(text string) string {
	return `"` + strings.Join(strings.Fields(ansi.Strip(text)), " ") + `"`
}

func texts(from, to pipeline.Settings) (parts []string) {
	parts = append(parts, change(quoted(from.Prompt), quoted(to.Prompt), "prompt %s")...)
	parts = append(parts, change(quoted(from.Negative), quoted(to.Negative), "negative %s")...)
	parts = append(parts, change(quoted(from.Blend), quoted(to.Blend), "blend %s")...)
	parts = append(parts, change(from.BlendWeight, to.BlendWeight, "blend weight %g")...)
	return append(parts, change(cmp.Or(from.Syntax, prompt.Plain), cmp.Or(to.Syntax, prompt.Plain), "syntax %s")...)
}

func guidance(from, to pipeline.Settings) (parts []string) {
	parts = append(parts, change(from.Guidance, to.Guidance, "guidance %g")...)
	f, g := from.Guiding, to.Guiding
	parts = append(parts, change(f.Schedule, g.Schedule, "guidance %v")...)
	parts = append(parts, change(f.Interval, g.Interval, "interval %v")...)
	parts = append(parts, change(f.Rescale, g.Rescale, "rescale %g")...)
	parts = append(parts, change(f.APG, g.APG, "apg %v")...)
	parts = append(parts, change(f.Mimic, g.Mimic, "mimic %v")...)
	return append(parts, change(f.PlusPlus, g.PlusPlus, "cfg++ %t")...)
}

func sampling(from, to pipeline.Settings) (parts []string) {
	parts = append(parts, change(from.Sampler, to.Sampler, "sampler %s")...)
	parts = append(parts, change(cmp.Or(from.Sigmas, "normal"), cmp.Or(to.Sigmas, "normal"), "sigmas %s")...)
	parts = append(parts, change(from.Steps, to.Steps, "steps %d")...)
	parts = append(parts, change(from.Eta, to.Eta, "eta %g")...)
	parts = append(parts, change(cmp.Or(from.Spacing, "the model's"), cmp.Or(to.Spacing, "the model's"), "spacing %s")...)
	if from.LaterSeed != to.LaterSeed && to.LaterSeed == 0 {
		return append(parts, "later seed off")
	}
	return append(parts, change(from.LaterSeed, to.LaterSeed, "later seed %d")...)
}

func start(from, to pipeline.Settings) (parts []string) {
	parts = append(parts, change(from.Seed, to.Seed, "seed %d")...)
	parts = append(parts, change(from.RNG, to.RNG, "rng %s")...)
	if from.Width != to.Width || from.Height != to.Height {
		parts = append(parts, fmt.Sprintf("size %dx%d", to.Width, to.Height))
	}
	parts = append(parts, change(from.VariationSeed, to.VariationSeed, "variation seed %d")...)
	parts = append(parts, change(from.VariationStrength, to.VariationStrength, "variation %g")...)
	if from.Init != to.Init || from.InitSHA256 != to.InitSHA256 {
		name := "none"
		if to.Init != "" {
			name = quoted(filepath.Base(to.Init))
		}
		parts = append(parts, "picture "+name)
	}
	return append(parts, change(from.Strength, to.Strength, "strength %g")...)
}
