package export

import (
	"fmt"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
	"ldx/samplers"
)

// Command is the `ldx run` that makes the same picture from the shell. Flags that
// hold the model's defaults are written too: defaults may change.
func Command(model string, s pipeline.Settings) string {
	args := []string{"ldx", "run"}
	if model != "" {
		args = append(args, "--model", pipeline.ShellWord(model))
	}
	args = append(args, "-p", pipeline.ShellWord(s.Prompt))
	if s.Negative != "" {
		args = append(args, "-n", pipeline.ShellWord(s.Negative))
	}
	args = append(args, "-g", number(s.Guidance), "--sampler", s.Sampler, "--steps", strconv.Itoa(s.Steps),
		"--eta", number(s.Eta), "-s", strconv.FormatUint(s.Seed, 10), "--size", fmt.Sprintf("%dx%d", s.Width, s.Height))
	args = append(args, guiding(s.Guiding)...)
	args = append(args, wording(s.Wording)...)
	args = append(args, origin(s.Origin)...)
	if s.Sigmas != "" {
		args = append(args, "--sigmas", s.Sigmas)
	}
	if s.RNG != samplers.Torch {
		args = append(args, "--rng", string(s.RNG))
	}
	if s.Spacing != "" {
		args = append(args, "--spacing", string(s.Spacing))
	}
	return strings.Join(append(args, "-o", "out.png"), " ")
}

// PathCommand is [Command] for the last step of a path, and what that command does
// otherwise than the path, "" for nothing.
func PathCommand(model string, path []*pipeline.Step) (command, but string) {
	last := path[len(path)-1]
	var notes []string
	for _, c := range ChangesOn(path) {
		notes = append(notes, fmt.Sprintf("it has no change at step %d (%s)", c.Step, c))
	}
	if last.Settings.LaterSeed != 0 {
		notes = append(notes, fmt.Sprintf("it has no seed %d for later noise", last.Settings.LaterSeed))
	}
	if !last.Done() {
		notes = append(notes, "it goes on to the end")
	}
	return Command(model, last.Settings), strings.Join(notes, "; ")
}

// wording are the flags for how prompts are read and blended.
func wording(w pipeline.Wording) (args []string) {
	if w.Syntax != "" && w.Syntax != prompt.Plain {
		args = append(args, "--prompt-syntax", string(w.Syntax))
	}
	if w.BlendWeight != 0 {
		args = append(args, "--blend", pipeline.ShellWord(w.Blend), "--blend-weight", number(w.BlendWeight))
	}
	return args
}

// origin are the flags for where a run starts.
func origin(o pipeline.Origin) (args []string) {
	if o.VariationStrength != 0 {
		args = append(args, "--variation-seed", strconv.FormatUint(o.VariationSeed, 10), "--variation-strength", number(o.VariationStrength))
	}
	if o.Init != "" {
		args = append(args, "--init", pipeline.ShellWord(o.Init), "--strength", number(o.Strength))
	}
	return args
}

// guiding are the flags for what guidance does beside its scale.
func guiding(g samplers.Guidance) (args []string) {
	flag := func(name, value string) { args = append(args, "--"+name, value) }
	if g.Schedule != "" {
		flag("guidance-schedule", string(g.Schedule))
	}
	if text := g.Interval.String(); text != "" {
		flag("guidance-interval", text)
	}
	if g.Rescale != 0 {
		flag("guidance-rescale", number(g.Rescale))
	}
	if g.APG.Enabled {
		flag("apg", g.APG.String())
	}
	if g.Mimic.Scale != 0 {
		flag("mimic", g.Mimic.String())
	}
	if g.PlusPlus {
		args = append(args, "--cfg-plus-plus")
	}
	return args
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
