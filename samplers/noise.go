package samplers

import (
	"fmt"
	"slices"
	"sync"
)

// Noise is a sequence of draws of standard normal noise, one latent each. Draw 0
// is the start noise. Draw(k) depends on the generator, the seed and k alone,
// returns a slice of its own at each call, and is safe for several goroutines.
type Noise interface {
	Draw(k int) []float32
}

// A Generator names a random number generator as --rng takes it.
type Generator string

// Torch is torch.randn on the CPU: MT19937 and the arithmetic of its AVX2 code.
const Torch Generator = "torch"

// Generators lists every [Generator].
func Generators() []Generator { return []Generator{Torch} }

// Check reports whether g is one of [Generators].
func (g Generator) Check() error {
	if !slices.Contains(Generators(), g) {
		return fmt.Errorf("noise generator %q is unknown, want %s", g, join(Generators()))
	}
	return nil
}

// NewNoise seeds a generator once for draws of n values each, as a diffusers
// pipeline does with its generator argument.
func NewNoise(g Generator, seed uint64, n int) (Noise, error) {
	if n < 1 {
		return nil, fmt.Errorf("noise of %d values, want at least 1", n)
	}
	if err := g.Check(); err != nil {
		return nil, err
	}
	return &torchNoise{n: n, before: []torchGenerator{newTorchGenerator(seed)}}, nil
}

// torchNoise keeps the generator as it stood before each draw (2.5 kB each), so
// that any draw can be made again from there.
type torchNoise struct {
	n      int
	mu     sync.Mutex
	before []torchGenerator
}

func (t *torchNoise) Draw(k int) []float32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.before) <= k {
		g := t.before[len(t.before)-1]
		g.randn(t.n)
		t.before = append(t.before, g)
	}
	g := t.before[k]
	return g.randn(t.n)
}
