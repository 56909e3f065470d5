package samplers

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestGuidanceAtTheEdges has what the formulas would divide by zero.
func TestGuidanceAtTheEdges(t *testing.T) {
	one, zero, few := []float32{2}, []float32{0, 0, 0}, []float32{1, -2, 3}
	level := []float32{4, 4, 4}
	at := Point{X: few, Channels: 1, AlphaBar: 0.5, Sigma: 1, Prediction: "epsilon", Steps: 1}
	for name, tt := range map[string]struct {
		at           Point
		g            Guidance
		cond, uncond []float32
		want         []float32
	}{
		"deviation of one value": {Point{Steps: 1}, Guidance{Scale: 3, Rescale: 1}, one, []float32{1}, []float32{4}},
		"deviation of level":     {at, Guidance{Scale: 3, Rescale: 1}, level, level, level},
		"apg along zeros":        {at, Guidance{Scale: 2, APG: APG{Enabled: true}}, zero, few, []float32{-1, 2, -3}},
		"apg without difference": {at, Guidance{Scale: 2, APG: APG{Enabled: true, Threshold: 1}}, few, few, few},
		"mimic of level x0":      {Point{X: zero, Channels: 1, Prediction: "sample", Steps: 1}, Guidance{Scale: 3, Mimic: Mimic{Scale: 2}}, level, level, level},
		"mimic without noise":    {Point{X: few, AlphaBar: 1, Prediction: "v_prediction", Steps: 1}, Guidance{Scale: 3, Mimic: Mimic{Scale: 2}}, few, zero, []float32{3, -6, 9}},
		"mimic without signal":   {Point{X: few, Sigma: float32(math.Inf(1)), Prediction: "epsilon", Steps: 1}, Guidance{Scale: 3, Mimic: Mimic{Scale: 2}}, few, zero, []float32{3, -6, 9}},
		"mimic of what":          {Point{X: few, AlphaBar: 0.5, Steps: 1}, Guidance{Scale: 3, Mimic: Mimic{Scale: 2}}, few, zero, []float32{3, -6, 9}},
	} {
		if got := tt.g.Apply(tt.at, tt.cond, tt.uncond, nil).Output; !(farthest(got, tt.want) <= 1e-6) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	sure := Point{X: few, AlphaBar: 1, Prediction: "sample", Steps: 1}
	if out := (Guidance{PlusPlus: true}).Apply(sure, few, few, nil); out.Renoise != nil {
		t.Errorf("noise %v from an x0 beside which there is none, want the solver's own", out.Renoise)
	}
	// Terminal SNR of zero: all is noise, and sigma without limit.
	end := Point{X: few, Sigma: float32(math.Inf(1)), Prediction: "v_prediction", Steps: 1}
	if out := (Guidance{PlusPlus: true}).Apply(end, level, level, nil); !slices.Equal(out.Renoise, few) {
		t.Errorf("noise %v at alpha-bar 0, want the latent %v", out.Renoise, few)
	}
}

func TestGuidanceRefuses(t *testing.T) {
	nan := math.NaN()
	for want, g := range map[string]Guidance{
		"guidance is -1, want 0 to 1000":                             {Scale: -1},
		"guidance is NaN":                                            {Scale: nan},
		"guidance is 7.5, want 0 to 1 with cfg++":                    {Scale: 7.5, PlusPlus: true},
		"guidance is 8, want 0 to 1 with cfg++":                      {Scale: 0.5, Schedule: "linear:0..8", PlusPlus: true},
		"guidance is 6, want 0 to 1 with cfg++":                      {Scale: 6, Schedule: "constant", PlusPlus: true},
		`guidance schedule is "steep"`:                               {Scale: 7, Schedule: "steep"},
		"guidance rescale is 1.5, want 0 (off) to 1":                 {Rescale: 1.5},
		"starts above sigma -1":                                      {Interval: GuidanceInterval{SigmaLow: -1}},
		"starts above sigma +Inf":                                    {Interval: GuidanceInterval{SigmaLow: math.Inf(1)}},
		"goes up to sigma 2, want more than 3":                       {Interval: GuidanceInterval{SigmaLow: 3, SigmaHigh: 2}},
		"goes up to sigma NaN":                                       {Interval: GuidanceInterval{SigmaHigh: nan}},
		"starts at 1 of the steps":                                   {Interval: GuidanceInterval{Start: 1}},
		"stops at 0.2 of the steps, want more than 0.5":              {Interval: GuidanceInterval{Start: 0.5, Stop: 0.2}},
		"stops at 2 of the steps":                                    {Interval: GuidanceInterval{Stop: 2}},
		"apg momentum is -1, want more than -1":                      {APG: APG{Momentum: -1}},
		"apg threshold is -3":                                        {APG: APG{Threshold: -3}},
		"apg eta is 2, want 0 to 1":                                  {APG: APG{Eta: 2}},
		"mimic scale is -7, want 0 (off)":                            {Mimic: Mimic{Scale: -7}},
		"mimic percentile is 99, want more than 0 and at most 1":     {Mimic: Mimic{Percentile: 99}},
		"guidance schedule has a scale of 2000, want 0 to 1000":      {Schedule: "1,2000"},
		"guidance schedule has 1001 scales, want at most 1000":       {Schedule: GuidanceSchedule(strings.Repeat("1,", 1000) + "1")},
		"linear:FROM..TO, cosine:FROM..TO or a list such as 8,7.5,6": {Schedule: "linear:1..2..3"},
	} {
		if err := g.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error is %v, want one line with %q", err, want)
		}
	}
	// A schedule stands for the scale, which may be one for guidance without cfg++.
	if err := (Guidance{Scale: 7.5, Schedule: "cosine:0.2..1", PlusPlus: true}).Check(); err != nil {
		t.Error(err)
	}
	if err := (Guidance{}).Check(); err != nil {
		t.Error(err)
	}
}

