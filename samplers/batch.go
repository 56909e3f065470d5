package samplers

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// A Batching names how the images of a batch share a seed.
type Batching string

const (
	// BatchDiffusers draws one tensor for the whole batch from one generator.
	BatchDiffusers Batching = "diffusers"

	// BatchComfyUI draws one tensor for the whole batch as well, but the start
	// noise always on the CPU, whatever the generator, and the samplers' noise
	// from a generator of its own: [Torch] seeded with seed+1, or [Philox] with
	// seed. ComfyUI has no other generators. (Its SDE samplers take their noise
	// from a Brownian tree, which is not here.)
	BatchComfyUI Batching = "comfyui"

	// BatchA1111 gives image i a generator of its own, seeded with seed+i.
	BatchA1111 Batching = "a1111"
)

// Batchings lists every [Batching].
func Batchings() []Batching { return []Batching{BatchDiffusers, BatchComfyUI, BatchA1111} }

// NewBatch is [NewNoise] for each image of a batch, n values a draw. All follow
// float32 tensors; references that draw half or bfloat16 differ.
func NewBatch(g Generator, seed uint64, n, batch int, by Batching) ([]Noise, error) {
	if batch < 1 {
		return nil, fmt.Errorf("batch is %d images, want at least 1", batch)
	}
	if n < 1 || n > math.MaxInt/batch {
		return nil, fmt.Errorf("noise of %d values for each of %d images, want at least 1 and a product that an int holds", n, batch)
	}
	var whole Noise
	var err error
	switch by {
	case BatchDiffusers:
		whole, err = NewNoise(g, seed, n*batch)
	case BatchComfyUI:
		whole, err = newComfyNoise(g, seed, n*batch)
	case BatchA1111:
		return seedEach(g, seed, n, batch)
	default:
		err = fmt.Errorf("batching %q is unknown, want %s", by, join(Batchings()))
	}
	if err != nil {
		return nil, err
	}
	tensor := &sharedTensor{noise: whole}
	out := make([]Noise, batch)
	for i := range out {
		out[i] = tensorPart{tensor, i * n, n}
	}
	return out, nil
}

func seedEach(g Generator, seed uint64, n, batch int) ([]Noise, error) {
	if seed > math.MaxUint64-uint64(batch-1) {
		return nil, fmt.Errorf("seed is %d, which leaves no seeds for %d images", seed, batch)
	}
	out := make([]Noise, batch)
	for i := range out {
		noise, err := NewNoise(g, seed+uint64(i), n)
		if err != nil {
			return nil, err
		}
		out[i] = noise
	}
	return out, nil
}

// comfyNoise takes its later draws from another generator than its first.
type comfyNoise struct{ start, later Noise }

func newComfyNoise(g Generator, seed uint64, n int) (Noise, error) {
	kind, _, err := g.parse()
	if err != nil {
		return nil, err
	}
	laterSeed := seed
	switch kind {
	case Torch:
		laterSeed++ // torch keeps 32 bits, so that the largest seed's next is 0
	case Philox:
	default:
		return nil, fmt.Errorf("noise generator %q is not one of ComfyUI's, want %s", g, join([]Generator{Torch, Philox}))
	}
	start, err := NewNoise(Torch, seed, n)
	if err != nil {
		return nil, err
	}
	later, err := NewNoise(g, laterSeed, n)
	return comfyNoise{start, later}, err
}

func (c comfyNoise) Draw(k int) []float32 {
	if k == 0 {
		return c.start.Draw(0)
	}
	return c.later.Draw(k - 1)
}

// sharedTensor keeps the last draw, since every image asks for the same in turn.
type sharedTensor struct {
	noise Noise
	mu    sync.Mutex
	k     int
	last  []float32
}

func (t *sharedTensor) draw(k int) []float32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || t.k != k {
		t.k, t.last = k, t.noise.Draw(k)
	}
	return t.last
}

// tensorPart is one image's part of a tensor.
type tensorPart struct {
	tensor *sharedTensor
	at, n  int
}

func (p tensorPart) Draw(k int) []float32 {
	return slices.Clone(p.tensor.draw(k)[p.at : p.at+p.n])
}
