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
	"testing"
)

// TestTorchNoiseIsBitIdentical holds the generator against values that torch
// 2.15 drew, several calls from one generator.
func TestTorchNoiseIsBitIdentical(t *testing.T) {
	data, err := os.ReadFile("testdata/rng_goldens.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		CPU []struct {
			Seed  uint64 `json:"seed"`
			Calls []struct {
				N    int      `json:"n"`
				MD5  string   `json:"md5"`
				Head []string `json:"head"`
			} `json:"successive_calls"`
		} `json:"cpu"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.CPU) == 0 {
		t.Fatal("no golden seeds")
	}
	for _, g := range golden.CPU {
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

func md5Of(values []float32) string {
	data, _ := binary.Append(nil, binary.LittleEndian, values)
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func TestDrawsAreAFunctionOfTheirNumber(t *testing.T) {
	for _, n := range []int{3, 16, 1000, 1024} {
		inOrder, err := NewNoise(Torch, 7, n)
		if err != nil {
			t.Fatal(err)
		}
		backwards, err := NewNoise(Torch, 7, n)
		if err != nil {
			t.Fatal(err)
		}
		var forward [5][]float32
		for k := range forward {
			forward[k] = inOrder.Draw(k)
		}
		for k := len(forward) - 1; k >= 0; k-- {
			if !slices.Equal(backwards.Draw(k), forward[k]) {
				t.Errorf("n %d: draw %d differs when asked for out of order", n, k)
			}
		}
		if slices.Equal(forward[0], forward[1]) {
			t.Errorf("n %d: draws 0 and 1 are the same", n)
		}
	}
}

func TestNewNoiseRefuses(t *testing.T) {
	if _, err := NewNoise("dice", 1, 4); err == nil {
		t.Error("an unknown generator was accepted")
	}
	if _, err := NewNoise(Torch, 1, 0); err == nil {
		t.Error("empty noise was accepted")
	}
}

func BenchmarkTorchNoise(b *testing.B) {
	noise, err := NewNoise(Torch, 1, 4*64*64)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		noise.Draw(0)
	}
}
