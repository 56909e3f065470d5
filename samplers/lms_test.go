package samplers

import (
	"math"
	"testing"
)

func TestLMSWeights(t *testing.T) {
	sigmas := []float32{14.614646911621094, 6.678018093109131, 3.5220651626586914, 2.0606436729431152,
		1.2768337726593018, 0.7912615537643433, 0.4396674931049347, 0.02916753478348255, 0}
	got := lmsWeights(sigmas, 5, 4)
	for j, want := range []float64{-0.5910918901647566, 0.32302303243300695, -0.09104091722374763, 0.007515697548700395} { // diffusers
		if math.Abs(got[j]-want) > 1e-6 {
			t.Errorf("weight %d is %g, want %g", j, got[j], want)
		}
	}
	for order := 1; order <= lmsOrder; order++ { // exact for polynomials of a degree below the order
		weights := lmsWeights(sigmas, 4, order)
		for degree := range order {
			sum := 0.0
			for j := range order {
				sum += weights[j] * math.Pow(float64(sigmas[4-j]), float64(degree))
			}
			d := float64(degree + 1)
			want := (math.Pow(float64(sigmas[5]), d) - math.Pow(float64(sigmas[4]), d)) / d
			if math.Abs(sum-want) > 1e-10*math.Abs(want) {
				t.Errorf("order %d: the integral of s^%d is %.12g, want %.12g", order, degree, sum, want)
			}
		}
	}
}

func TestLMSKeepsThreeSlopes(t *testing.T) {
	p := kPlan(t, "lms", kStableDiffusion, Request{Steps: 8})
	for calls := range 8 {
		s := kRun(t, p, kNoise{1, 2}, calls)
		if want := min(calls, 3); len(s.Memory) != want {
			t.Errorf("after %d calls: %d in memory, want %d", calls, len(s.Memory), want)
		}
	}
}
