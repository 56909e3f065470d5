package samplers

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rngGoldens are values that torch 2.15, A1111's "NV" and numpy drew, several
// calls from one generator.
type rngGoldens struct {
	CPU []struct {
		Seed  uint64 `json:"seed"`
		Calls []struct {
			N    int      `json:"n"`
			MD5  string   `json:"md5"`
			Head []string `json:"head"`
		} `json:"successive_calls"`
	} `json:"cpu"`
	NV []struct {
		Seed  uint64 `json:"seed"`
		Calls []struct {
			N    int       `json:"n"`
			MD5  string    `json:"md5"`
			Head []float32 `json:"head"`
		} `json:"calls"`
	} `json:"nv"`
	Numpy []struct {
		Seed   uint32    `json:"seed"`
		First8 []float64 `json:"f64_first8"`
		Then3  []float64 `json:"then_3"`
	} `json:"numpy"`
}

func readRNGGoldens(t *testing.T) rngGoldens {
	t.Helper()
	data, err := os.ReadFile("testdata/rng_goldens.json")
	if err != nil {
		t.Fatal(err)
	}
	var g rngGoldens
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.CPU) == 0 || len(g.NV) == 0 || len(g.Numpy) == 0 {
		t.Fatal("goldens are missing")
	}
	return g
}

func TestTorchNoiseIsBitIdentical(t *testing.T) {
	for _, g := range readRNGGoldens(t).CPU {
		gen := newTorchGenerator(g.Seed)
		for i, call := range g.Calls {
			got := gen.randn(call.N)
			for j, want := range call.Head {
				if h := fmt.Sprintf("%08x", math.Float32bits(got[j])); h != want {
					t.Fatalf("seed %d call %d: value %d is %s, want %s", g.Seed, i, j, h, want)
				}
			}
			if sum := md5Of(got); sum != call.MD5 {
				t.Errorf("seed %d call %d (%d values): md5 %s, want %s", g.Seed, i, call.N, sum, call.MD5)
			}
		}
	}
}

func TestNVNoiseIsBitIdentical(t *testing.T) {
	for _, g := range readRNGGoldens(t).NV {
		for i, call := range g.Calls {
			got := mustNoise(t, NV, g.Seed, call.N).Draw(i)
			if !slices.Equal(got[:len(call.Head)], call.Head) {
				t.Errorf("seed %d call %d starts %v, want %v", g.Seed, i, got[:len(call.Head)], call.Head)
			}
			if sum := md5Of(got); sum != call.MD5 {
				t.Errorf("seed %d call %d (%d values): md5 %s, want %s", g.Seed, i, call.N, sum, call.MD5)
			}
		}
	}
}

func TestNumpyNoiseIsBitIdentical(t *testing.T) {
	for _, g := range readRNGGoldens(t).Numpy {
		want := slices.Concat(g.First8, g.Then3)
		gen := newNumpyGenerator(g.Seed)
		values := mustNoise(t, Numpy, uint64(g.Seed), len(want)).Draw(0)
		for i := range want {
			// In float64 a C library's logarithm may differ in its last bit.
			if got := gen.normal(); math.Abs(got-want[i]) > 1e-15*math.Abs(want[i]) {
				t.Errorf("seed %d: value %d is %v, want %v", g.Seed, i, got, want[i])
			}
			if values[i] != float32(want[i]) {
				t.Errorf("seed %d: value %d is %v as float32, want %v", g.Seed, i, values[i], float32(want[i]))
			}
		}
	}
}

