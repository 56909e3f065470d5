package samplers_test

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ldx/samplers"
)

const stableDiffusion = `{"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,"clip_sample":false,"set_alpha_to_one":false,"skip_prk_steps":true,"steps_offset":1}`

// small is the latent that whole grids of runs are made with.
const small = 4 * 4 * 4

// toyMeans are those of the goldens' denoiser.
func toyMeans(n int) []float64 {
	means := make([]float64, n)
	for i := range means {
		means[i] = 1.5 * math.Sin(0.7*float64(i))
	}
	return means
}

// drawing says how often a run of n steps draws, after the start noise, with eta or
// without.
var drawing = map[string]func(n int, eta bool) int{
	"ddim":        onlyWith(all),
	"ddpm":        all,
	"euler-a":     all,
	"dpm2-a":      butOne,
	"dpm++2m-sde": all,
	"dpm++3m-sde": all,
	"lcm":         butOne,
	"tcd":         onlyWith(butOne),
	"ldm-ddim":    all, // at eta 0 too
}

func all(n int, _ bool) int    { return n }
func butOne(n int, _ bool) int { return n - 1 }
func onlyWith(f func(int, bool) int) func(int, bool) int {
	return func(n int, eta bool) int {
		if !eta {
			return 0
		}
		return f(n, eta)
	}
}

// walk is a run with what it was made of.
type walk struct {
	plan    *samplers.Plan
	noise   *counted
	options samplers.Options
	outputs [][]float32
	given   [][]float32      // copies of outputs
	states  []samplers.State // one more than outputs
	copies  []samplers.State // of states, deep
}

// TestStepsAreReplayable runs every sampler with every number of steps from 1 to 100.
// Whatever is stepped from a kept state again, in whatever order and between whatever
// else, comes out bit-identical, and nothing that was given is written to.
func TestStepsAreReplayable(t *testing.T) {
	t.Parallel()
	other := `{"prediction_type":"v_prediction","timestep_spacing":"trailing","solver_order":3,"thresholding":true,"sample_max_value":2}`
	everySampler(t, func(t *testing.T, s samplers.Sampler) {
		t.Parallel()
		for _, text := range []string{stableDiffusion, other} {
			config := parseConfig(t, text)
			for _, eta := range etasOf(s) {
				replayAll(t, s, config, eta)
			}
		}
	})
}

func replayAll(t *testing.T, s samplers.Sampler, config samplers.Config, eta float64) {
	t.Helper()
	noise := torchNoise(t, 11, small)
	for n := 1; n <= 100; n++ {
		r := samplers.Request{Sampler: s.Name, Config: config, Steps: n}
		p, err := samplers.NewPlan(r)
		if err != nil {
			checkRefusal(t, r, err)
			continue
		}
		w := newWalk(t, p, noise, eta)
		w.checkDraws(t, s, n)
		w.retrace(t)
		w.branch(t)
	}
}

// etasOf are the values of eta that make a difference.
func etasOf(s samplers.Sampler) []float64 {
	if s.Eta {
		return []float64{0, 0.5, 1}
	}
	return []float64{0}
}

// newWalk runs a plan to its end and fails at what is not finite.
func newWalk(t *testing.T, p *samplers.Plan, noise samplers.Noise, eta float64) *walk {
	t.Helper()
	w := &walk{plan: p, noise: &counted{Noise: noise}}
	w.options = samplers.Options{Eta: eta, Noise: w.noise}
	s, means := p.Start(w.noise), toyMeans(small)
	w.keep(s)
	for !p.Done(s) {
		output := predictionAt(p, s, means)
		w.given = append(w.given, slices.Clone(output))
		shown, eps := p.Predict(s, output)
		next, x0, err := p.Step(s, output, w.options)
		if err != nil {
			t.Fatalf("%d steps, call %d: %v", p.Steps(), s.Index, err)
		}
		if !finite(next.X, x0, shown, eps) || len(next.X) != small || len(x0) != small {
			t.Fatalf("%d steps, call %d: not %d finite values", p.Steps(), s.Index, small)
		}
		w.outputs = append(w.outputs, output)
		w.keep(next)
		s = next
	}
	return w
}

func (w *walk) keep(s samplers.State) {
	w.states, w.copies = append(w.states, s), append(w.copies, deepCopy(s))
}

