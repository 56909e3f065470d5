package samplers

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// guidanceGoldens are values of diffusers' guiders and of sd-dynamic-thresholding;
// testdata/README.md says how they were made.
type guidanceGoldens struct {
	X            []float32
	Channels     int
	Cond, Uncond [][]float32
	Cases        []struct {
		Name     string
		Guidance Guidance
		Kind     string
		AlphaBar float32 `json:"alpha_bar"`
		Calls    []struct {
			Step, Steps    int
			Needs          bool
			Want, Momentum []float32
		}
	}
	Windows []struct {
		Start, Stop float64
		Steps       int
		On          []int
	}
}

func readGuidanceGoldens(t *testing.T) guidanceGoldens {
	t.Helper()
	data, err := os.ReadFile("testdata/guidance.json")
	if err != nil {
		t.Fatal(err)
	}
	var g guidanceGoldens
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// farthest is max|got-want| / max(1, max|want|).
func farthest(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	far, scale := 0.0, 1.0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) {
			return d
		}
		far, scale = max(far, d), max(scale, math.Abs(float64(w)))
	}
	return far / scale
}

func TestGuidanceIsThatOfTheReference(t *testing.T) {
	g := readGuidanceGoldens(t)
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Guidance.Check(); err != nil {
				t.Fatal(err)
			}
			at := Point{X: g.X, Channels: g.Channels, AlphaBar: c.AlphaBar, Sigma: sqrt32((1 - c.AlphaBar) / c.AlphaBar), Prediction: c.Kind}
			var momentum []float32
			for k, call := range c.Calls {
				at.Step, at.Steps = call.Step, call.Steps
				if got := c.Guidance.Needs(at.Step, at.Steps, at.Sigma); got != call.Needs {
					t.Fatalf("call %d needs the unconditional output: %v, want %v", k, got, call.Needs)
				}
				out := c.Guidance.Apply(at, g.Cond[k], g.Uncond[k], momentum)
				if d := farthest(out.Output, call.Want); !(d <= 1e-6) {
					t.Errorf("call %d differs by %g", k, d)
				}
				if d := farthest(out.Momentum, call.Momentum); !(d <= 1e-6) {
					t.Errorf("the running average after call %d differs by %g", k, d)
				}
				momentum = out.Momentum
			}
		})
	}
}

func TestGuidanceIntervalHasTheStepsOfDiffusers(t *testing.T) {
	for _, w := range readGuidanceGoldens(t).Windows {
		g := Guidance{Scale: 5, Interval: GuidanceInterval{Start: w.Start, Stop: w.Stop}}
		var on []int
		for k := range w.Steps {
			if g.Needs(k, w.Steps, 1) {
				on = append(on, k)
			}
		}
		if !slices.Equal(on, w.On) {
			t.Errorf("%g to %g of %d steps: guidance at %v, want %v", w.Start, w.Stop, w.Steps, on, w.On)
		}
	}
}

func TestGuidanceIntervalOfNoiseLevels(t *testing.T) {
	g := Guidance{Scale: 5, Interval: GuidanceInterval{SigmaLow: 0.28, SigmaHigh: 5.42}}
	for sigma, want := range map[float32]bool{0.1: false, 0.28: false, 0.29: true, 5.42: true, 5.43: false} {
		if got := g.Needs(3, 10, sigma); got != want {
			t.Errorf("guidance at sigma %g is %v, want %v", sigma, got, want)
		}
	}
	g.Interval.Start = 0.5
	if g.Needs(3, 10, 1) || !g.Needs(5, 10, 1) {
		t.Error("both windows must hold")
	}
	g.Interval = GuidanceInterval{SigmaLow: 2}
	if !g.Needs(0, 10, float32(math.Inf(1))) || g.Needs(0, 10, 2) {
		t.Error("an interval above sigma 2 has no upper limit")
	}
}

// somewhere is a point and two outputs to go with it.
func somewhere(t *testing.T) (at Point, cond, uncond []float32) {
	t.Helper()
	g := readGuidanceGoldens(t)
	return Point{X: g.X, Channels: g.Channels, AlphaBar: 0.2, Sigma: 2, Prediction: "epsilon", Step: 3, Steps: 8}, g.Cond[0], g.Uncond[0]
}

