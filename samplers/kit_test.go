package samplers_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ldx/samplers"
)

// everySampler runs a subtest for each sampler that there is.
func everySampler(t *testing.T, test func(t *testing.T, s samplers.Sampler)) {
	t.Helper()
	for _, s := range samplers.Samplers() {
		t.Run(s.Name, func(t *testing.T) { test(t, s) })
	}
}

// handed is noise whose first draw is given; later draws are those of a generator that
// begins after it.
type handed struct {
	first []float32
	later samplers.Noise
}

func (h handed) Draw(k int) []float32 {
	if k == 0 {
		return slices.Clone(h.first)
	}
	return h.later.Draw(k - 1)
}

// counted writes down which draws were made.
type counted struct {
	samplers.Noise
	drawn []int
}

func (c *counted) Draw(k int) []float32 {
	c.drawn = append(c.drawn, k)
	return c.Noise.Draw(k)
}

func torchNoise(t testing.TB, seed uint64, n int) samplers.Noise {
	t.Helper()
	noise, err := samplers.NewNoise(samplers.Torch, seed, n)
	if err != nil {
		t.Fatal(err)
	}
	return noise
}

// deepCopy shares no memory with s.
func deepCopy(s samplers.State) samplers.State {
	s.X = slices.Clone(s.X)
	memory := make([][]float32, len(s.Memory))
	for i, m := range s.Memory {
		memory[i] = slices.Clone(m)
	}
	s.Memory = memory
	return s
}

// sameState reports how two states differ in any bit, nil if they do not.
func sameState(got, want samplers.State) error {
	switch {
	case got.Index != want.Index:
		return fmt.Errorf("index is %d, want %d", got.Index, want.Index)
	case got.Draws != want.Draws:
		return fmt.Errorf("%d draws, want %d", got.Draws, want.Draws)
	case len(got.Memory) != len(want.Memory):
		return fmt.Errorf("%d latents in memory, want %d", len(got.Memory), len(want.Memory))
	case !sameBits(got.X, want.X):
		return fmt.Errorf("another latent")
	}
	for i, m := range got.Memory {
		if !sameBits(m, want.Memory[i]) {
			return fmt.Errorf("another latent %d in memory", i)
		}
	}
	return nil
}

// sameBits compares bit by bit, so that NaN is itself and -0 is not 0.
func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// finite says whether no value is infinite or NaN.
func finite(values ...[]float32) bool {
	for _, v := range slices.Concat(values...) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// predictionAt is what the toy denoiser outputs at s; it goes by the noise level, and so
// works for any plan.
func predictionAt(p *samplers.Plan, s samplers.State, means []float64) []float32 {
	sigma := float64(p.Sigma(s.Index))
	bar, noise2 := 1/(1+sigma*sigma), 1.0
	if !math.IsInf(sigma, 1) {
		noise2 = sigma * sigma * bar
	}
	return toyPrediction(p.Latent(s), means, bar, noise2, p.Prediction())
}

func with(t *testing.T, c samplers.Config, key string, value any) samplers.Config {
	t.Helper()
	c, err := c.With(key, value)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
