package samplers_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"ldx/samplers"
)

// The golden traces are diffusers 0.42.1's own schedulers (and CompVis's
// formulas) on a denoiser with a closed form; testdata/README.md has the format.
const goldens = "testdata/goldens.npz"

type goldenCase struct {
	Name   string          `json:"name"`
	Class  string          `json:"cls"`
	Given  json.RawMessage `json:"given"`
	StepKw struct {
		Eta        float64 `json:"eta"`
		UseClipped bool    `json:"use_clipped_model_output"`
		Churn      float64 `json:"s_churn"`
		Noise      float64 `json:"s_noise"`
	} `json:"step_kw"`
	Runs []struct {
		Steps  int    `json:"steps"`
		Calls  int    `json:"calls"`
		Draws  int    `json:"draws"`
		Alphas string `json:"alphas"`
	} `json:"runs"`
}

type goldenFile struct {
	t     *testing.T
	npz   *npz.Reader
	cases []goldenCase
}

func openGoldens(t *testing.T) *goldenFile {
	t.Helper()
	z, err := zip.OpenReader(goldens)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	index, err := z.Open("index.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(index)
	if err != nil {
		t.Fatal(err)
	}
	g := &goldenFile{t: t}
	parsed := struct{ Cases *[]goldenCase }{&g.cases}
	if err := json.Unmarshal(data, &parsed); err != nil {
		t.Fatal(err)
	}
	r, err := npz.Open(goldens)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	g.npz = r
	return g
}

// has says whether there is an array of a name.
func (g *goldenFile) has(name string) bool { return slices.Contains(g.npz.Keys(), name+".npy") }

func load[T any](g *goldenFile, name string) []T {
	g.t.Helper()
	var out []T
	if err := g.npz.Read(name+".npy", &out); err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
	return out
}

// recorded replays draws that were written down.
type recorded struct {
	start []float32
	later []float32 // the draws after the start noise, end to end
}

func (r recorded) Draw(k int) []float32 {
	n := len(r.start)
	if k == 0 {
		return append([]float32(nil), r.start...)
	}
	return append([]float32(nil), r.later[(k-1)*n:k*n]...)
}

// toyDenoiser is toyPrediction at a timestep that may lie between two of a table.
func toyDenoiser(x []float32, means []float64, alphas []float32, t float64, kind string) []float32 {
	lo := int(math.Floor(t))
	bar := float64(alphas[lo])
	if f := t - float64(lo); f != 0 {
		a, b := math.Log(float64(alphas[lo])), math.Log(float64(alphas[lo+1]))
		bar = math.Exp(a + (b-a)*f)
	}
	return toyPrediction(x, means, bar, 1-bar, kind)
}

// toyPrediction is the optimal denoiser of a two-component Gaussian mixture, in
// float64 as the goldens were made with it, at shares bar of signal and noise2 of noise
// in the variance.
func toyPrediction(x []float32, means []float64, bar, noise2 float64, kind string) []float32 {
	const s2 = 0.25
	signal := math.Sqrt(bar)
	v := signal*signal*s2 + noise2
	out := make([]float32, len(x))
	for i, m := range means {
		xi := float64(x[i])
		x0 := (s2*signal*xi + noise2*m*math.Tanh(signal*m*xi/v)) / v
		eps := (xi - signal*x0) / math.Sqrt(noise2)
		switch kind {
		case "v_prediction":
			out[i] = float32(signal*eps - math.Sqrt(noise2)*x0)
		case "sample":
			out[i] = float32(x0)
		default:
			out[i] = float32(eps)
		}
	}
	return out
}

// relative is max|got-want| / max(1, max|want|).
func relative(got, want []float32) float64 {
	diff, scale := 0.0, 1.0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		diff, scale = max(diff, d), max(scale, math.Abs(float64(want[i])))
	}
	return diff / scale
}

// tolerances are how far a case may be from its golden trace, where that is more
// than 5e-6: no port follows torch's own square roots and logarithms to the bit.
var tolerances = map[string]float64{
	"deis_o3": 2e-5, "kdpm2a_linspace": 1e-5, "kdpm2a_karras": 1e-5, "euler_v_zsnr_trailing": 1e-4,
}