// checkDraws wants each draw used once and in order, as many as the sampler needs.
func (w *walk) checkDraws(t *testing.T, s samplers.Sampler, n int) {
	t.Helper()
	want, steps := 0, w.plan.Steps() // spacing ldm may give more of them than n
	if f := drawing[s.Name]; f != nil {
		want = f(steps, w.options.Eta > 0)
	}
	end := w.states[len(w.states)-1]
	if end.Draws-1 != want {
		t.Fatalf("%d steps at eta %g: %d draws, want %d", n, w.options.Eta, end.Draws-1, want)
	}
	if s.Name == "ldm-ddim" && w.options.Eta == 0 {
		return // counts CompVis's draws, but need not make them: they are scaled by 0
	}
	for k, drawn := range w.noise.drawn {
		if k != drawn {
			t.Fatalf("%d steps: draw %d was made as number %d", n, drawn, k)
		}
	}
	if end.Draws != len(w.noise.drawn) {
		t.Fatalf("%d steps: %d draws counted, %d made", n, end.Draws, len(w.noise.drawn))
	}
}

// retrace goes back over the kept states and steps again from each.
func (w *walk) retrace(t *testing.T) {
	t.Helper()
	for i := len(w.outputs) - 1; i >= 0; i-- {
		next, _, err := w.plan.Step(w.states[i], w.outputs[i], w.options)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameState(next, w.copies[i+1]); err != nil {
			t.Fatalf("%d steps: call %d made again gives %v", w.plan.Steps(), i, err)
		}
	}
	w.checkTrunk(t)
}

// branch goes to the end from the middle on other outputs, in turns with the trunk.
func (w *walk) branch(t *testing.T) {
	t.Helper()
	middle := len(w.outputs) / 2
	s, other := w.states[middle], w.options
	if w.options.Eta > 0 {
		other.Eta = w.options.Eta / 2
	}
	for i := middle; i < len(w.outputs); i++ {
		output := make([]float32, small)
		for j, v := range w.outputs[i] {
			output[j] = 0.5*v + 0.1
		}
		next, _, err := w.plan.Step(s, output, other)
		if err != nil {
			t.Fatal(err)
		}
		if !finite(next.X) {
			t.Fatalf("%d steps: the branch is not finite after call %d", w.plan.Steps(), i)
		}
		again, _, err := w.plan.Step(w.states[i], w.outputs[i], w.options)
		if err != nil {
			t.Fatal(err)
		}
		if err := sameState(again, w.copies[i+1]); err != nil {
			t.Fatalf("%d steps: beside a branch, call %d gives %v", w.plan.Steps(), i, err)
		}
		s = next
	}
	if sameBits(s.X, w.states[len(w.states)-1].X) {
		t.Fatalf("%d steps: the branch ends where the trunk does", w.plan.Steps())
	}
	w.checkTrunk(t)
}

// checkTrunk wants every state of the run and what the model gave for it as they were.
func (w *walk) checkTrunk(t *testing.T) {
	t.Helper()
	for i, s := range w.states {
		if err := sameState(s, w.copies[i]); err != nil {
			t.Fatalf("%d steps: state %d was written to: %v", w.plan.Steps(), i, err)
		}
	}
	for i, output := range w.outputs {
		if !sameBits(output, w.given[i]) {
			t.Fatalf("%d steps: the model's output at call %d was written to", w.plan.Steps(), i)
		}
	}
}

// checkRefusal wants an error that names the number of steps and others that would
// do, and that one of them does.
func checkRefusal(t *testing.T, r samplers.Request, refusal error) {
	t.Helper()
	text := refusal.Error()
	if strings.Contains(text, "\n") || !strings.Contains(text, "want") && !strings.Contains(text, "would do") {
		t.Errorf("%d steps are refused with %q, want one line that says what would do", r.Steps, text)
	}
	named, helps := false, false
	for _, number := range regexp.MustCompile(`\d+`).FindAllString(text, -1) {
		other := r
		other.Steps, _ = strconv.Atoi(number)
		named = named || other.Steps == r.Steps
		if _, err := samplers.NewPlan(other); err == nil {
			helps = true
		}
	}
	if !named || !helps {
		t.Errorf("%d steps are refused with %q, want it to name them, and a number that is taken", r.Steps, text)
	}
}
