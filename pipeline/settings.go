package pipeline

import (
	"fmt"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"ldx/samplers"
)

// Settings are everything that decides a run. They are a value.
type Settings struct {
	Prompt   string  `json:"prompt"`
	Negative string  `json:"negative"`
	Guidance float64 `json:"guidance"` // at most 1 is off: the conditional output alone
	// Guiding is what guidance does beside its scale, which is Guidance.
	Guiding samplers.Guidance `json:"guiding,omitzero"`
	Sampler string            `json:"sampler"`
	Sigmas  string            `json:"sigmas,omitempty"`
	Steps   int               `json:"steps"`
	Eta     float64           `json:"eta"`
	Seed    uint64            `json:"seed"`
	// LaterSeed, unless 0, is the seed of the draws after the start noise.
	LaterSeed uint64             `json:"later_seed,omitempty"`
	RNG       samplers.Generator `json:"rng"`
	Spacing   samplers.Spacing   `json:"spacing,omitempty"` // "" is the model's
	Width     int                `json:"width"`             // pixels
	Height    int                `json:"height"`
}

// RandomSeed draws a seed below 2^32: torch's CPU generator tells no more apart.
func RandomSeed() uint64 { return uint64(rand.Uint32()) }

// MaxPrompt bounds a prompt's length in bytes; far more than any encoder reads.
const MaxPrompt = 1 << 20

// check holds s against everything that needs no model.
func (s Settings) check() error {
	if err := s.guidance().Check(); err != nil {
		return err
	}
	switch {
	case !(s.Eta >= 0 && s.Eta <= 1):
		return fmt.Errorf("eta is %g, want 0 to 1", s.Eta)
	case len(s.Prompt) > MaxPrompt || len(s.Negative) > MaxPrompt:
		return fmt.Errorf("a prompt has %d bytes, want at most %d", max(len(s.Prompt), len(s.Negative)), MaxPrompt)
	}
	return nil
}

// guidance is how the outputs of a call are combined under s.
func (s Settings) guidance() samplers.Guidance {
	g := s.Guiding
	g.Scale = s.Guidance
	return g
}

// sameNoise reports whether two settings start from the same noise, so that a run made
// under one can be gone on with under the other.
func (s Settings) sameNoise(o Settings) bool {
	return s.Seed == o.Seed && s.RNG == o.RNG && s.Width == o.Width && s.Height == o.Height
}

// noise is where the start noise of a latent comes from.
func (s Settings) noise(shape tensor.Shape) (samplers.Noise, error) { return s.noiseOf(s.Seed, shape) }

func (s Settings) noiseOf(seed uint64, shape tensor.Shape) (samplers.Noise, error) {
	return samplers.NewNoise(s.RNG, seed, shape.TotalSize())
}

// drawSeed is the seed of the draws after the start noise.
func (s Settings) drawSeed() uint64 {
	if s.LaterSeed != 0 {
		return s.LaterSeed
	}
	return s.Seed
}