func md5Of[F float32 | float64](values []F) string {
	data, _ := binary.Append(nil, binary.LittleEndian, values)
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func mustNoise(t testing.TB, g Generator, seed uint64, n int) Noise {
	t.Helper()
	noise, err := NewNoise(g, seed, n)
	if err != nil {
		t.Fatal(err)
	}
	return noise
}

// smallGPU is a GPU that most tensors of the tests do not fit.
const smallGPU Generator = "philox:1x256"

func everyGenerator() []Generator { return append(Generators(), smallGPU) }

func TestDrawsAreAFunctionOfTheirNumber(t *testing.T) {
	for _, g := range everyGenerator() {
		for _, n := range []int{1, 3, 16, 1000, 1025, 2048} {
			inOrder, backwards := mustNoise(t, g, 7, n), mustNoise(t, g, 7, n)
			var forward [5][]float32
			for k := range forward {
				forward[k] = inOrder.Draw(k)
			}
			for k := len(forward) - 1; k >= 0; k-- {
				if !slices.Equal(backwards.Draw(k), forward[k]) {
					t.Errorf("%s, %d values: draw %d differs when asked for out of order", g, n, k)
				}
			}
			if slices.Equal(forward[0], forward[1]) {
				t.Errorf("%s, %d values: draws 0 and 1 are the same", g, n)
			}
			clear(forward[2])
			if again := inOrder.Draw(2); slices.Equal(again, forward[2]) {
				t.Errorf("%s, %d values: writing to a draw changed the next of its number", g, n)
			}
		}
	}
}

func TestDrawsFromSeveralGoroutines(t *testing.T) {
	const draws, n = 5, 300
	for _, g := range everyGenerator() {
		shared, alone := mustNoise(t, g, 3, n), mustNoise(t, g, 3, n)
		var got [4][draws][]float32
		var wg sync.WaitGroup
		for who := range got {
			wg.Go(func() {
				for i := range draws {
					k := i * (who + 1) % draws // another order each
					got[who][k] = shared.Draw(k)
				}
			})
		}
		wg.Wait()
		for k := range draws {
			want := alone.Draw(k)
			for who := range got {
				if !slices.Equal(got[who][k], want) {
					t.Errorf("%s: draw %d differs between goroutines", g, k)
				}
			}
		}
	}
}

// TestStreamsGoOn holds that draws from a stream are its consecutive pieces.
func TestStreamsGoOn(t *testing.T) {
	for g, n := range map[Generator]int{Torch: 48, Numpy: 7} { // torch's blocks are of 16
		pieces, whole := mustNoise(t, g, 11, n), mustNoise(t, g, 11, 4*n).Draw(0)
		for k := range 4 {
			if !slices.Equal(pieces.Draw(k), whole[k*n:(k+1)*n]) {
				t.Errorf("%s: draw %d is not piece %d of the stream", g, k, k)
			}
		}
	}
}

// TestCountersArePrefixes holds that a value depends on its place alone, not on
// how many there are, as long as the GPU holds them all.
func TestCountersArePrefixes(t *testing.T) {
	for _, g := range []Generator{Philox, NV} {
		for k := range 3 {
			few, many := mustNoise(t, g, 5, 700).Draw(k), mustNoise(t, g, 5, 5000).Draw(k)
			if !slices.Equal(few, many[:len(few)]) {
				t.Errorf("%s: draw %d of 700 values is not the start of 5000", g, k)
			}
		}
	}
}

func TestSeedsTellDrawsApart(t *testing.T) {
	for _, g := range everyGenerator() {
		of := func(seed uint64) []float32 { return mustNoise(t, g, seed, 64).Draw(1) }
		if slices.Equal(of(1), of(2)) {
			t.Errorf("%s: seeds 1 and 2 draw the same", g)
		}
		if g == Numpy {
			continue
		}
		if same := slices.Equal(of(1), of(1+1<<32)); same != (g == Torch) {
			t.Errorf("%s: seeds 1 and 2^32+1 draw the same: %v", g, same)
		}
	}
}

func TestNoiseIsStandardNormal(t *testing.T) {
	const n = 1 << 16
	for _, g := range everyGenerator() {
		var sum [5]float64
		var lag float64
		values := mustNoise(t, g, 12345, n).Draw(1)
		for i, v := range values {
			for p := range sum {
				sum[p] += math.Pow(float64(v), float64(p)) / n
			}
			lag += float64(v) * float64(values[(i+1)%n]) / n
		}
		for _, c := range []struct {
			name            string
			got, want, wide float64
		}{
			{"mean", sum[1], 0, 1}, {"variance", sum[2], 1, math.Sqrt2}, {"third moment", sum[3], 0, math.Sqrt(15)},
			{"fourth moment", sum[4], 3, math.Sqrt(96)}, {"correlation of neighbours", lag, 0, 1},
		} {
			if off := math.Abs(c.got-c.want) / (c.wide / math.Sqrt(n)); off > 4.5 {
				t.Errorf("%s: %s is %.4f, want %.0f: off by %.1f standard errors", g, c.name, c.got, c.want, off)
			}
		}
	}
}

func TestNewNoiseRefuses(t *testing.T) {
	for _, c := range []struct {
		g    Generator
		seed uint64
		n    int
		want string
	}{
		{"dice", 1, 4, `noise generator "dice" is unknown, want torch, philox, nv, numpy`},
		{"", 1, 4, "want torch, philox, nv, numpy"},
		{"torch:1x256", 1, 4, "is unknown"},
		{Torch, 1, 0, "noise of 0 values"},
		{NV, 1, -1, "noise of -1 values"},
		{Numpy, 1 << 32, 4, "seed is 4294967296, but the numpy generator takes 0 to 4294967295"},
		{"philox:", 1, 4, "philox:132x2048"},
		{"philox:132", 1, 4, "philox:132x2048"},
		{"philox:0x2048", 1, 4, "SMs (1 to 4095)"},
		{"philox:5000x2048", 1, 4, "SMs (1 to 4095)"},
		{"philox:-1x2048", 1, 4, "SMs (1 to 4095)"},
		{"philox:132x255", 1, 4, "threads per SM (256 to 4095)"},
		{"philox:132x2048x1", 1, 4, "philox:132x2048"},
	} {
		_, err := NewNoise(c.g, c.seed, c.n)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, seed %d, %d values: error %v, want %q in it", c.g, c.seed, c.n, err, c.want)
		}
	}
	for _, g := range Generators() {
		if err := g.CheckSeed(math.MaxUint32); err != nil {
			t.Errorf("%s refuses seed 2^32-1: %v", g, err)
		}
		if err := g.Check(); err != nil {
			t.Errorf("%s is listed and refused: %v", g, err)
		}
	}
}