func TestPlainGuidanceInOtherWords(t *testing.T) {
	at, cond, uncond := somewhere(t)
	want := Guide(cond, uncond, 7.5)
	exact := map[string]Guidance{
		"scale alone":               {Scale: 7.5},
		"rescale 0":                 {Scale: 7.5, Rescale: 0},
		"interval of all":           {Scale: 7.5, Interval: GuidanceInterval{SigmaHigh: 1e9, Stop: 1}},
		"mimic of the scale itself": {Scale: 7.5, Mimic: Mimic{Scale: 7.5, Percentile: 0.9}},
		"constant list":             {Scale: 1, Schedule: "7.5,7.5,7.5"},
		"list of one":               {Scale: 1, Schedule: "7.5"},
		"level line":                {Scale: 1, Schedule: "linear:7.5..7.5"},
		"level cosine":              {Scale: 1, Schedule: "cosine:7.5..7.5"},
		"constant":                  {Scale: 7.5, Schedule: "constant"},
	}
	for name, g := range exact {
		if out := g.Apply(at, cond, uncond, nil); !slices.Equal(out.Output, want) || out.Renoise != nil || out.Momentum != nil {
			t.Errorf("%s is not plain guidance to the bit", name)
		}
	}
	near := map[string]Guidance{
		"apg that changes nothing":    {Scale: 7.5, APG: APG{Enabled: true, Eta: 1}},
		"apg below its threshold":     {Scale: 7.5, APG: APG{Enabled: true, Eta: 1, Threshold: 1e6}},
		"first apg call has no past":  {Scale: 7.5, APG: APG{Enabled: true, Eta: 1, Momentum: -0.5}},
		"mimic after apg of the same": {Scale: 7.5, APG: APG{Enabled: true, Eta: 1}, Mimic: Mimic{Scale: 7.5}},
	}
	for name, g := range near {
		if d := farthest(g.Apply(at, cond, uncond, nil).Output, want); !(d <= 1e-6) {
			t.Errorf("%s differs from plain guidance by %g", name, d)
		}
	}
}

func TestGuidanceThatIsOffIsTheConditionalOutput(t *testing.T) {
	at, cond, _ := somewhere(t)
	sum := []float32{1, 2, 3}
	for name, g := range map[string]Guidance{
		"zero":                 {},
		"scale 1":              {Scale: 1, Rescale: 0.7, Mimic: Mimic{Scale: 5}},
		"schedule at 1":        {Scale: 9, Schedule: "1"},
		"outside the interval": {Scale: 9, Interval: GuidanceInterval{Start: 0.5}},
		"cfg++ outside it":     {Scale: 0.6, PlusPlus: true, Interval: GuidanceInterval{SigmaHigh: 1}},
		"apg outside it":       {Scale: 9, APG: APG{Enabled: true, Momentum: -0.5}, Interval: GuidanceInterval{Stop: 0.3}},
	} {
		out := g.Apply(at, cond, nil, sum)
		if &out.Output[0] != &cond[0] || out.Renoise != nil {
			t.Errorf("%s: the output is not the conditional one", name)
		}
		if keeps := g.APG.Enabled; keeps != (out.Momentum != nil) {
			t.Errorf("%s: running average %v; only apg keeps it, and over calls that are off too", name, out.Momentum)
		}
	}
}

func TestAPGLeavesOutTheParallelPart(t *testing.T) {
	at, cond, uncond := somewhere(t)
	g := Guidance{Scale: 4, APG: APG{Enabled: true}}
	var along, length float64
	for i, v := range g.Apply(at, cond, uncond, nil).Output {
		d := float64(v - uncond[i])
		along += d * float64(cond[i])
		length += d * d
	}
	if length < 1 || math.Abs(along) > 1e-4 {
		t.Errorf("the update has %g along the conditional output, want 0", along)
	}
	g.APG = APG{Enabled: true, Eta: 1, Threshold: 0.5}
	length = 0
	for i, v := range g.Apply(at, cond, uncond, nil).Output {
		length += math.Pow(float64(v-uncond[i])/4, 2)
	}
	if d := math.Abs(math.Sqrt(length) - 0.5); d > 1e-5 {
		t.Errorf("the update's length is %g, want the threshold 0.5", math.Sqrt(length))
	}
}

