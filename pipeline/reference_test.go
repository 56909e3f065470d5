package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/sbinet/npyio/npz"

	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/samplers"
)

// Tolerances of the model's card: the reference itself does not move between
// threads or library versions, so what is left is our own arithmetic.
const (
	latentTolerance = 1e-3
	pixelTolerance  = 2
)

type referenceCase struct {
	Prompt   string   `json:"prompt"`
	Negative string   `json:"negative"`
	Steps    int      `json:"steps"`
	Seed     uint64   `json:"seed"`
	Guidance float64  `json:"guidance"`
	Eta      float64  `json:"eta"`
	Flags    []string `json:"flags"`
}

func (c referenceCase) settings(m *pipeline.Model) pipeline.Settings {
	s := m.Settings()
	s.Prompt, s.Negative, s.Steps, s.Seed, s.Guidance, s.Eta = c.Prompt, c.Negative, c.Steps, c.Seed, c.Guidance, c.Eta
	if i := slices.Index(c.Flags, "--spacing"); i >= 0 {
		s.Spacing = samplers.Spacing(c.Flags[i+1])
	}
	return s
}

// TestRunsMatchReference runs the embedded model and holds every latent,
// prediction and pixel against diffusers on the same graphs.
func TestRunsMatchReference(t *testing.T) {
	if testing.Short() {
		t.Skip("needs minutes of model time under -race")
	}
	data, err := os.ReadFile("testdata/traces.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []referenceCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	r, err := npz.Open("testdata/traces.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	m := testlib.Model(t)
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d %s", i, c.Prompt), func(t *testing.T) { checkAgainst(t, m, r, i, c) })
	}
}

func checkAgainst(t *testing.T, m *pipeline.Model, r *npz.Reader, i int, c referenceCase) {
	want := func(name string) (out []float32) {
		t.Helper()
		if err := r.Read(fmt.Sprintf("%d/%s.npy", i, name), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	path := runToEnd(t, m, c.settings(m))
	n := len(numbers(t, path[0]).State.X)
	x := want("x")
	if len(x) != len(path)*n {
		t.Fatalf("%d latents, want %d", len(path), len(x)/n)
	}
	if !slices.Equal(numbers(t, path[0]).State.X, x[:n]) {
		t.Error("x_T is not torch's, bit for bit")
	}
	worst := map[string]float64{}
	for k, s := range path {
		worst["x"] = max(worst["x"], distance(numbers(t, s).State.X, x[k*n:(k+1)*n]))
	}
	outputs := map[string]func(*pipeline.Tensors) []float32{
		"x0":       func(s *pipeline.Tensors) []float32 { return s.X0 },
		"eps":      (*pipeline.Tensors).Eps,
		"eps_cond": func(s *pipeline.Tensors) []float32 { return s.Cond },
	}
	for name, get := range outputs {
		all := want(name)
		for k, s := range path[:len(path)-1] {
			worst[name] = max(worst[name], distance(get(numbers(t, s)), all[k*n:(k+1)*n]))
		}
	}
	for name, d := range worst {
		if d > latentTolerance {
			t.Errorf("%s differs by up to %g, want at most %g", name, d, latentTolerance)
		}
	}
	t.Logf("largest differences: %v", worst)
	checkPicture(t, m, r, path[len(path)-1], fmt.Sprintf("%d/png.npy", i))
}

func checkPicture(t *testing.T, m *pipeline.Model, r *npz.Reader, last *pipeline.Step, name string) {
	t.Helper()
	var want []uint8
	if err := r.Read(name, &want); err != nil {
		t.Fatal(err)
	}
	img, err := m.Picture(context.Background(), last)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0
	for p := range len(want) / 3 {
		for k := range 3 {
			d := int(img.Pix[4*p+k]) - int(want[3*p+k])
			worst = max(worst, d, -d)
		}
	}
	if len(img.Pix)/4 != len(want)/3 || worst > pixelTolerance {
		t.Errorf("pixels differ by up to %d, want at most %d", worst, pixelTolerance)
	}
}

func runToEnd(t *testing.T, m *pipeline.Model, s pipeline.Settings) []*pipeline.Step {
	t.Helper()
	at, err := m.Begin(context.Background(), s)
	for err == nil && !at.Done() {
		at, err = m.Advance(context.Background(), at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return at.Path()
}

func distance(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}