func FuzzNoise(f *testing.F) {
	f.Add(uint8(0), uint64(0), uint16(1), uint8(0))
	f.Add(uint8(1), uint64(42), uint16(16), uint8(3))
	f.Add(uint8(3), uint64(math.MaxUint32), uint16(17), uint8(9))
	f.Add(uint8(4), uint64(math.MaxUint64), uint16(2049), uint8(2))
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, n uint16, k uint8) {
		all := everyGenerator()
		g := all[int(which)%len(all)]
		noise, err := NewNoise(g, seed, int(n))
		if refuse := n == 0 || g == Numpy && seed > math.MaxUint32; refuse != (err != nil) {
			t.Fatalf("%s, seed %d, %d values: error %v", g, seed, n, err)
		}
		if err != nil {
			return
		}
		draw := int(k % 16)
		got := noise.Draw(draw)
		if len(got) != int(n) {
			t.Fatalf("%d values, want %d", len(got), n)
		}
		for i, v := range got {
			if !(math.Abs(float64(v)) < 12.1) { // numpy's radius ends at sqrt(2 ln 2^104)
				t.Fatalf("value %d is %v", i, v)
			}
		}
		if !slices.Equal(noise.Draw(draw), got) || !slices.Equal(mustNoise(t, g, seed, int(n)).Draw(draw), got) {
			t.Fatal("drawn again it differs")
		}
	})
}

func BenchmarkNoise(b *testing.B) {
	for _, g := range Generators() {
		b.Run(string(g), func(b *testing.B) {
			noise := mustNoise(b, g, 1, 4*64*64)
			for b.Loop() {
				noise.Draw(0)
			}
		})
	}
}
