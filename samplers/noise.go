package samplers

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Noise is a sequence of draws of standard normal noise, one latent each. Draw 0
// is the start noise. Draw(k), with k from 0, depends on the generator, the seed,
// the size and k alone, returns a slice of its own at each call, and is safe for
// several goroutines.
type Noise interface {
	Draw(k int) []float32
}

// A Generator names a random number generator as --rng takes it: one of
// [Generators], or Philox on a GPU of another size, such as "philox:40x1024".
type Generator string

const (
	// Torch is torch.randn on the CPU: MT19937 and the arithmetic of its AVX2
	// code, bit for bit. Seeds that agree in their low 32 bits give the same.
	Torch Generator = "torch"

	// Philox is torch.randn on CUDA, to a few 1e-6: the GPU's own sine is coarser
	// than that, and its bits are not published.
	//
	// A GPU works on a tensor with at most as many threads as it holds at once,
	// SMs times threads per SM. Draws up to that size are the same on all GPUs;
	// in larger ones a thread makes more than one value, and which values these
	// are depends on the number of threads. "philox" is a GPU of 132 SMs with 2048
	// threads each (H100 and H200 SXM: 270336 values, more than four images of
	// 1024x1024). "philox:SMSxTHREADS" is any other: philox:108x2048 an A100,
	// philox:128x1536 an RTX 4090, philox:28x1536 an RTX 3060, philox:40x1024 a
	// T4, whose 40960 values do not hold one image of 1024x1024 (65536).
	Philox Generator = "philox"

	// NV is AUTOMATIC1111's generator of that name, bit for bit: Philox as if any
	// GPU held any tensor, in float64.
	NV Generator = "nv"

	// Numpy is numpy.random.RandomState(seed).randn, rounded to float32, which
	// OnnxStableDiffusionPipeline starts from. Seeds end at 2^32-1.
	Numpy Generator = "numpy"
)

// Generators lists every [Generator], leaving out Philox's GPUs.
func Generators() []Generator { return []Generator{Torch, Philox, NV, Numpy} }

// Check reports whether g names a generator.
func (g Generator) Check() error {
	_, _, err := g.parse()
	return err
}

// CheckSeed reports whether g takes the seed.
func (g Generator) CheckSeed(seed uint64) error {
	if g == Numpy && seed > math.MaxUint32 {
		return fmt.Errorf("seed is %d, but the %s generator takes 0 to %d", seed, g, uint32(math.MaxUint32))
	}
	return nil
}

// parse tells the generator's kind, one of Generators, and Philox's GPU.
func (g Generator) parse() (Generator, gpu, error) {
	if slices.Contains(Generators(), g) {
		return g, h100, nil
	}
	if size, ok := strings.CutPrefix(string(g), string(Philox)+":"); ok {
		card, err := parseGPU(size)
		if err != nil {
			return "", gpu{}, fmt.Errorf("noise generator %q: %w", g, err)
		}
		return Philox, card, nil
	}
	return "", gpu{}, fmt.Errorf("noise generator %q is unknown, want %s", g, join(Generators()))
}

func parseGPU(size string) (gpu, error) {
	left, right, _ := strings.Cut(size, "x")
	sms, err1 := strconv.ParseUint(left, 10, 12)
	threads, err2 := strconv.ParseUint(right, 10, 12)
	if err1 != nil || err2 != nil || sms < 1 || threads < cudaBlock {
		return gpu{}, fmt.Errorf("want SMs (1 to 4095) x threads per SM (%d to 4095), such as philox:%dx%d",
			cudaBlock, h100.sms, h100.threads)
	}
	return gpu{sms: int(sms), threads: int(threads)}, nil
}

// NewNoise seeds a generator once for draws of n values each, as a diffusers
// pipeline does with its generator argument.
func NewNoise(g Generator, seed uint64, n int) (Noise, error) {
	if n < 1 {
		return nil, fmt.Errorf("noise of %d values, want at least 1", n)
	}
	kind, card, err := g.parse()
	if err != nil {
		return nil, err
	}
	if err := g.CheckSeed(seed); err != nil {
		return nil, err
	}
	switch kind {
	case Philox:
		return newCudaNoise(seed, n, card), nil
	case NV:
		return nvNoise{key: philoxKey(seed), n: n}, nil
	case Numpy:
		return &replay[numpyGenerator, *numpyGenerator]{n: n, before: []numpyGenerator{newNumpyGenerator(uint32(seed))}}, nil
	default:
		return &replay[torchGenerator, *torchGenerator]{n: n, before: []torchGenerator{newTorchGenerator(seed)}}, nil
	}
}

// stream is a generator that draws from one state to the next. It is a value.
type stream[G any] interface {
	*G
	randn(n int) []float32
}

// replay is the noise of a stream. It keeps the generator as it stood before each
// draw (2.5 kB each), so that any draw can be made again from there.
type replay[G any, P stream[G]] struct {
	n      int
	mu     sync.Mutex
	before []G
}

func (r *replay[G, P]) Draw(k int) []float32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		last := len(r.before) - 1
		at := min(k, last)
		g := r.before[at]
		out := P(&g).randn(r.n)
		if at == last {
			r.before = append(r.before, g)
		}
		if at == k {
			return out
		}
	}
}
