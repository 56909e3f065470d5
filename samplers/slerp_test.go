package samplers

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// TestSlerpMatchesTorch holds Slerp against the formula in torch: far and near vectors,
// the linear branch included.
func TestSlerpMatchesTorch(t *testing.T) {
	const tolerance = 1e-5 // of torch's own rounding, in vectors that are nearly opposite
	data, err := os.ReadFile("testdata/slerp.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Shape           [3]int
		Strength        float64
		Low, High, Want []float32
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 8 {
		t.Fatalf("%d cases, want at least 8", len(cases))
	}
	for i, c := range cases {
		low, high := slices.Clone(c.Low), slices.Clone(c.High)
		got := Slerp(c.Strength, low, high, c.Shape[0], c.Shape[1], c.Shape[2])
		worst := 0.0
		for k := range got {
			worst = max(worst, math.Abs(float64(got[k])-float64(c.Want[k])))
		}
		if !(worst <= tolerance) || len(got) != len(c.Want) {
			t.Errorf("case %d, strength %g: differs by up to %g, want at most %g", i, c.Strength, worst, tolerance)
		}
		if !slices.Equal(low, c.Low) || !slices.Equal(high, c.High) {
			t.Errorf("case %d: Slerp wrote to its arguments", i)
		}
	}
}

// TestSlerpInOneLine takes columns of one value, which are all in one line: what comes
// out is a number.
func TestSlerpInOneLine(t *testing.T) {
	got := Slerp(0.25, []float32{1, 2, -1, 3}, []float32{1, -2, 1, -3}, 1, 1, 4)
	if want := []float32{1, 1, -0.5, 1.5}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
