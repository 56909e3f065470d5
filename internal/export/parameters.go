package export

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
)

// Names of parameters. Those that AUTOMATIC1111 has are written as it does, so that
// other tools read them; the rest are ours. A name is at least two letters, digits,
// blanks, - or /: others do not read more.
const (
	keySteps         = "Steps"
	keySampler       = "Sampler"
	keySchedule      = "Schedule type"
	keyCFG           = "CFG scale"
	keySeed          = "Seed"
	keySize          = "Size"
	keyModel         = "Model"
	keyEta           = "Eta"
	keyRNG           = "RNG"
	keyVariation     = "Variation seed"
	keyVariationBy   = "Variation seed strength"
	keyDenoising     = "Denoising strength"
	keySpacing       = "Timestep spacing"
	keyGuideSchedule = "Guidance schedule"
	keyGuideInterval = "Guidance interval"
	keyGuideRescale  = "Guidance rescale"
	keyAPG           = "APG"
	keyMimic         = "Mimic"
	keyPlusPlus      = "CFG plus plus"
	keyInit          = "Init image"
	keyInitSHA256    = "Init image SHA-256"
	keySyntax        = "Prompt syntax"
	keyBlend         = "Blend"
	keyBlendWeight   = "Blend weight"
	keyLaterSeed     = "Later seed"
	keyPrompt        = "Exact prompt"
	keyNegative      = "Exact negative prompt"
	keyStopped       = "Stopped at step"
	keyChanges       = "Changes at step" // with the step's number after it
	keyVersion       = "Version"
	ourVersion       = "ldx"
)

const negativeMark = "Negative prompt:"

// Parameters are the settings in the form AUTOMATIC1111 writes into pictures and
// other tools read: the prompt, the negative prompt, then names and values in one line.
// All that has an effect is there, bit for bit: [ReadSettings] reads it back.
func Parameters(model string, s pipeline.Settings) string { return parameters(model, s, nil) }

// PathParameters are [Parameters] of the last step of a path. Where settings changed on
// the way, or the run is not at its end, that is said in values of their own, which
// other tools pass over.
func PathParameters(model string, path []*pipeline.Step) string {
	last := path[len(path)-1]
	var more pairs
	for _, c := range ChangesOn(path) {
		more.add(fmt.Sprintf("%s %d", keyChanges, c.Step), c.String())
	}
	if !last.Done() {
		more.add(keyStopped, strconv.Itoa(last.Number()))
	}
	return parameters(model, last.Settings, more)
}

func parameters(model string, s pipeline.Settings, more pairs) string {
	var p pairs
	p.add(keySteps, strconv.Itoa(s.Steps))
	p.add(keySampler, samplerTheirs(s.Sampler))
	p.addUnlessEmpty(keySchedule, scheduleTheirs(s.Sigmas))
	p.add(keyCFG, number(s.Guidance))
	p.add(keySeed, strconv.FormatUint(s.Seed, 10))
	p.add(keySize, fmt.Sprintf("%dx%d", s.Width, s.Height))
	p.add(keyModel, model)
	p.add(keyEta, number(s.Eta))
	p.add(keyRNG, string(s.RNG))
	p.addUnlessEmpty(keySpacing, string(s.Spacing))
	p.addGuiding(s)
	p.addOrigin(s.Origin)
	p.addWording(s.Wording)
	if s.LaterSeed != 0 {
		p.add(keyLaterSeed, strconv.FormatUint(s.LaterSeed, 10))
	}
	text := s.Prompt + "\n"
	if s.Negative != "" {
		text += negativeMark + " " + s.Negative + "\n"
	}
	// Prompts that the form cannot hold, such as one with "Negative prompt:" in it.
	held, _ := splitParameters(text + p.String())
	positive, negative := splitPrompts(held)
	if positive != s.Prompt || negative != s.Negative {
		p.add(keyPrompt, s.Prompt)
		p.add(keyNegative, s.Negative)
	}
	p = append(p, more...)
	p.add(keyVersion, ourVersion)
	return text + p.String()
}

func (p *pairs) addGuiding(s pipeline.Settings) {
	g := s.Guiding
	p.addUnlessEmpty(keyGuideSchedule, string(g.Schedule))
	p.addUnlessEmpty(keyGuideInterval, g.Interval.String())
	p.addUnlessEmpty(keyGuideRescale, unlessZero(g.Rescale))
	p.addUnlessEmpty(keyAPG, when(g.APG.Enabled, g.APG.String()))
	p.addUnlessEmpty(keyMimic, when(g.Mimic.Scale != 0, g.Mimic.String()))
	p.addUnlessEmpty(keyPlusPlus, when(g.PlusPlus, onOff(true)))
}

func (p *pairs) addOrigin(o pipeline.Origin) {
	if o.VariationStrength != 0 {
		p.add(keyVariation, strconv.FormatUint(o.VariationSeed, 10))
		p.add(keyVariationBy, number(o.VariationStrength))
	}
	if o.Init != "" {
		p.add(keyDenoising, number(o.Strength))
		p.add(keyInit, o.Init)
		p.addUnlessEmpty(keyInitSHA256, o.InitSHA256)
	}
}

func (p *pairs) addWording(w pipeline.Wording) {
	if w.Syntax != prompt.Plain {
		p.addUnlessEmpty(keySyntax, string(w.Syntax))
	}
	if w.BlendWeight != 0 {
		p.add(keyBlend, w.Blend)
		p.add(keyBlendWeight, number(w.BlendWeight))
	}
}

// Pair is a name and a value of a picture's parameters.
type Pair struct{ Name, Value string }

type pairs []Pair

func (p *pairs) add(name, value string) { *p = append(*p, Pair{name, value}) }

func (p *pairs) addUnlessEmpty(name, value string) {
	if value != "" {
		p.add(name, value)
	}
}

// String is the line of names and values.
func (p pairs) String() string {
	parts := make([]string, len(p))
	for i, kv := range p {
		parts[i] = kv.Name + ": " + quoted(kv.Value)
	}
	return strings.Join(parts, ", ")
}

// quoted is a value as readers of parameters take one that holds their separators: a
// JSON string.
func quoted(text string) string {
	if text != "" && !strings.ContainsAny(text, ",:\n\r\"") && strings.TrimSpace(text) == text {
		return text
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string always has JSON
	return strings.TrimSuffix(b.String(), "\n")
}
