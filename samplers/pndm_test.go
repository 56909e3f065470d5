package samplers

import (
	"math"
	"slices"
	"testing"
)

func TestTrap11PNDMStepsBackByArithmetic(t *testing.T) {
	p := layOut(t, "plms", stableDiffusion, Request{Steps: 7, Spacing: Linspace})
	alphas, err := parseOf(t, stableDiffusion).alphasCumprod()
	if err != nil {
		t.Fatal(err)
	}
	const stride = 1000 / 7
	moves := p.solver.(*pndmSolver).moves
	for i, m := range moves[:7] {
		at := int(p.Timestep(i))
		want := move{alphas[at], alphas[at-stride]}
		if i == 1 { // again from where the first call was, by arithmetic too
			want = move{alphas[at+stride], alphas[at]}
		}
		if m != want {
			t.Errorf("call %d at %d moves %v, want %v", i, at, m, want)
		}
	}
	if got := moves[7].to; got != alphas[0] {
		t.Errorf("the last call goes to alpha-bar %g, want the table's first, %g", got, alphas[0])
	}
}

func TestTrap14CallsOfPNDM(t *testing.T) {
	for _, tt := range []struct {
		name      string
		steps     int
		timesteps []float32
		stepOf    []int
	}{
		{"plms", 1, []float32{1}, []int{0}},
		{"plms", 2, []float32{501, 1, 1}, []int{0, 0, 1}},
		{"plms", 4, []float32{751, 501, 501, 251, 1}, []int{0, 0, 1, 2, 3}},
		{"ldm-plms", 4, []float32{751, 501, 501, 251, 1}, []int{0, 0, 1, 2, 3}},
		{"ldm-plms", 1, []float32{1, 1}, []int{0, 0}},
		{
			"pndm", 5, []float32{801, 701, 701, 601, 601, 501, 501, 401, 401, 301, 301, 201, 201, 1},
			[]int{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4},
		},
	} {
		p := layOut(t, tt.name, stableDiffusion, Request{Steps: tt.steps})
		if p.Calls() != len(tt.timesteps) || p.Steps() != tt.steps {
			t.Errorf("%s: %d steps are %d steps of %d calls, want %d calls", tt.name, tt.steps, p.Steps(), p.Calls(), len(tt.timesteps))
			continue
		}
		for i, want := range tt.timesteps {
			if p.Timestep(i) != want || p.StepOf(i) != tt.stepOf[i] {
				t.Errorf("%s, %d steps: call %d is at %g of step %d, want %g of step %d", tt.name, tt.steps, i, p.Timestep(i), p.StepOf(i), want, tt.stepOf[i])
			}
		}
	}
}

func TestTrap14PNDMRefusesFewSteps(t *testing.T) {
	for n := 1; n <= 4; n++ {
		for _, name := range []string{"pndm", "PNDMScheduler"} { // the class's own default is not to skip
			p, err := tryLayOut(t, name, stableDiffusion, Request{Steps: n})
			if (err != nil) != (n < 4) {
				t.Errorf("%s, %d steps: error is %v, want one below 4", name, n, err)
			}
			if err == nil && p.Calls() != 13 {
				t.Errorf("%s, %d steps: %d calls, want 13", name, n, p.Calls())
			}
		}
	}
}

func TestPNDMNamesFixSkipPRKSteps(t *testing.T) {
	for config, calls := range map[string]map[string]int{
		`{"skip_prk_steps":true}`:  {"plms": 6, "pndm": 14, "PNDMScheduler": 6},
		`{"skip_prk_steps":false}`: {"plms": 6, "pndm": 14, "PNDMScheduler": 14},
	} {
		for name, want := range calls {
			if got := layOut(t, name, config, Request{Steps: 5}).Calls(); got != want {
				t.Errorf("%s with %s: %d calls, want %d", name, config, got, want)
			}
		}
	}
}

// TestLDMSpacingOfPNDM has lists of timesteps that arithmetic would not go along.
func TestLDMSpacingOfPNDM(t *testing.T) {
	for _, name := range []string{"plms", "pndm"} {
		p := layOut(t, name, stableDiffusion, Request{Steps: 30, Spacing: LDM})
		if p.Steps() != 31 {
			t.Errorf("%s: %d steps, want 31", name, p.Steps())
		}
		moves := p.solver.(*pndmSolver).moves
		for i := 1; i < len(moves); i++ {
			if p.StepOf(i) != p.StepOf(i-1) && moves[i].from != moves[i-1].to {
				t.Errorf("%s: call %d starts from alpha-bar %g, the one before it ended on %g", name, i, moves[i].from, moves[i-1].to)
			}
		}
	}
}

