package compare_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/pipeline/clip"
	"ldx/pipeline/compare"
	"ldx/pipeline/named"
	"ldx/pipeline/prompt"
	"ldx/samplers"
)

// grid lays axes over the toy's settings, the first fastest.
func grid(t *testing.T, axes ...string) []pipeline.Settings {
	t.Helper()
	base := (&toy.Toy{}).Model().Settings()
	base.Seed = 42
	all := []pipeline.Settings{base}
	for _, text := range slices.Backward(axes) {
		a, err := compare.ParseVary(text)
		if err != nil {
			t.Fatal(err)
		}
		set, err := named.ByName(a.Key)
		if err != nil {
			t.Fatal(err)
		}
		var next []pipeline.Settings
		for _, s := range all {
			for _, v := range a.Values {
				s := s
				if err := set.Set(&s, v); err != nil {
					t.Fatal(err)
				}
				next = append(next, s)
			}
		}
		all = next
	}
	return all
}

func bits(t *testing.T, s *pipeline.Step) (out []uint32) {
	t.Helper()
	held, err := s.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range slices.Concat(held.State.X, held.X0) {
		out = append(out, math.Float32bits(v))
	}
	return out
}

// alone is a run of its own, and its denoiser calls.
func alone(t *testing.T, s pipeline.Settings) ([]uint32, int) {
	t.Helper()
	works := &toy.Toy{}
	m := model(works)
	at, err := m.Begin(t.Context(), s)
	for err == nil && !at.Done() {
		at, err = m.Advance(t.Context(), at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bits(t, at), int(works.Predicts.Load())
}

// chunky is the toy's text encoder taking tokens: one a character.
type chunky struct{ *toy.Toy }

func (chunky) Tokenizer() prompt.Tokenizer { return letters{} }

func (c chunky) EncodeChunk(ctx context.Context, chunk prompt.Chunk) (pipeline.Conditioning, error) {
	text := ""
	for _, t := range chunk {
		text += " " + t.Source
	}
	return c.Encode(ctx, text)
}

type letters struct{}

func (letters) MaxLength() int { return 77 }

func (letters) Encode(text string) (e clip.Encoding) {
	for i, c := range text {
		e.Tokens = append(e.Tokens, clip.Token{Start: i, End: i + utf8.RuneLen(c)})
	}
	return e
}

// model is the toy, reading prompts token by token.
func model(works *toy.Toy) *pipeline.Model {
	return pipeline.NewModel(works.Model().Info(), pipeline.Runners{Text: chunky{works}, Denoiser: works, Decoder: works})
}

func inOrder(n int) []int { return compare.Coarse(n, 1) }

// check runs settings together: the denoiser is called as often as planned, and each run
// ends in the bits of a run of its own.
func check(t *testing.T, all []pipeline.Settings) *compare.Plan {
	t.Helper()
	runAll(t, all, true)
	return runAll(t, all, false)
}

func runAll(t *testing.T, all []pipeline.Settings, ways bool) *compare.Plan {
	t.Helper()
	works := &toy.Toy{}
	m := model(works)
	p := compare.NewPlan(m.Info(), all)
	p.Ways = ways
	single, charged, told := 0, 0, 0
	err := p.Run(t.Context(), m, inOrder(len(all)), func() { told++ }, func(r compare.Result) error {
		if r.Err != nil {
			t.Fatalf("run %d: %v", r.Run, r.Err)
		}
		if before := r.End.Parent; ways != (before.Parent != nil) && before.Index() > 0 {
			t.Errorf("run %d keeps its way: %t, want %t", r.Run, !ways, ways)
		}
		want, calls := alone(t, all[r.Run])
		if !slices.Equal(bits(t, r.End), want) {
			t.Errorf("run %d (%s, %d steps) differs from a run of its own", r.Run, all[r.Run].Sampler, all[r.Run].Steps)
		}
		if r.Calls != calls {
			t.Errorf("run %d is said to take %d calls on its own, and takes %d", r.Run, r.Calls, calls)
		}
		single += calls
		charged += r.Charged
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if made := int(works.Predicts.Load()); made != p.Calls() || charged != made || told != made {
		t.Errorf("%d calls are made, %d planned, %d charged and %d told", made, p.Calls(), charged, told)
	}
	if single != p.Single() {
		t.Errorf("single runs make %d calls, %d planned", single, p.Single())
	}
	return p
}

// TestSharedOnce holds plans to their numbers: worked out by hand from what can be
// shared.
func TestSharedOnce(t *testing.T) {
	tests := map[string]struct {
		axes          []string
		single, calls int
	}{
		// One start; from there 9 guidances with 2 etas each.
		"guidance and eta": {[]string{"guidance=1:9:1", "eta=0,1"}, 18 * 20, 1 + 18*19},
		"guidance":         {[]string{"guidance=3,5", "steps=10"}, 20, 1 + 2*9},
		"seeds":            {[]string{"seed=1,2", "steps=5"}, 10, 10},
		// A prompt of a1111's that changes after the 6th of 10 steps.
		"late prompt": {[]string{`prompt="a [cat:dog:6]"|"a [cat:hat:6]"`, "prompt-syntax=a1111", "steps=10"}, 20, 6 + 2*4},
		// The interval ends after 5 of 10 steps: the latent before the 6th is the same, and guided outputs serve there.
		"interval":                  {[]string{`guidance-interval=steps:0..0.5|steps:0..0.8`, "steps=10"}, 20, 6 + 2*4},
		"negative without guidance": {[]string{"negative=,bad", "guidance=1", "steps=5"}, 10, 5},
		"equal":                     {[]string{`sigmas=,normal`, "sampler=euler", "steps=5"}, 10, 5},
		"no variation":              {[]string{"variation-seed=1,2", "steps=5"}, 10, 5},
		"equal spacing":             {[]string{`spacing=,leading`, "steps=5"}, 10, 5},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := check(t, grid(t, tt.axes...))
			if p.Single() != tt.single || p.Calls() != tt.calls {
				t.Errorf("%d calls of %d, want %d of %d", p.Calls(), p.Single(), tt.calls, tt.single)
			}
		})
	}
}

// TestSamplersAndSteps is the grid of samplers by steps: just those whose first input is
// the same to the last bit share that call, and nothing else is shared.
func TestSamplersAndSteps(t *testing.T) {
	all := grid(t, "sampler=ddim,dpm++2m,unipc,euler,heun", "steps=10,20,50")
	p := check(t, all)
	if want := 80*4 + 80*2 - 3; p.Single() != want {
		t.Errorf("single runs take %d calls, want %d", p.Single(), want)
	}
	inputs := map[string]bool{}
	m := (&toy.Toy{}).Model()
	for _, s := range all {
		first, err := m.Begin(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		x, err := first.Latent()
		if err != nil {
			t.Fatal(err)
		}
		inputs[fmt.Sprint(first.Timestep(), x.Data())] = true
	}
	if len(inputs) == len(all) {
		t.Fatal("no two samplers start alike, so this tests nothing")
	}
	if want := p.Single() - len(all) + len(inputs); p.Calls() != want {
		t.Errorf("%d calls of %d, want %d: %d first inputs differ", p.Calls(), p.Single(), want, len(inputs))
	}
}

// TestAllSamplers runs each sampler with settings that branch at the start and on the
// way.
func TestAllSamplers(t *testing.T) {
	for _, s := range samplers.Samplers() {
		t.Run(s.Name, func(t *testing.T) {
			check(t, grid(t, "sampler="+s.Name, "steps=6", `guidance-interval=|steps:0..0.5`, "guidance=1,3,7.5"))
			check(t, grid(t, "sampler="+s.Name, "steps=6", `apg=|on`, "guidance=3,5", `prompt="a [cat:dog:3]"|"a cat"`, "prompt-syntax=a1111"))
		})
	}
}

// TestFailingCell fails one number of steps at a timestep that the other has not.
func TestFailingCell(t *testing.T) {
	works := &toy.Toy{Fail: func(at int) error {
		if at == 1 || at == 101 {
			return nil
		}
		return errors.New("broken")
	}}
	m := model(works)
	all := grid(t, "steps=2,10", "eta=0,5")
	all[1].Eta, all[3].Eta = 1, 5
	p := compare.NewPlan(m.Info(), all)
	if p.Err(3) == nil || p.Err(2) == nil {
		t.Fatal("eta 5 is not refused")
	}
	var failed []string
	err := p.Run(t.Context(), m, inOrder(4), func() {}, func(r compare.Result) error {
		if r.Err != nil {
			failed = append(failed, r.Err.Error())
		}
		return nil
	})
	if err != nil || len(failed) != 4 {
		t.Fatalf("failed are %q (%v), want all 4 cells told of", failed, err)
	}
	if works.Predicts.Load() > 2 {
		t.Errorf("%d calls, want a failed one not made again", works.Predicts.Load())
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	works := &toy.Toy{Gate: make(chan struct{})}
	m := model(works)
	all := grid(t, "steps=5", "seed=1:4:1")
	p := compare.NewPlan(m.Info(), all)
	go func() {
		for range 12 {
			works.Gate <- struct{}{}
		}
		cancel()
	}()
	done := 0
	err := p.Run(ctx, m, inOrder(4), func() {}, func(compare.Result) error { done++; return nil })
	if !errors.Is(err, context.Canceled) || done != 2 {
		t.Errorf("%d runs are done (%v), want 2 and the interruption", done, err)
	}
}

func TestCoarse(t *testing.T) {
	if got, want := compare.Coarse(5, 1), []int{0, 4, 2, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("order is %v, want %v", got, want)
	}
	if got := compare.Coarse(3, 3)[:4]; !slices.Equal(got, []int{0, 2, 6, 8}) {
		t.Errorf("first are %v, want the corners", got)
	}
	for _, n := range []int{1, 2, 7, 40} {
		got := compare.Coarse(n, 3)
		slices.Sort(got)
		for i, v := range got {
			if i != v {
				t.Fatalf("%d columns: %v has not every cell once", n, got)
			}
		}
	}
}

func TestParseVary(t *testing.T) {
	tests := map[string]string{ // values joined by ;
		"steps=10,20,50":                `10;20;50`,
		"guidance=1:9:2":                `1;3;5;7;9`,
		"eta=0:1:0.1":                   `0;0.1;0.2;0.3;0.4;0.5;0.6;0.7;0.8;0.9;1`,
		"guidance=9:1:-4,20":            `9;5;1;20`,
		"steps=1:4:2":                   `1;3`,
		`prompt="a cat, blue"|"a dog"`:  `a cat, blue;a dog`,
		`prompt=a cat, a dog`:           `a cat;a dog`,
		`prompt="say \"hi\", \\",'b|c'`: `say "hi", \;b|c`,
		`prompt="1:3:1"`:                `1:3:1`,
		`prompt="a=b"`:                  `a=b`,
		`sigmas=karras|14.6,5,1`:        `karras;14.6,5,1`,
		`negative=,bad`:                 `;bad`,
		`prompt=it's,that`:              `it's;that`,
		`seed=1000000:3000000:1000000`:  `1000000;2000000;3000000`,
	}
	for text, want := range tests {
		a, err := compare.ParseVary(text)
		if got := strings.Join(a.Values, ";"); err != nil || got != want {
			t.Errorf("%s gives %q (%v), want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "steps", "=1", "steps=1,1", "steps=1:9:0", "steps=9:1:1", "steps=1:99999:1", `prompt="a`, `prompt="a"b`, "seed=1:1e18:1", "g=0:inf:1", "steps=1:9000:1,10000:19000:1"} {
		if a, err := compare.ParseVary(text); err == nil {
			t.Errorf("%q is taken as %d values", text, len(a.Values))
		}
	}
}

// FuzzParseVary holds that what is read has a key and different values, and reads the
// same when each is quoted.
func FuzzParseVary(f *testing.F) {
	for _, s := range []string{"steps=10,20", `p="a, b"|'c'`, "g=1:9:2", `p="\\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := compare.ParseVary(text)
		if err != nil {
			return
		}
		if a.Key == "" || len(a.Values) == 0 || len(a.Values) > compare.MaxCells {
			t.Fatalf("%q is %+v", text, a)
		}
		quoted := make([]string, len(a.Values))
		for i, v := range a.Values {
			quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
		}
		again, err := compare.ParseVary(a.Key + "=" + strings.Join(quoted, ","))
		if err != nil || !slices.Equal(again.Values, a.Values) {
			t.Errorf("%q gives %q, quoted %q (%v)", text, a.Values, again.Values, err)
		}
	})
}
