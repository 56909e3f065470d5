package pipeline_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"ldx/pipeline"
)

func TestBreakpointIsReadAndWritten(t *testing.T) {
	for text, want := range map[string]string{
		"step 8": "step 8", "8": "step 8", " Step  8 ": "step 8", "step0": "step 0",
		"sigma 1.5": "sigma 1.5", "sigma 1e-3": "sigma 0.001", "sigma -0": "sigma 0", "t 400": "t 400",
		"push > 0.3": "push > 0.3", "push>0.3": "push > 0.3", "push < 30%": "push < 0.3",
		"change < 1%": "change < 1%", "change < 0.01": "change < 1%", "CHANGE > 12.5 %": "change > 12.5%",
		"spread > 1.2": "spread > 1.2", "peak < 4": "peak < 4",
	} {
		b, err := pipeline.ParseBreakpoint(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if b.String() != want {
			t.Errorf("%q is %q, want %q", text, b, want)
		}
		if again, err := pipeline.ParseBreakpoint(b.String()); err != nil || again != b {
			t.Errorf("%q is read back as %v (error %v)", b, again, err)
		}
	}
	if (pipeline.Breakpoint{}).String() != "" {
		t.Error("the zero breakpoint has a text")
	}
}

func TestBreakpointRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":             `"sigma 1.5"`,
		"step":         `"sigma 1.5"`,
		"step x":       "whole number",
		"step -1":      "whole number",
		"step 1.5":     "whole number",
		"8 9":          "whole number",
		"sigma NaN":    "number from 0",
		"sigma -1":     "number from 0",
		"sigma < 1":    "number from 0",
		"t Inf":        "number from 0",
		"push 0.3":     "> or <",
		"push > ":      "number from 0",
		"push > NaN":   "number from 0",
		"change > 1%%": "number from 0",
		"guidance > 3": `"push"`,
	} {
		b, err := pipeline.ParseBreakpoint(text)
		switch {
		case err == nil:
			t.Errorf("%q is %v, want an error", text, b)
		case !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
}

// hits lists the indices at which a run made anew stops.
func hits(t *testing.T, text string, path []*pipeline.Step) (at []int) {
	t.Helper()
	b, err := pipeline.ParseBreakpoint(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range path {
		if b.Hit(s) {
			at = append(at, s.Index())
		}
	}
	return at
}

func toyPath(t *testing.T, change func(*pipeline.Settings)) []*pipeline.Step {
	t.Helper()
	tr := newTree(t)
	s := toySettings(tr.model)
	change(&s)
	at, err := tr.model.Begin(context.Background(), s)
	for err == nil && !at.Done() {
		at, err = tr.model.Advance(context.Background(), at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return at.Path()
}

// TestBreakpointOnLevels holds where a run stops against its own steps and levels.
func TestBreakpointOnLevels(t *testing.T) {
	ddim := toyPath(t, func(*pipeline.Settings) {})
	heun := toyPath(t, func(s *pipeline.Settings) { s.Sampler = "heun" })
	first := func(path []*pipeline.Step, below func(*pipeline.Step) bool) []int {
		return []int{slices.IndexFunc(path, below)}
	}
	tests := []struct {
		text string
		path []*pipeline.Step
		want []int
	}{
		{"step 0", ddim, []int{0}},
		{"step 8", ddim, []int{8}},
		{"step 20", ddim, []int{20}},
		{"step 21", ddim, nil},
		{"step 8", heun, []int{16}}, // and not at the second call of a step
		{"sigma 1.5", ddim, first(ddim, func(s *pipeline.Step) bool { return s.Sigma() <= 1.5 })},
		{"sigma 1000", ddim, nil}, // it never was above
		{"sigma 0", ddim, []int{20}},
		{"t 400", ddim, first(ddim, func(s *pipeline.Step) bool { return s.Timestep() <= 400 })},
		{"t 0", ddim, []int{20}},
	}
	for _, tt := range tests {
		if got := hits(t, tt.text, tt.path); !slices.Equal(got, tt.want) {
			t.Errorf("%s stops at %v, want %v", tt.text, got, tt.want)
		}
	}
}

// TestBreakpointOnFigures holds where a run stops against figures that are set by hand.
func TestBreakpointOnFigures(t *testing.T) {
	path := toyPath(t, func(s *pipeline.Settings) { s.Steps = 5 })
	for i, push := range []float64{0.1, 0.4, 0.5, 0.2, 0.4} {
		path[i].Figures = pipeline.Figures{Push: push, Change: push / 10, Spread: 5 * push, Peak: math.Round(10 * push)}
	}
	path[5].Figures = pipeline.Figures{}
	for text, want := range map[string][]int{
		"push > 0.3":   {1, 4},
		"push > 0.4":   {2},
		"push < 0.3":   {0, 3}, // not at the end, where there is none
		"push > 0.05":  {0},
		"change < 3%":  {3}, // the first step has none
		"change > 3%":  {1, 4},
		"spread > 1.2": {1, 4},
		"peak > 4":     {2},
		"peak < 2":     {0},
	} {
		if got := hits(t, text, path); !slices.Equal(got, want) {
			t.Errorf("%s stops at %v, want %v", text, got, want)
		}
	}
	path[2].Figures.Push = 0 // guidance off
	if got := hits(t, "push < 0.3", path); !slices.Equal(got, []int{0, 3}) {
		t.Errorf("without guidance a push below 0.3 stops at %v", got)
	}
	for _, s := range path {
		if (pipeline.Breakpoint{}).Hit(s) {
			t.Errorf("the zero breakpoint stops at %d", s.Index())
		}
	}
}

func FuzzParseBreakpoint(f *testing.F) {
	for _, text := range []string{"step 8", "8", "sigma 1.5", "t 400", "change < 1%", "peak > 4", "push > 1e-320%", "sigma -0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := pipeline.ParseBreakpoint(text)
		if err != nil {
			return
		}
		if again, err := pipeline.ParseBreakpoint(b.String()); err != nil || again != b {
			t.Errorf("%q is %q, read back as %v (error %v)", text, b, again, err)
		}
	})
}