func TestRescaleBringsBackTheDeviation(t *testing.T) {
	at, cond, uncond := somewhere(t)
	want := deviation(cond)
	for _, g := range []Guidance{
		{Scale: 12, Rescale: 1},
		{Scale: 12, Rescale: 1, APG: APG{Enabled: true, Momentum: -0.5}},
		{Scale: 12, Rescale: 1, Mimic: Mimic{Scale: 5}},
	} { // rescale comes last, whatever is before
		if got := deviation(g.Apply(at, cond, uncond, nil).Output); math.Abs(float64(got/want)-1) > 1e-5 {
			t.Errorf("%+v: deviation %g, want that of the conditional output, %g", g, got, want)
		}
	}
}

func TestDeviationIsUnbiased(t *testing.T) {
	if got, want := deviation([]float32{1, 3}), sqrt32(2); got != want {
		t.Errorf("the deviation of 1 and 3 is %g, want %g", got, want)
	}
	if got := deviation([]float32{0.1, 0.1, 0.1}); got != 0 {
		t.Errorf("the deviation of equal values is %g, want 0", got)
	}
}

func TestMimicComesBetweenAPGAndRescale(t *testing.T) {
	at, cond, uncond := somewhere(t)
	apg, mimic := APG{Enabled: true, Threshold: 2}, Mimic{Scale: 4}
	all := Guidance{Scale: 12, APG: apg, Mimic: mimic, Rescale: 0.5}.Apply(at, cond, uncond, nil).Output
	want := Guidance{Scale: 12, APG: apg}.Apply(at, cond, uncond, nil).Output
	mimic.limit(at, cond, uncond, want)
	rescaleTo(cond, want, 0.5)
	if !slices.Equal(all, want) {
		t.Error("the parts are not applied as apg, mimic, rescale")
	}
}

func TestMimicKeepsTheRangeOfTheSmallerScale(t *testing.T) {
	at, cond, uncond := somewhere(t)
	for _, kind := range []string{"epsilon", "v_prediction", "sample"} {
		at.Prediction = kind
		a, b, _ := at.original()
		reaches := func(output []float32) (out []float64) {
			size := len(output) / at.Channels
			for lo := 0; lo < len(output); lo += size {
				mean, far := 0.0, 0.0
				for i := lo; i < lo+size; i++ {
					mean += float64(a*at.X[i]+b*output[i]) / float64(size)
				}
				for i := lo; i < lo+size; i++ {
					far = max(far, math.Abs(float64(a*at.X[i]+b*output[i])-mean))
				}
				out = append(out, far)
			}
			return out
		}
		got := reaches(Guidance{Scale: 20, Mimic: Mimic{Scale: 5}}.Apply(at, cond, uncond, nil).Output)
		for c, want := range reaches(Guide(cond, uncond, 5)) {
			if math.Abs(got[c]/want-1) > 1e-4 {
				t.Errorf("%s: channel %d of x0 reaches %g from its mean, want %g", kind, c, got[c], want)
			}
		}
	}
}

// plusPlusStep is a step of DDIM with the formulas of CFG++'s algorithm 2, in float64.
func plusPlusStep(x, cond, uncond []float32, lambda, bar, prev float64) []float32 {
	out := make([]float32, len(x))
	for i := range x {
		u := float64(uncond[i])
		x0 := (float64(x[i]) - math.Sqrt(1-bar)*(u+lambda*(float64(cond[i])-u))) / math.Sqrt(bar)
		out[i] = float32(math.Sqrt(prev)*x0 + math.Sqrt(1-prev)*u)
	}
	return out
}

func TestPlusPlusGoesOnWithTheUnconditionalNoise(t *testing.T) {
	_, cond, uncond := somewhere(t)
	x := readGuidanceGoldens(t).X
	p := plan(t, stableDiffusion, Request{Steps: 10})
	s := State{Index: 4, X: x, Draws: 1}
	for _, lambda := range []float64{0, 0.6, 1} {
		g := Guidance{Scale: lambda, PlusPlus: true}
		if !g.Needs(4, 10, 1) {
			t.Errorf("lambda %g does without the unconditional output", lambda)
		}
		out := g.Apply(p.Point(s, 4), cond, uncond, nil)
		next, _, err := p.Step(s, out.Output, Options{Renoise: out.Renoise})
		if err != nil {
			t.Fatal(err)
		}
		want := plusPlusStep(x, cond, uncond, lambda, float64(p.AlphaBar(4)), float64(p.AlphaBar(5)))
		if d := farthest(next.X, want); !(d <= 1e-6) {
			t.Errorf("lambda %g: the step differs from the paper's by %g", lambda, d)
		}
	}
}

