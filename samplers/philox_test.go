package samplers

import (
	"math"
	"testing"
)

// The known answers of Random123, kat_vectors.
func TestPhiloxKnownAnswers(t *testing.T) {
	const all = math.MaxUint32
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{all, all, all, all}, [2]uint32{all, all}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := philox4x32(c.counter, c.key); got != c.want {
			t.Errorf("counter %x, key %x: %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// Values that torch printed on CUDA, as A1111's rng_philox.py quotes them.
func TestPhiloxNoiseIsCUDAs(t *testing.T) {
	want := []float32{
		-0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564,
		-0.62285122, -0.32838709, -1.07454231, -0.36314407, -1.67105067, 2.26550497,
	}
	got := mustNoise(t, Philox, 0, len(want)).Draw(0)
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Errorf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// TestPhiloxNoiseBeyondOneGrid holds tensors that no GPU holds at once against
// what people printed on theirs, in pytorch's issues 143086 (seed 1, 9483264
// values) and 97097 (seed 14, 100000 values, mean 5 and variance 5).
func TestPhiloxNoiseBeyondOneGrid(t *testing.T) {
	for name, c := range map[string]struct {
		g           Generator
		seed        uint64
		n           int
		mean, scale float64
		first, last []float64
	}{
		"H100": {
			g: Philox, seed: 1, n: 49 * 12 * 112 * 144, scale: 1,
			first: []float64{-0.2963, 2.6764, -0.1408}, last: []float64{-0.6970, -0.7780, 0.3267},
		},
		"A100": {
			g: "philox:108x2048", seed: 1, n: 49 * 12 * 112 * 144, scale: 1,
			first: []float64{-0.2963, 2.6764, -0.1408}, last: []float64{0.1549, -0.6797, -0.1656},
		},
		"RTX A4000": {
			g: "philox:48x1536", seed: 14, n: 100 * 1000, mean: 5, scale: math.Sqrt(5),
			first: []float64{2.8731, 5.2727, 2.9889}, last: []float64{8.2207, 6.5395, 4.2604},
		},
	} {
		if testing.Short() && c.n > 1e6 {
			continue
		}
		got := mustNoise(t, c.g, c.seed, c.n).Draw(0)
		for i := range 3 {
			for at, want := range map[int]float64{i: c.first[i], c.n - 3 + i: c.last[i]} {
				if v := c.mean + c.scale*float64(got[at]); math.Abs(v-want) > 6e-5 { // printed to 4 places
					t.Errorf("%s: value %d is %.5f, want %.4f", name, at, v, want)
				}
			}
		}
	}
}

// TestPhiloxDrawsGoOn holds that a draw takes up where the last one left its
// threads: one counter for every four values of a thread.
func TestPhiloxDrawsGoOn(t *testing.T) {
	const grid = 256
	both := mustNoise(t, smallGPU, 9, 8*grid).Draw(0)
	first, second := both[:4*grid], both[4*grid:]
	noise := mustNoise(t, smallGPU, 9, 4*grid)
	for k, want := range [][]float32{first, second} {
		for i, v := range noise.Draw(k) {
			if v != want[i] {
				t.Fatalf("draw %d: value %d is %v, want %v", k, i, v, want[i])
			}
		}
	}
	// A draw of one value a thread uses up a counter of four all the same.
	for i, v := range mustNoise(t, smallGPU, 9, grid).Draw(1) {
		if v != second[i] {
			t.Fatalf("small draw 1: value %d is %v, want %v", i, v, second[i])
		}
	}
}

func TestPhiloxHasNoNegativeZero(t *testing.T) {
	// The largest word gives u = 1, whose logarithm is 0.
	sin, cos := cudaNormals(math.MaxUint32, 1<<31+1<<30)
	if math.Float32bits(sin) != 0 || math.Float32bits(cos) != 0 {
		t.Errorf("values %x and %x, want 0 and 0", math.Float32bits(sin), math.Float32bits(cos))
	}
}
