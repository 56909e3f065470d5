package samplers

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

func mustBatch(t *testing.T, g Generator, seed uint64, n, batch int, by Batching) []Noise {
	t.Helper()
	out, err := NewBatch(g, seed, n, batch, by)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != batch {
		t.Fatalf("%d images, want %d", len(out), batch)
	}
	return out
}

// drawAll is draw k of all images, one after the other.
func drawAll(images []Noise, k int) []float32 {
	var all []float32
	for _, image := range images {
		all = append(all, image.Draw(k)...)
	}
	return all
}

func TestBatchOfDiffusersIsOneTensor(t *testing.T) {
	const n, batch = 100, 3 // 100: images do not end where torch's blocks do
	for _, g := range everyGenerator() {
		images, whole := mustBatch(t, g, 8, n, batch, BatchDiffusers), mustNoise(t, g, 8, n*batch)
		for _, k := range []int{2, 0, 1, 1} {
			if !slices.Equal(drawAll(images, k), whole.Draw(k)) {
				t.Errorf("%s: draw %d is not one tensor", g, k)
			}
		}
	}
}

func TestBatchOfA1111IsAGeneratorPerImage(t *testing.T) {
	const n, batch = 100, 3
	for _, g := range everyGenerator() {
		for i, image := range mustBatch(t, g, 8, n, batch, BatchA1111) {
			alone := mustNoise(t, g, 8+uint64(i), n)
			for _, k := range []int{2, 0, 1} {
				if !slices.Equal(image.Draw(k), alone.Draw(k)) {
					t.Errorf("%s: draw %d of image %d is not that of seed 8+%d", g, k, i, i)
				}
			}
		}
	}
}

func TestBatchOfComfyUIStartsOnTheCPU(t *testing.T) {
	const n, batch = 100, 3
	for _, c := range []struct {
		g               Generator
		seed, laterSeed uint64
	}{
		{g: Torch, seed: 8, laterSeed: 9},
		{g: Torch, seed: math.MaxUint64, laterSeed: 0},
		{g: Philox, seed: 8, laterSeed: 8},
		{g: smallGPU, seed: 8, laterSeed: 8},
	} {
		images := mustBatch(t, c.g, c.seed, n, batch, BatchComfyUI)
		if !slices.Equal(drawAll(images, 0), mustNoise(t, Torch, c.seed, n*batch).Draw(0)) {
			t.Errorf("%s: the start noise is not torch's of the seed", c.g)
		}
		later := mustNoise(t, c.g, c.laterSeed, n*batch)
		for _, k := range []int{3, 1, 2} {
			if !slices.Equal(drawAll(images, k), later.Draw(k-1)) {
				t.Errorf("%s: draw %d is not draw %d of seed %d", c.g, k, k-1, c.laterSeed)
			}
		}
	}
}

// Draws of whole blocks make image i of a diffusers batch draw i of one image, as
// ComfyUI's noise_inds relies on.
func TestBatchSharesTheStream(t *testing.T) {
	one := mustNoise(t, Torch, 8, 64)
	for i, image := range mustBatch(t, Torch, 8, 64, 4, BatchDiffusers) {
		if !slices.Equal(image.Draw(0), one.Draw(i)) {
			t.Errorf("image %d is not draw %d", i, i)
		}
	}
}

func TestBatchDrawsAreTheCallersOwn(t *testing.T) {
	images := mustBatch(t, Torch, 8, 32, 2, BatchDiffusers)
	first := images[0].Draw(0)
	want := slices.Clone(first)
	clear(first)
	if !slices.Equal(images[0].Draw(0), want) {
		t.Error("writing to a draw changed the next of its number")
	}
}

func TestBatchFromSeveralGoroutines(t *testing.T) {
	const batch, draws = 3, 5
	for _, by := range Batchings() {
		images, alone := mustBatch(t, Torch, 2, 50, batch, by), mustBatch(t, Torch, 2, 50, batch, by)
		var got [batch][draws][]float32
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				for j := range draws {
					k := (j*2 + i) % draws
					got[i][k] = images[i].Draw(k)
				}
			})
		}
		wg.Wait()
		for i := range got {
			for k := range draws {
				if !slices.Equal(got[i][k], alone[i].Draw(k)) {
					t.Errorf("%s: draw %d of image %d differs between goroutines", by, k, i)
				}
			}
		}
	}
}

func TestNewBatchRefuses(t *testing.T) {
	for _, c := range []struct {
		g        Generator
		seed     uint64
		n, batch int
		by       Batching
		want     string
	}{
		{Torch, 1, 4, 0, BatchDiffusers, "batch is 0 images"},
		{Torch, 1, 0, 2, BatchDiffusers, "noise of 0 values"},
		{Torch, 1, math.MinInt/2 + 3, 4, BatchDiffusers, "values for each of 4 images"},
		{Torch, 1, math.MaxInt / 2, 3, BatchComfyUI, "values for each of 3 images"},
		{Torch, 1, 4, 2, "forge", `batching "forge" is unknown, want diffusers, comfyui, a1111`},
		{"dice", 1, 4, 2, BatchDiffusers, "dice"},
		{"dice", 1, 4, 2, BatchComfyUI, "dice"},
		{"dice", 1, 4, 2, BatchA1111, "dice"},
		{NV, 1, 4, 2, BatchComfyUI, `noise generator "nv" is not one of ComfyUI's, want torch, philox`},
		{Numpy, 1, 4, 2, BatchComfyUI, "numpy"},
		{Numpy, math.MaxUint32, 4, 2, BatchA1111, "seed is 4294967296"},
		{Torch, math.MaxUint64, 4, 2, BatchA1111, "leaves no seeds for 2 images"},
	} {
		_, err := NewBatch(c.g, c.seed, c.n, c.batch, c.by)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, seed %d, %d x %d, %s: error %v, want %q in it", c.g, c.seed, c.batch, c.n, c.by, err, c.want)
		}
	}
}
