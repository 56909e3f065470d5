package samplers

import (
	"math"
	"strings"
	"testing"
)

func TestTrap03KarrasLevelsAreComputedInDouble(t *testing.T) {
	p := kPlan(t, "euler", kStableDiffusion, Request{Steps: 50, Sigmas: "karras"})
	a, b := math.Pow(float64(p.Sigma(0)), 1./7), math.Pow(float64(p.Sigma(49)), 1./7)
	single := 0
	for i := range 50 {
		r := float64(i) / 49
		if want := float32(math.Pow(a+r*(b-a), 7)); math.Abs(float64(p.Sigma(i)-want)) > 1.2e-7*float64(want) {
			t.Errorf("level %d is %.9g, want %.9g", i, p.Sigma(i), want)
		}
		f := float32(a) + float32(float32(r)*(float32(b)-float32(a)))
		if p.Sigma(i) != f*f*f*f*f*f*f {
			single++
		}
	}
	if single < 25 {
		t.Errorf("%d of 50 levels differ from single precision, want at least 25", single)
	}
}

func TestTrap12OnlyDPM2RoundsKarrasTimesteps(t *testing.T) {
	config := kWith(kStableDiffusion, `"use_karras_sigmas":true`)
	for name, want := range map[string]bool{"euler": false, "heun": false, "lms": false, "dpm2": true, "dpm2-a": true} {
		p := kPlan(t, name, config, Request{Steps: 10})
		whole := true
		for i := range p.Calls() {
			if i == 0 || p.StepOf(i) != p.StepOf(i-1) {
				whole = whole && float64(p.Timestep(i)) == math.Trunc(float64(p.Timestep(i)))
			}
		}
		if whole != want {
			t.Errorf("%s: timesteps whole is %v, want %v: %v", name, whole, want, p.timesteps)
		}
	}
}

func TestTrap17EulerAncestralDrawsAtTheLastStep(t *testing.T) {
	p := kPlan(t, "euler-a", kStableDiffusion, Request{Steps: 3})
	s := State{Index: 2, X: []float32{1, 2}, Draws: 7}
	next, x0, err := p.Step(s, []float32{0.5, -0.5}, Options{Noise: kNoise{0, 0}})
	if err != nil || next.Draws != 8 {
		t.Fatalf("%d draws, error %v; want 8 and none", next.Draws, err)
	}
	kNear(t, "x without its noise", next.X, x0, 1e-6)
	for n := 1; n <= 4; n++ { // DPM-Solver-2's last step is one call, which draws none
		p := kPlan(t, "dpm2-a", kStableDiffusion, Request{Steps: n})
		if s := kRun(t, p, kNoise{1}, p.Calls()); s.Draws != n {
			t.Errorf("dpm2-a: %d draws in %d steps, want %d with the start noise", s.Draws, n, n)
		}
	}
}

func TestTrap18ZeroSNRIsSigma4096ForEulerAlone(t *testing.T) {
	config := kWith(kStableDiffusion, `"rescale_betas_zero_snr":true,"timestep_spacing":"trailing","prediction_type":"v_prediction"`)
	for _, name := range kNames() {
		want := float32(14.614647)
		if strings.HasPrefix(name, "euler") {
			want = 4096
		}
		kNear(t, name, []float32{kPlan(t, name, config, Request{Steps: 5}).Sigma(0)}, []float32{want}, 1e-6)
	}
}

func TestTrap19StartNoiseOfLeadingSpacingHasRoomForSignal(t *testing.T) {
	for _, name := range kNames() {
		for _, spacing := range Spacings() {
			p := kPlan(t, name, kStableDiffusion, Request{Steps: 7, Spacing: spacing})
			high := float64(p.Sigma(0))
			if spacing == Leading || spacing == LDM {
				high = math.Sqrt(high*high + 1)
			}
			kNear(t, name+" "+string(spacing), p.Start(kNoise{1, -2}).X, []float32{float32(high), float32(-2 * high)}, 1e-6)
		}
	}
}

func TestTrap21LogLinearLevelsAreNotThoseOfTheirTimesteps(t *testing.T) {
	p := kPlan(t, "euler", kWith(kStableDiffusion, `"interpolation_type":"log_linear"`), Request{Steps: 2})
	if p.Calls() != 2 || p.Timestep(0) != 999 || p.Timestep(1) != 0 {
		t.Errorf("timesteps %v, want 999 and 0", p.timesteps)
	}
	// An even fall of the logarithm over three levels; the end is not without noise.
	kNear(t, "levels", p.sigmas, []float32{14.614647, 0.652896, 0.02916754}, 1e-6)
}

func TestTrap22SigmaIsInterpolatedItself(t *testing.T) {
	p := kPlan(t, "euler", kStableDiffusion, Request{Steps: 3})
	c := params{scheduleParams: scheduleParams{NumTrainTimesteps: 1000, BetaStart: 0.00085, BetaEnd: 0.012, BetaSchedule: "scaled_linear"}}
	alphas, err := c.alphasCumprod()
	if err != nil {
		t.Fatal(err)
	}
	table := sigmasOf(alphas[499:501])
	if p.Timestep(1) != 499.5 || p.Sigma(1) != float32((float64(table[0])+float64(table[1]))/2) {
		t.Errorf("timestep %g has level %g, want 499.5 and the mean of %v", p.Timestep(1), p.Sigma(1), table)
	}
}

func TestTrap25HeunAndDPM2HaveStableDiffusionsBetasButLinear(t *testing.T) {
	for name, want := range map[string]float32{
		"euler": 157.40725, "euler-a": 157.40725, "lms": 157.40725, "heun": 25.146116, "dpm2": 25.146116, "dpm2-a": 25.146116,
	} {
		kNear(t, name, []float32{kPlan(t, name, `{}`, Request{Steps: 3}).Sigma(0)}, []float32{want}, 1e-6)
	}
}