func TestPlusPlusSuitsSamplersThatRenoise(t *testing.T) {
	for _, renoise := range []bool{true, false} {
		err := Guidance{PlusPlus: true}.Suits(Sampler{Name: "heun", Renoise: renoise})
		if renoise != (err == nil) {
			t.Errorf("a sampler with renoise %v: error %v", renoise, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "heun") || !strings.Contains(err.Error(), "ddim")) {
			t.Errorf("error is %v, want the sampler's name and those that do", err)
		}
		if err := (Guidance{Scale: 7}).Suits(Sampler{Renoise: renoise}); err != nil {
			t.Errorf("plain guidance suits every sampler: %v", err)
		}
	}
}

func TestGuidanceIsJSON(t *testing.T) {
	if data, err := json.Marshal(Guidance{Scale: 7.5}); err != nil || string(data) != `{"scale":7.5}` {
		t.Errorf("plain guidance is %s, error %v", data, err)
	}
	g := Guidance{
		Scale: 5, Schedule: "linear:1..8", Interval: GuidanceInterval{SigmaLow: 0.3, SigmaHigh: 5, Start: 0.1, Stop: 0.9}, Rescale: 0.7,
		APG: APG{Enabled: true, Momentum: -0.5, Threshold: 15, Eta: 0.5}, Mimic: Mimic{Scale: 7, Percentile: 0.99}, PlusPlus: true,
	}
	data, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var back Guidance
	if err := json.Unmarshal(data, &back); err != nil || back != g {
		t.Errorf("read back as %+v, error %v", back, err)
	}
}

func FuzzGuidance(f *testing.F) {
	f.Add(7.5, "", 0.7, false, 0.0, 0.0, 0.0, 0.0, 0.0, float32(2), uint8(0))
	f.Add(5.0, "linear:1..9", 0.0, false, -0.5, 15.0, 0.5, 7.0, 0.9, float32(0.02), uint8(1))
	f.Add(0.6, "0.2,1", 1.0, true, 0.9, 0.1, 1.0, 500.0, 0.5, float32(1e-4), uint8(2))
	f.Add(1000.0, "cosine:1000..0", 0.5, false, -0.99, 1e-30, 0.0, 1e-3, 1e-9, float32(4096), uint8(3))
	f.Fuzz(func(t *testing.T, scale float64, schedule string, phi float64, plus bool, beta, r, eta, mimic, percentile float64, sigma float32, seed uint8) {
		g := Guidance{
			Scale: scale, Schedule: GuidanceSchedule(schedule), Rescale: phi, PlusPlus: plus,
			APG:   APG{Enabled: seed&1 != 0, Momentum: beta, Threshold: r, Eta: eta},
			Mimic: Mimic{Scale: mimic, Percentile: percentile},
		}
		if g.Check() != nil || !(sigma >= 0) {
			return
		}
		noise, err := NewNoise(Torch, uint64(seed), 12)
		if err != nil {
			t.Fatal(err)
		}
		at := Point{
			X: noise.Draw(0), Channels: 1 + int(seed)%5, AlphaBar: barOf(sigma), Sigma: sigma,
			Prediction: []string{"epsilon", "v_prediction", "sample"}[seed%3], Steps: 5,
		}
		var momentum []float32
		for at.Step = range at.Steps {
			out := g.Apply(at, noise.Draw(1+at.Step), noise.Draw(9+at.Step), momentum)
			for _, v := range slices.Concat(out.Output, out.Renoise, out.Momentum) {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("%g after step %d of %+v", v, at.Step, g)
				}
			}
			momentum = out.Momentum
		}
	})
}
