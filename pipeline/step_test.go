package pipeline_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/samplers"
)

func toySettings(m *pipeline.Model) pipeline.Settings {
	s := m.Settings()
	s.Seed = 42
	return s
}

func TestEditCostsWhatItSays(t *testing.T) {
	edit := func(change func(*pipeline.Settings)) func(pipeline.Settings) pipeline.Settings {
		return func(s pipeline.Settings) pipeline.Settings { change(&s); return s }
	}
	tests := map[string]struct {
		change func(pipeline.Settings) pipeline.Settings
		want   pipeline.Cost
	}{
		"prompt":       {edit(func(s *pipeline.Settings) { s.Prompt = "another" }), pipeline.Cost{Now: 1, ToEnd: 11}},
		"negative":     {edit(func(s *pipeline.Settings) { s.Negative = "another" }), pipeline.Cost{Now: 1, ToEnd: 11}},
		"guidance":     {edit(func(s *pipeline.Settings) { s.Guidance = 7.5 }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"guidance off": {edit(func(s *pipeline.Settings) { s.Guidance = 1 }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"eta":          {edit(func(s *pipeline.Settings) { s.Eta = 1 }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"seed":         {edit(func(s *pipeline.Settings) { s.Seed = 43 }), pipeline.Cost{Now: 1, ToEnd: 19}},
		"fewer steps":  {edit(func(s *pipeline.Settings) { s.Steps = 10 }), pipeline.Cost{Now: 0, ToEnd: 1}},
		"more steps":   {edit(func(s *pipeline.Settings) { s.Steps = 30 }), pipeline.Cost{Now: 0, ToEnd: 21}},
		"sampler":      {edit(func(s *pipeline.Settings) { s.Sampler = "euler" }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"two calls":    {edit(func(s *pipeline.Settings) { s.Sampler = "heun" }), pipeline.Cost{Now: 0, ToEnd: 22}},
		"karras":       {edit(func(s *pipeline.Settings) { s.Sampler, s.Sigmas = "dpm++2m", "karras" }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"own spacing":  {edit(func(s *pipeline.Settings) { s.Sampler = "lcm" }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"later seed":   {edit(func(s *pipeline.Settings) { s.LaterSeed = 7 }), pipeline.Cost{Now: 0, ToEnd: 11}},
		"nothing":      {edit(func(*pipeline.Settings) {}), pipeline.Cost{Now: 0, ToEnd: 11}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var works toy.Toy
			m := works.Model()
			at := runToEnd(t, m, toySettings(m))[8]
			to := tt.change(at.Settings)
			if got := m.Cost(at, to); got != tt.want {
				t.Errorf("said to cost %+v, want %+v", got, tt.want)
			}
			before := works.Predicts.Load()
			edited, err := m.Edit(context.Background(), at, to)
			if err != nil {
				t.Fatal(err)
			}
			if calls := int(works.Predicts.Load() - before); calls != tt.want.Now {
				t.Errorf("%d calls at the cursor, want %d", calls, tt.want.Now)
			}
			for at := edited; !at.Done(); {
				if at, err = m.Advance(context.Background(), at); err != nil {
					t.Fatal(err)
				}
			}
			if calls := int(works.Predicts.Load() - before); calls != tt.want.Now+tt.want.ToEnd {
				t.Errorf("%d calls to the end, want %d", calls, tt.want.Now+tt.want.ToEnd)
			}
		})
	}
}

// TestOutputsServeTheirPrompts guards a trap: a negative prompt changed while
// guidance is off costs nothing then, but its output is not there when guidance
// comes back.
func TestOutputsServeTheirPrompts(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	ctx := context.Background()
	s := toySettings(m)
	at, err := m.Begin(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	s.Guidance = 1
	off := edit(t, m, at, s)
	s.Negative = "clouds"
	renamed := edit(t, m, off, s)
	if works.Predicts.Load() != 1 {
		t.Fatalf("%d calls, want 1: guidance is off", works.Predicts.Load())
	}
	s.Guidance = 3
	on := edit(t, m, renamed, s)
	if works.Predicts.Load() != 2 {
		t.Errorf("%d calls, want 2: the negative prompt's output was never made", works.Predicts.Load())
	}
	fresh, err := m.Begin(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(t, on).Eps(), numbers(t, fresh).Eps()) {
		t.Error("the guided output is not that of the new negative prompt")
	}
}

func edit(t *testing.T, m *pipeline.Model, at *pipeline.Step, to pipeline.Settings) *pipeline.Step {
	t.Helper()
	s, err := m.Edit(context.Background(), at, to)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBranchesLeaveTheTrunk steps twice from one place and back again.
func TestBranchesLeaveTheTrunk(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	s := toySettings(m)
	s.Eta = 1
	trunk := runToEnd(t, m, s)
	sums := make([]float64, len(trunk))
	for k, step := range trunk {
		sums[k] = checksum(t, step)
	}
	to := s
	to.Prompt = "another"
	branch := edit(t, m, trunk[8], to)
	for at := branch; !at.Done(); {
		next, err := m.Advance(context.Background(), at)
		if err != nil {
			t.Fatal(err)
		}
		at = next
	}
	for k, step := range trunk {
		if checksum(t, step) != sums[k] {
			t.Errorf("step %d of the trunk changed", k)
		}
	}
	again, err := m.Advance(context.Background(), trunk[11])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(t, again).State.X, numbers(t, trunk[12]).State.X) {
		t.Error("the same step taken again gives another latent")
	}
}

func numbers(t *testing.T, s *pipeline.Step) *pipeline.Tensors {
	t.Helper()
	n, err := s.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func checksum(t *testing.T, s *pipeline.Step) float64 {
	t.Helper()
	sum := 0.0
	for i, v := range numbers(t, s).State.X {
		sum += float64(v) * float64(i+1)
	}
	for i, v := range numbers(t, s).X0 {
		sum += float64(v) / float64(i+1)
	}
	return sum
}

func TestSettingsAreChecked(t *testing.T) {
	tests := map[string]struct {
		change func(*pipeline.Settings)
		want   string // part of the error
	}{
		"steps 0":           {func(s *pipeline.Settings) { s.Steps = 0 }, "steps is 0, want 1 to 1000"},
		"steps -1":          {func(s *pipeline.Settings) { s.Steps = -1 }, "steps is -1, want 1 to 1000"},
		"steps 10000":       {func(s *pipeline.Settings) { s.Steps = 10000 }, "steps is 10000, want 1 to 1000"},
		"eta 1.5":           {func(s *pipeline.Settings) { s.Eta = 1.5 }, "eta is 1.5, want 0 to 1"},
		"eta NaN":           {func(s *pipeline.Settings) { s.Eta = math.NaN() }, "eta is NaN"},
		"guidance NaN":      {func(s *pipeline.Settings) { s.Guidance = math.NaN() }, "guidance is NaN"},
		"guidance -1":       {func(s *pipeline.Settings) { s.Guidance = -1 }, "guidance is -1"},
		"guidance infinite": {func(s *pipeline.Settings) { s.Guidance = math.Inf(1) }, "guidance is +Inf"},
		"odd size":          {func(s *pipeline.Settings) { s.Width = 30 }, "multiple of 4, for example 32x16"},
		"no size":           {func(s *pipeline.Settings) { s.Width = 0 }, "size is 0x16"},
		"huge size":         {func(s *pipeline.Settings) { s.Width, s.Height = 16384, 16384 }, "of memory"},
		"absurd size":       {func(s *pipeline.Settings) { s.Width = 1 << 40 }, "at most 16384 a side"},
		"sampler":           {func(s *pipeline.Settings) { s.Sampler = "dice" }, `sampler "dice" is unknown, want ddim`},
		"sigmas":            {func(s *pipeline.Settings) { s.Sigmas = "karras" }, "ddim has no sigma schedule"},
		"spacing":           {func(s *pipeline.Settings) { s.Spacing = "dense" }, `timestep spacing "dense" is unknown`},
	}
	var works toy.Toy
	m := works.Model()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := toySettings(m)
			tt.change(&s)
			err := m.Check(s)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, tt.want)
			}
			if _, beginErr := m.Begin(context.Background(), s); beginErr == nil {
				t.Error("the run began all the same")
			}
		})
	}
}

func TestCancelledStepIsNotKept(t *testing.T) {
	works := toy.Toy{Gate: make(chan struct{})}
	m := works.Model()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	step, err := m.Begin(ctx, toySettings(m))
	if step != nil || !pipeline.Cancelled(err) {
		t.Errorf("got step %v and error %v, want none and a cancellation", step, err)
	}
}

func TestFailedCallIsAnError(t *testing.T) {
	broken := errors.New("out of memory")
	works := toy.Toy{Fail: func(int) error { return broken }}
	m := works.Model()
	if _, err := m.Begin(context.Background(), toySettings(m)); !errors.Is(err, broken) {
		t.Errorf("error is %v, want %v", err, broken)
	}
}

// TestStepsOfSeveralCalls checks where steps end that take more than one call, and
// that edits and costs count calls.
func TestStepsOfSeveralCalls(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	s := toySettings(m)
	s.Sampler, s.Steps = "heun", 3
	path := runToEnd(t, m, s)
	var done, next []int
	var whole []bool
	for _, at := range path {
		done, whole = append(done, at.Number()), append(whole, at.Whole())
		if !at.Done() {
			next = append(next, at.NextStep())
		}
	}
	if want := []int{0, 0, 1, 1, 2, 3}; !slices.Equal(done, want) {
		t.Errorf("steps done are %v, want %v", done, want)
	}
	if want := []bool{true, false, true, false, true, true}; !slices.Equal(whole, want) {
		t.Errorf("whole steps are %v, want %v", whole, want)
	}
	if want := []int{2, 2, 4, 4, 5}; !slices.Equal(next, want) {
		t.Errorf("the next steps begin at %v, want %v", next, want)
	}
	to := s
	to.Prompt = "another"
	if got, want := m.Cost(path[2], to), (pipeline.Cost{Now: 1, ToEnd: 2}); got != want {
		t.Errorf("said to cost %+v, want %+v", got, want)
	}
}

// TestGuidanceByStep leaves the unconditional output out where guidance is off, and
// carries momentum along the steps: a step back has its own.
func TestGuidanceByStep(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	s := toySettings(m)
	s.Steps = 10
	s.Guiding.Interval = samplers.GuidanceInterval{Start: 0.5, Stop: 1}
	for i, at := range runToEnd(t, m, s) {
		if guided := numbers(t, at).Uncond != nil; !at.Done() && guided != (i >= 5) {
			t.Errorf("step %d has an unconditional output: %t", i, guided)
		}
	}
	s.Guiding = samplers.Guidance{APG: samplers.APG{Enabled: true, Momentum: 0.5, Eta: 1}}
	path := runToEnd(t, m, s)
	again, err := m.Advance(context.Background(), path[3])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(t, again).Eps(), numbers(t, path[4]).Eps()) {
		t.Error("a step that is taken again is another one")
	}
	s.Guiding.APG.Momentum = 0
	if plain := runToEnd(t, m, s); slices.Equal(numbers(t, plain[4]).Eps(), numbers(t, path[4]).Eps()) {
		t.Error("momentum makes no difference")
	}
}
