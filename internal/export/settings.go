package export

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
	"ldx/samplers"
)

// Parameters are the settings in the form AUTOMATIC1111 writes into pictures and
// other tools read: the prompt, the negative prompt, then names and values.
func Parameters(model string, s pipeline.Settings) string {
	var b strings.Builder
	b.WriteString(s.Prompt + "\n")
	if s.Negative != "" {
		b.WriteString("Negative prompt: " + s.Negative + "\n")
	}
	fmt.Fprintf(&b, "Steps: %d, Sampler: %s, CFG scale: %s, Seed: %d, Size: %dx%d, Model: %s, Eta: %s, RNG: %s",
		s.Steps, strings.ToUpper(s.Sampler), number(s.Guidance), s.Seed, s.Width, s.Height, model, number(s.Eta), s.RNG)
	if s.Sigmas != "" {
		fmt.Fprintf(&b, ", Schedule type: %s", s.Sigmas)
	}
	if s.Spacing != "" {
		fmt.Fprintf(&b, ", Timestep spacing: %s", s.Spacing)
	}
	if flags := guiding(s.Guiding); len(flags) > 0 {
		fmt.Fprintf(&b, ", Guidance: %s", strings.ReplaceAll(strings.Join(flags, " "), ",", ";"))
	}
	if s.VariationStrength != 0 {
		fmt.Fprintf(&b, ", Variation seed: %d, Variation seed strength: %s", s.VariationSeed, number(s.VariationStrength))
	}
	if s.Init != "" {
		fmt.Fprintf(&b, ", Denoising strength: %s", number(s.Strength))
	}
	if s.BlendWeight != 0 {
		fmt.Fprintf(&b, ", Blend: %s, Blend weight: %s", quoted(s.Blend), number(s.BlendWeight))
	}
	return b.String()
}

// quoted is a value as readers of parameters take one that holds their separators: a
// JSON string.
func quoted(text string) string {
	if text != "" && !strings.ContainsAny(text, ",:\n\"") {
		return text
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always has JSON
	return strings.TrimSuffix(b.String(), "\n")
}

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