func TestPlusPlusNoiseIsThatOfThePrediction(t *testing.T) {
	_, cond, uncond := somewhere(t)
	x := readGuidanceGoldens(t).X
	for _, kind := range []string{"epsilon", "v_prediction", "sample"} {
		p := plan(t, strings.Replace(stableDiffusion, "{", `{"prediction_type":"`+kind+`",`, 1), Request{Steps: 10})
		s := State{Index: 7, X: x, Draws: 1}
		out := Guidance{Scale: 0.5, PlusPlus: true}.Apply(p.Point(s, 4), cond, uncond, nil)
		_, want := p.Predict(s, uncond)
		if d := farthest(out.Renoise, want); !(d <= 2e-6) {
			t.Errorf("%s: the noise differs by %g from that of the unconditional output", kind, d)
		}
	}
}

func TestGuidanceWritesToNoInput(t *testing.T) {
	at, cond, uncond := somewhere(t)
	momentum := slices.Clone(uncond)
	before := [][]float32{slices.Clone(at.X), slices.Clone(cond), slices.Clone(uncond), slices.Clone(momentum)}
	g := Guidance{
		Scale: 0.9, PlusPlus: true, Rescale: 0.5, Mimic: Mimic{Scale: 0.5, Percentile: 0.9},
		APG: APG{Enabled: true, Momentum: -0.5, Threshold: 1},
	}
	first := g.Apply(at, cond, uncond, momentum)
	kept := slices.Clone(first.Momentum)
	g.Apply(at, uncond, cond, first.Momentum)
	second := g.Apply(at, cond, uncond, momentum)
	for i, now := range [][]float32{at.X, cond, uncond, momentum} {
		if !slices.Equal(now, before[i]) {
			t.Errorf("input %d was written to", i)
		}
	}
	if !slices.Equal(first.Momentum, kept) {
		t.Error("a running average that was given out was written to")
	}
	if !slices.Equal(first.Output, second.Output) || !slices.Equal(first.Momentum, second.Momentum) {
		t.Error("the same call twice gives different values")
	}
}

func TestGuidanceAllocatesItsResults(t *testing.T) {
	at, cond, uncond := somewhere(t)
	for name, tt := range map[string]struct {
		g    Guidance
		want float64
	}{
		"plain":              {Guidance{Scale: 5, Rescale: 0.7}, 1},
		"apg":                {Guidance{Scale: 5, APG: APG{Enabled: true}}, 1},
		"apg with momentum":  {Guidance{Scale: 5, APG: APG{Enabled: true, Momentum: 0.5}}, 2},
		"mimic of all":       {Guidance{Scale: 5, Mimic: Mimic{Scale: 3}}, 1},
		"cfg++ from epsilon": {Guidance{Scale: 0.5, PlusPlus: true}, 1},
	} {
		if got := testing.AllocsPerRun(10, func() { tt.g.Apply(at, cond, uncond, nil) }); got != tt.want {
			t.Errorf("%s allocates %g slices, want %g", name, got, tt.want)
		}
	}
}

func TestPoint(t *testing.T) {
	p := plan(t, stableDiffusion, Request{Steps: 10})
	at := p.Point(State{Index: 3, X: []float32{1, 2}}, 2)
	if at.Step != 3 || at.Steps != 10 || at.AlphaBar != p.AlphaBar(3) || at.Sigma != p.Sigma(3) || at.Prediction != "epsilon" || at.Channels != 2 {
		t.Errorf("the point is %+v", at)
	}
	e := &Plan{exploding: true, prediction: "original_sample"}
	e.explode([]float32{999}, []float32{2, 0})
	if at := e.Point(State{X: []float32{3}}, 1); at.X[0] != 3/sqrt32(5) || at.Prediction != "sample" {
		t.Errorf("the point is %+v, want the latent on the model's scale and a sample", at)
	}
}
