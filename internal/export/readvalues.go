package export

import (
	"math"
	"strconv"
	"strings"

	"ldx/pipeline/prompt"
	"ldx/samplers"
)

// The takers each lay a value over the settings if its name is one of theirs.

func (in *reader) takeNumber(v Pair) (known bool, err error) {
	s := &in.Settings
	switch v.Name {
	case keySteps:
		return true, whole(v, &s.Steps)
	case keyCFG:
		return true, decimal(v, &s.Guidance)
	case keyEta, "Eta DDIM":
		return true, decimal(v, &s.Eta)
	case keySeed:
		return true, seed(v, &s.Seed)
	case keyLaterSeed:
		return true, seed(v, &s.LaterSeed)
	case keyVariation:
		return true, seed(v, &s.VariationSeed)
	case keyVariationBy:
		return true, decimal(v, &s.VariationStrength)
	case keyDenoising:
		return true, decimal(v, &s.Strength)
	case keyBlendWeight:
		return true, decimal(v, &s.BlendWeight)
	case keyGuideRescale:
		return true, decimal(v, &s.Guiding.Rescale)
	case keySize:
		return true, size(v, &s.Width, &s.Height)
	}
	return false, nil
}

// takeName reads what has one of a list of names. One that ldx does not have leaves the
// setting as it is, and is said.
func (in *reader) takeName(v Pair) (known bool, err error) {
	s := &in.Settings
	switch v.Name {
	case keySampler:
		sampler, sigmas, ok := samplerOurs(v.Value)
		if !ok {
			in.ignore(v, "ldx has no such sampler: "+s.Sampler+" instead")
			return true, nil
		}
		s.Sampler = sampler
		if !in.has(keySchedule) {
			s.Sigmas = sigmas
		}
	case keySchedule:
		sigmas, ok := sigmasOurs(v.Value)
		if !ok {
			in.ignore(v, "ldx has no such noise levels: the model's instead")
			return true, nil
		}
		s.Sigmas = sigmas
	case keyRNG:
		in.takeGenerator(v)
	case keyModel:
		in.Model = v.Value
	case keyVersion:
		// AUTOMATIC1111 writes its own: there is nothing to tell.
	default:
		return false, nil
	}
	return true, nil
}

func (in *reader) takeGenerator(v Pair) {
	theirs := map[string]samplers.Generator{"CPU": samplers.Torch, "GPU": samplers.Philox, "NV": samplers.NV}
	if g, ok := theirs[v.Value]; ok {
		in.Settings.RNG = g
		return
	}
	if g := samplers.Generator(v.Value); g.Check() == nil {
		in.Settings.RNG = g
		return
	}
	in.ignore(v, "ldx has no such noise: "+string(in.Settings.RNG)+" instead")
}

func (in *reader) takeGuiding(v Pair) (known bool, err error) {
	g := &in.Settings.Guiding
	switch v.Name {
	case keyGuideSchedule:
		g.Schedule, err = samplers.ParseGuidanceSchedule(v.Value)
	case keyGuideInterval:
		g.Interval, err = samplers.ParseGuidanceInterval(v.Value)
	case keyAPG:
		g.APG, err = samplers.ParseAPG(v.Value)
	case keyMimic:
		g.Mimic, err = samplers.ParseMimic(v.Value)
	case keyPlusPlus:
		g.PlusPlus = v.Value == onOff(true)
		if !g.PlusPlus && v.Value != onOff(false) {
			err = wrong(v, "on or off")
		}
	default:
		return false, nil
	}
	return true, err
}

func (in *reader) takeOrigin(v Pair) (known bool, err error) {
	o := &in.Settings.Origin
	switch v.Name {
	case keyInit:
		o.Init = v.Value
	case keyInitSHA256:
		o.InitSHA256 = v.Value
	default:
		return false, nil
	}
	return true, nil
}

func (in *reader) takeOurs(v Pair) (known bool, err error) {
	s := &in.Settings
	switch v.Name {
	case keyPrompt:
		s.Prompt = v.Value
	case keyNegative:
		s.Negative = v.Value
	case keyBlend:
		s.Blend = v.Value
	case keySyntax:
		s.Syntax = prompt.Syntax(v.Value)
		err = s.Syntax.Check()
	case keySpacing:
		s.Spacing = samplers.Spacing(v.Value)
	default:
		return in.passOver(v), nil
	}
	return true, err
}

// passOver says what of the way a picture was made a new run does not do again.
func (in *reader) passOver(v Pair) bool {
	switch {
	case strings.HasPrefix(v.Name, keyChanges):
		in.ignore(v, "a new run has the last settings all the way")
	case v.Name == keyStopped:
		in.ignore(v, "a new run goes on to the end")
	default:
		return false
	}
	return true
}

func whole(v Pair, to *int) (err error) {
	if *to, err = strconv.Atoi(v.Value); err != nil {
		return wrong(v, "a whole number")
	}
	return nil
}

func decimal(v Pair, to *float64) (err error) {
	if *to, err = strconv.ParseFloat(v.Value, 64); err != nil || math.IsNaN(*to) || math.IsInf(*to, 0) {
		return wrong(v, "a number")
	}
	return nil
}

func seed(v Pair, to *uint64) (err error) {
	if *to, err = strconv.ParseUint(v.Value, 10, 64); err != nil {
		return wrong(v, "0 to 18446744073709551615")
	}
	return nil
}

func size(v Pair, width, height *int) error {
	w, h, ok := strings.Cut(v.Value, "x")
	if !ok || whole(Pair{v.Name, w}, width) != nil || whole(Pair{v.Name, h}, height) != nil {
		return wrong(v, "WIDTHxHEIGHT in pixels")
	}
	return nil
}