// TestGoldens replays every golden trace: timesteps, noise levels, draws and latents.
func TestGoldens(t *testing.T) {
	g := openGoldens(t)
	for _, c := range g.cases {
		name := c.Class
		if strings.HasPrefix(name, "LDM-") {
			name = strings.ToLower(name)
		}
		for _, run := range c.Runs {
			t.Run(fmt.Sprintf("%s/%d", c.Name, run.Steps), func(t *testing.T) {
				g.t = t
				plan, err := samplers.NewPlan(samplers.Request{Sampler: name, Config: parseConfig(t, string(c.Given)), Steps: run.Steps})
				if err != nil {
					t.Fatal(err)
				}
				replay(g, c, plan, fmt.Sprintf("%s/%d/", c.Name, run.Steps), run.Draws, "alphas/"+run.Alphas)
			})
		}
	}
}

// replay runs plan on the toy denoiser in closed loop and compares it with a trace.
func replay(g *goldenFile, c goldenCase, plan *samplers.Plan, trace string, draws int, alphas string) {
	g.t.Helper()
	wantT, wantX := load[float64](g, trace+"t"), load[float32](g, trace+"x")
	noise := recorded{start: load[float32](g, "latent0"), later: load[float32](g, "noise")}
	means, table := load[float64](g, "m"), load[float32](g, alphas)
	if plan.Calls() != len(wantT) {
		g.t.Fatalf("%d calls, want %d", plan.Calls(), len(wantT))
	}
	checkSigmas(g, c, plan, trace)
	tolerance := max(5e-6, tolerances[c.Name])
	options := samplers.Options{
		Eta: c.StepKw.Eta, Noise: noise, UseClippedOutput: c.StepKw.UseClipped,
		Churn: samplers.Churn{Amount: c.StepKw.Churn, Noise: c.StepKw.Noise},
	}
	state := plan.Start(noise)
	for i, want := range wantT {
		x, ts := plan.Input(state)
		// The second call of a step may be between two timesteps and just happen to be at one.
		whole := want == math.Trunc(want) && i%plan.Sampler().CallsPerStep == 0
		if off := math.Abs(float64(ts) - want); off > 1e-4 || off > 0 && whole {
			g.t.Fatalf("call %d at timestep %g, want %g", i, ts, want)
		}
		next, _, err := plan.Step(state, toyDenoiser(x, means, table, want, kindOf(c)), options)
		if err != nil {
			g.t.Fatal(err)
		}
		state = next
		n := len(state.X)
		if d := relative(state.X, wantX[i*n:(i+1)*n]); d > tolerance {
			g.t.Fatalf("call %d: difference %g, want at most %g", i, d, tolerance)
		}
	}
	if state.Draws-1 != draws {
		g.t.Errorf("%d draws, want %d", state.Draws-1, draws)
	}
}

// checkSigmas compares the noise levels of a plan with those of a trace that has them,
// one for each call but for samplers that call twice a step.
func checkSigmas(g *goldenFile, c goldenCase, plan *samplers.Plan, trace string) {
	g.t.Helper()
	if !g.has(trace+"s") || plan.Sampler().CallsPerStep > 1 {
		return
	}
	tolerance := 2e-7
	if strings.Contains(c.Name, "zsnr") {
		tolerance = 3e-6
	}
	want := load[float32](g, trace+"s")
	calls := plan.Calls()
	if c.Name == "euler_log_linear" { // has one more than its steps get to
		calls++
	}
	if len(want) != calls+1 {
		g.t.Fatalf("%d noise levels in the trace, %d calls", len(want), plan.Calls())
	}
	for i, w := range want[:plan.Calls()+1] {
		if d := math.Abs(float64(plan.Sigma(i)) - float64(w)); d > tolerance*float64(w) {
			g.t.Errorf("noise level %d is %g, want %g", i, plan.Sigma(i), w)
		}
	}
}

// kindOf is what the model of a case predicts.
func kindOf(c goldenCase) string {
	switch {
	case strings.Contains(string(c.Given), "v_prediction"):
		return "v_prediction"
	case strings.Contains(string(c.Given), `"sample"`):
		return "sample"
	}
	return "epsilon"
}

func parseConfig(t *testing.T, text string) samplers.Config {
	t.Helper()
	c, err := samplers.ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
