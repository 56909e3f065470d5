package samplers_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"math"
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

// toyDenoiser is the optimal denoiser of a two-component Gaussian mixture, in
// float64 as the goldens were made with it.
func toyDenoiser(x []float32, means []float64, alphaBar float32, kind string) []float32 {
	const s2 = 0.25
	signal, noise2 := math.Sqrt(float64(alphaBar)), 1-float64(alphaBar)
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

func TestDDIMMatchesReference(t *testing.T) {
	g := openGoldens(t)
	ran := 0
	for _, c := range g.cases {
		spacing := samplers.Spacing("")
		switch {
		case c.Class == "DDIMScheduler":
		case c.Class == "LDM-DDIM" && c.StepKw.Eta == 0:
			// CompVis draws noise at eta 0 too, with weight 0: same latents.
			spacing = samplers.LDM
		default:
			continue
		}
		for _, run := range c.Runs {
			ran++
			t.Run(fmt.Sprintf("%s/%d", c.Name, run.Steps), func(t *testing.T) {
				config := parseConfig(t, string(c.Given))
				if spacing == samplers.LDM {
					config = with(t, config, "clip_sample", false)
				}
				plan, err := samplers.NewPlan(samplers.Request{Sampler: "ddim", Config: config, Steps: run.Steps, Spacing: spacing})
				if err != nil {
					t.Fatal(err)
				}
				g.t = t
				worst, draws := replay(g, c, plan, run.Steps)
				if worst > 5e-6 {
					t.Errorf("largest difference %g, want at most 5e-6", worst)
				}
				if spacing == "" && draws != run.Draws {
					t.Errorf("%d draws, want %d", draws, run.Draws)
				}
			})
		}
	}
	if ran == 0 {
		t.Fatal("no golden case ran")
	}
}

// replay runs plan on the toy denoiser in closed loop and returns the largest
// difference from the golden trace, and the draws made after the start noise.
func replay(g *goldenFile, c goldenCase, plan *samplers.Plan, steps int) (worst float64, draws int) {
	g.t.Helper()
	name := fmt.Sprintf("%s/%d/", c.Name, steps)
	wantT, wantX := load[float64](g, name+"t"), load[float32](g, name+"x")
	noise := recorded{start: load[float32](g, "latent0"), later: load[float32](g, "noise")}
	means := load[float64](g, "m")
	kind := "epsilon"
	if strings.Contains(string(c.Given), "v_prediction") {
		kind = "v_prediction"
	} else if strings.Contains(string(c.Given), `"sample"`) {
		kind = "sample"
	}
	if plan.Calls() != len(wantT) {
		g.t.Fatalf("%d calls, want %d", plan.Calls(), len(wantT))
	}
	state := plan.Start(noise)
	for i, want := range wantT {
		x, ts := plan.Input(state)
		if float64(ts) != want {
			g.t.Fatalf("call %d at timestep %d, want %g", i, ts, want)
		}
		out := toyDenoiser(x, means, plan.AlphaBar(i), kind)
		next, _, err := plan.Step(state, out, samplers.Options{Eta: c.StepKw.Eta, Noise: noise, UseClippedOutput: c.StepKw.UseClipped})
		if err != nil {
			g.t.Fatal(err)
		}
		state = next
		n := len(state.X)
		worst = max(worst, relative(state.X, wantX[i*n:(i+1)*n]))
	}
	return worst, state.Draws - 1
}

func parseConfig(t *testing.T, text string) samplers.Config {
	t.Helper()
	c, err := samplers.ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func with(t *testing.T, c samplers.Config, key string, value any) samplers.Config {
	t.Helper()
	c, err := c.With(key, value)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
