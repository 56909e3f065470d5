package samplers

import (
	"math"
	"testing"
)

// TestLibmIsTheSameEverywhere holds the bits, which no architecture may change.
func TestLibmIsTheSameEverywhere(t *testing.T) {
	var logs, sines, cosines []float64
	for i := range 1 << 14 {
		u := (float64(i) + 0.37) / (1 << 14)
		sin, cos := sincos64(float64(2 * math.Pi * u))
		logs, sines, cosines = append(logs, log64(u)), append(sines, sin), append(cosines, cos)
	}
	for _, c := range []struct {
		name, got, want string
	}{
		{"log64", md5Of(logs), "ca2b50d93c52deea3da1ea8ccd818560"},
		{"sin", md5Of(sines), "415e07aa384ae5ffe062235927fbb2ec"},
		{"cos", md5Of(cosines), "351e7072be171de6f68d8e4e3e5b33e0"},
	} {
		if c.got != c.want {
			t.Errorf("%s: md5 %s, want %s", c.name, c.got, c.want)
		}
	}
}

// TestLibmIsExact compares with package math, itself within one unit in the last
// place of the truth.
func TestLibmIsExact(t *testing.T) {
	const ulp = 1.0 / (1 << 52)
	for i := range 100003 {
		u := (float64(i) + 1) / 100003
		for _, x := range []float64{u, u * 0x1p-20, u * 0x1p-52} {
			if got, want := log64(x), math.Log(x); math.Abs(got-want) > 2*ulp*math.Abs(want) {
				t.Fatalf("log of %v is %v, want %v", x, got, want)
			}
		}
		x := u * 6.2831858 // float32(2 pi) is above 2 pi
		sin, cos := sincos64(x)
		if math.Abs(sin-math.Sin(x)) > ulp || math.Abs(cos-math.Cos(x)) > ulp {
			t.Fatalf("sine and cosine of %v are %v and %v", x, sin, cos)
		}
	}
	if sin, cos := sincos64(0); sin != 0 || cos != 1 || log64(1) != 0 {
		t.Errorf("sin 0 = %v, cos 0 = %v, log 1 = %v", sin, cos, log64(1))
	}
}
