package pipeline

import (
	"fmt"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"ldx/pipeline/prompt"
	"ldx/samplers"
)

// Settings are everything that decides a run. They are a value.
type Settings struct {
	Prompt   string  `json:"prompt"`
	Negative string  `json:"negative"`
	Guidance float64 `json:"guidance"` // at most 1 is off: the conditional output alone
	// Guiding is what guidance does beside its scale, which is Guidance.
	Guiding samplers.Guidance  `json:"guiding,omitzero"`
	Sampler string             `json:"sampler"`
	Sigmas  string             `json:"sigmas,omitempty"`
	Steps   int                `json:"steps"`
	Eta     float64            `json:"eta"`
	Seed    uint64             `json:"seed"`
	RNG     samplers.Generator `json:"rng"`
	Spacing samplers.Spacing   `json:"spacing,omitempty"` // "" is the model's
	Width   int                `json:"width"`             // pixels
	Height  int                `json:"height"`
	Wording
	Origin
	Later
}

// Later is what comes after the start. It may change in the middle of a run.
type Later struct {
	// LaterSeed, unless 0, is the seed of the draws after the start.
	LaterSeed uint64 `json:"later_seed,omitempty"`
}

// Wording is how prompts are read and blended. It may change in the middle of a run.
type Wording struct {
	Syntax prompt.Syntax `json:"syntax,omitempty"` // "" is prompt.Plain
	// Blend is a second prompt: the text embeddings are
	// (1-BlendWeight)*Prompt + BlendWeight*Blend, weights within a prompt applied
	// before. The negative prompt is not blended.
	Blend       string  `json:"blend,omitempty"`
	BlendWeight float64 `json:"blend_weight,omitempty"` // 0 (Prompt alone) to 1 (Blend alone)
}

// Origin is where a run starts beside its seed.
type Origin struct {
	// VariationSeed and VariationStrength turn the start noise towards that of another
	// seed: see [samplers.Slerp]. Strength 0 is the noise of Seed, 1 that of
	// VariationSeed.
	VariationSeed     uint64  `json:"variation_seed,omitempty"`
	VariationStrength float64 `json:"variation_strength,omitempty"`
	// Init is the path of a picture to start from, "" for noise alone; InitSHA256 is
	// what its file is, in hexadecimal, "" for whatever is there.
	Init       string `json:"init,omitempty"`
	InitSHA256 string `json:"init_sha256,omitempty"`
	// Strength is the share of the steps that a run from a picture takes, above 0 to
	// 1: int(Strength*steps) of them, the last ones (SDEdit, arXiv 2108.01073).
	Strength float64 `json:"strength,omitempty"`
}

// DefaultStrength is that of a run from a picture, as in diffusers.
const DefaultStrength = 0.8

// RandomSeed draws a seed below 2^32: torch's CPU generator tells no more apart.
func RandomSeed() uint64 { return uint64(rand.Uint32()) }

// MaxPrompt bounds a prompt's length in bytes; far more than any encoder reads.
const MaxPrompt = 1 << 20

// check holds s against everything that needs no model.
func (s Settings) check() error {
	if err := s.guidance().Check(); err != nil {
		return err
	}
	longest := max(len(s.Prompt), len(s.Negative), len(s.Blend))
	switch {
	case !(s.Eta >= 0 && s.Eta <= 1):
		return fmt.Errorf("eta is %g, want 0 to 1", s.Eta)
	case longest > MaxPrompt:
		return fmt.Errorf("a prompt has %d bytes, want at most %d", longest, MaxPrompt)
	}
	if err := s.checkOrigin(); err != nil {
		return err
	}
	return s.checkWording()
}

func (s Settings) checkOrigin() error {
	switch {
	case !(s.VariationStrength >= 0 && s.VariationStrength <= 1):
		return fmt.Errorf("variation strength is %g, want 0 to 1", s.VariationStrength)
	case s.Init != "" && !(s.Strength > 0 && s.Strength <= 1):
		return fmt.Errorf("strength is %g, want above 0 to 1", s.Strength)
	}
	return s.RNG.CheckSeed(s.VariationSeed)
}

func (s Settings) checkWording() error {
	if err := s.Syntax.Check(); err != nil {
		return err
	}
	if !(s.BlendWeight >= 0 && s.BlendWeight <= 1) {
		return fmt.Errorf("blend weight is %g, want 0 (the prompt alone) to 1 (the other alone)", s.BlendWeight)
	}
	for _, text := range []string{s.Prompt, s.Negative, s.Blend} {
		if _, err := s.read(text); err != nil {
			return err
		}
	}
	return nil
}

// read is a prompt in the settings' syntax.
func (s Settings) read(text string) (prompt.Prompt, error) {
	if s.Syntax == prompt.A1111 {
		return prompt.Parse(text)
	}
	return prompt.Literal(text), nil
}

// guidance is how the outputs of a call are combined under s.
func (s Settings) guidance() samplers.Guidance {
	g := s.Guiding
	g.Scale = s.Guidance
	return g
}

// sameStart reports whether two settings start from the same latent, so that a run made
// under one can be gone on with under the other.
func (s Settings) sameStart(o Settings) bool {
	return s.Seed == o.Seed && s.RNG == o.RNG && s.Width == o.Width && s.Height == o.Height && s.Origin == o.Origin
}

// noise is where the start noise of a latent comes from.
func (s Settings) noise(shape tensor.Shape) (samplers.Noise, error) {
	return samplers.NewNoise(s.RNG, s.Seed, shape.TotalSize())
}

// later is where draws after the start come from.
func (s Settings) later(shape tensor.Shape) (samplers.Noise, error) {
	if s.LaterSeed == 0 {
		return s.noise(shape)
	}
	return samplers.NewNoise(s.RNG, s.LaterSeed, shape.TotalSize())
}