// TestFreshStarts begins in the middle of a run with nothing in memory: at any call
// that begins a step it gets to the end, and within a step it at least finishes it.
func TestFreshStarts(t *testing.T) {
	for name, steps := range map[string]int{"plms": 10, "pndm": 10, "ldm-plms": 10} {
		p := layOut(t, name, stableDiffusion, Request{Steps: steps})
		final := float64(p.Sigma(p.Calls()))
		for i := range p.Calls() {
			end := finish(t, p, noisyPoint(p, i), "epsilon", Options{})
			if !near(end.X, point, 1e-3+4*final) {
				t.Errorf("%s from call %d: ended on %v, want %v", name, i, end.X, point)
			}
		}
	}
	p := layOut(t, "ldm-plms", stableDiffusion, Request{Steps: 1})
	if end := finish(t, p, noisyPoint(p, 1), "epsilon", Options{}); end.Index != 2 || !near(end.X, point, 0.2) {
		t.Errorf("ldm-plms from the last call of one step: ended on %v, want %v", end.X, point)
	}
}

// TestWarmUpGoesByMemory wants the order to rise from a fresh start, whatever the index.
func TestWarmUpGoesByMemory(t *testing.T) {
	for name, first := range map[string]int{"plms": 5, "pndm": 13, "ldm-plms": 5} {
		p := layOut(t, name, stableDiffusion, Request{Steps: 20})
		s := noisyPoint(p, first)
		for calls, want := range []int{1, 2, 3, 3, 3} {
			next, _, err := p.Step(s, pointOutput(p, s, "epsilon"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s = next; len(s.Memory) != want {
				t.Errorf("%s: %d outputs in memory after %d calls, want %d", name, len(s.Memory), calls+1, want)
			}
		}
	}
	p := layOut(t, "pndm", stableDiffusion, Request{Steps: 20})
	s := noisyPoint(p, 8) // the last Runge-Kutta step: one output is kept of it
	for range 4 {
		next, _, err := p.Step(s, pointOutput(p, s, "epsilon"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	if len(s.Memory) != 1 {
		t.Errorf("%d outputs in memory after one Runge-Kutta step, want 1", len(s.Memory))
	}
}

// TestAdamsWeights gives noise that is a polynomial of the time, whose mean over the
// coming step the formula of the order above its degree gives exactly.
func TestAdamsWeights(t *testing.T) {
	for order := 1; order <= 4; order++ {
		degree := float64(order - 1)
		at := func(time float64) []float32 { return []float32{float32(math.Pow(time+4, degree))} }
		var past [][]float32
		for k := order - 1; k > 0; k-- {
			past = append(past, at(float64(-k)))
		}
		_, along, _ := adamsBashforth(State{Index: 7, Memory: past}, at(0))
		got := make([]float32, 1)
		along.move(got, nil, 0, 1)
		want := (math.Pow(5, degree+1) - math.Pow(4, degree+1)) / (degree + 1)
		if math.Abs(float64(got[0])-want) > 1e-4*want {
			t.Errorf("order %d: the mean is %g, want %g", order, got[0], want)
		}
	}
}

// mixture is the noise that the best model predicts for data of one half each around
// m and -m, which curves the way to x0.
func mixture(p *Plan, s State) []float32 {
	const spread = 0.25
	bar := float64(p.AlphaBar(s.Index))
	signal, noise2 := math.Sqrt(bar), 1-bar
	v := bar*spread + noise2
	out := make([]float32, len(s.X))
	for i, x := range s.X {
		m := 2 * float64(point[i])
		x0 := (spread*signal*float64(x) + noise2*m*math.Tanh(signal*m*float64(x)/v)) / v
		out[i] = float32((float64(x) - signal*x0) / math.Sqrt(noise2))
	}
	return out
}

// TestMultistepIsMoreAccurate compares with the limit of many steps.
func TestMultistepIsMoreAccurate(t *testing.T) {
	run := func(name string, steps int) []float32 {
		p := layOut(t, name, stableDiffusion, Request{Steps: steps})
		s := State{X: []float32{0.3, -1.2, 0.8, 1.5, -0.4}, Draws: 1}
		for !p.Done(s) {
			next, _, err := p.Step(s, mixture(p, s), Options{})
			if err != nil {
				t.Fatal(err)
			}
			s = next
		}
		return s.X
	}
	limit := run("ddim", 500) // the same last timestep, 1
	off := func(name string) float64 {
		worst := 0.0
		for i, v := range run(name, 20) {
			worst = max(worst, math.Abs(float64(v-limit[i])))
		}
		return worst
	}
	single := off("ddim")
	for _, name := range []string{"plms", "pndm", "ldm-plms"} {
		if multi := off(name); multi > single/2 {
			t.Errorf("%s is off by %g at 20 steps, ddim by %g; want less than half", name, multi, single)
		}
	}
}

// TestPNDMCombinesOutputs has a model whose v-prediction is the same at every call, and
// so, as the outputs are combined before noise is made of them, is that of each step.
func TestPNDMCombinesOutputs(t *testing.T) {
	const config = `{"prediction_type":"v_prediction","steps_offset":1}`
	for _, name := range []string{"plms", "pndm"} {
		p := layOut(t, name, config, Request{Steps: 10})
		moves := p.solver.(*pndmSolver).moves
		s, v := noisyPoint(p, 0), []float32{1, 1, 1, 1, 1}
		from := s.X
		for i := range p.Calls() {
			next, _, err := p.Step(s, v, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && p.StepOf(i) != p.StepOf(i-1) {
				from = s.X
			}
			if i+1 == p.Calls() || p.StepOf(i+1) != p.StepOf(i) {
				a, b := float64(moves[i].from), float64(moves[i].to)
				for k, x := range from {
					x0 := math.Sqrt(a)*float64(x) - math.Sqrt(1-a)
					eps := math.Sqrt(a) + math.Sqrt(1-a)*float64(x)
					if want := math.Sqrt(b)*x0 + math.Sqrt(1-b)*eps; math.Abs(float64(next.X[k])-want) > 1e-5 {
						t.Fatalf("%s: call %d goes to %g, want %g", name, i, next.X[k], want)
					}
				}
			}
			s = next
		}
	}
}

func TestPNDMDoesNotClip(t *testing.T) {
	p := layOut(t, "plms", `{"clip_sample":true,"thresholding":true}`, Request{Steps: 5})
	x0, _ := p.Predict(State{X: []float32{9, -9}}, []float32{0, 0})
	if x0[0] <= 9 || x0[1] >= -9 {
		t.Errorf("x0 is %v, want it beyond 9 and -9", x0)
	}
}

// TestMemoryIsNotShared steps twice from one state: what the first step kept must not
// change.
func TestMemoryIsNotShared(t *testing.T) {
	for _, name := range []string{"plms", "pndm", "ldm-plms"} {
		p := layOut(t, name, stableDiffusion, Request{Steps: 8})
		s := noisyPoint(p, 0)
		for !p.Done(s) {
			output := pointOutput(p, s, "epsilon")
			next, _, err := p.Step(s, output, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var kept [][]float32
			for _, m := range next.Memory {
				kept = append(kept, slices.Clone(m))
			}
			other := slices.Repeat([]float32{77}, len(output))
			if _, _, err := p.Step(s, other, Options{}); err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(kept, next.Memory, slices.Equal) {
				t.Fatalf("%s: another step from call %d changed what the first kept", name, s.Index)
			}
			s = next
		}
	}
}

func TestPNDMRefuses(t *testing.T) {
	refused(t, "plms", []struct {
		config string
		req    Request
		want   string
	}{
		{`{"prediction_type":"sample"}`, Request{Steps: 5}, "want epsilon or v_prediction"},
		{`{"prediction_type":"guess"}`, Request{Steps: 5}, `prediction_type "guess"`},
		{`{"timestep_spacing":"dense"}`, Request{Steps: 5}, `"dense" is unknown`},
		{`{"trained_betas":[0.1,0.9,1],"num_train_timesteps":3,"prediction_type":"v_prediction"}`, Request{Steps: 3}, "alpha-bar 0 where call 0 at timestep 2 starts from"},
		{`{"trained_betas":[0,0.1,0.2],"num_train_timesteps":3}`, Request{Steps: 3}, "alpha-bar 1 where call 3 at timestep 0"},
	})
	refused(t, "pndm", []struct {
		config string
		req    Request
		want   string
	}{{`{}`, Request{Steps: 3}, "steps is 3, want at least 4"}})
}
