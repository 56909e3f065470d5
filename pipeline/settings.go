package pipeline

import (
	"fmt"
	"math/rand/v2"

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

// guided reports whether call k of a plan needs the unconditional output under s.
func (s Settings) guided(p *samplers.Plan, k int) bool {
	return s.guidance().Needs(p.StepOf(k), p.Steps(), p.Sigma(k))
}

// sameRun reports whether two settings belong to one run, that is whether a step
// made under one can be gone on from under the other.
func (s Settings) sameRun(o Settings) bool {
	for _, t := range []*Settings{&s, &o} {
		t.Prompt, t.Negative, t.Guidance, t.Eta = "", "", 0, 0
		t.Guiding = samplers.Guidance{}
	}
	return s == o
}
