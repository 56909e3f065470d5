package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"ldx/internal/testlib"
	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/pipeline/prompt"
)

// embeddings are the conditionings' tensors at call k.
func embeddings(t *testing.T, m *pipeline.Model, s pipeline.Settings, k int) [][]float32 {
	t.Helper()
	conds, err := m.Conditionings(context.Background(), s, k, true)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for _, c := range conds {
		out = append(out, c[pipeline.TextEmbedding].Data().([]float32))
	}
	return out
}

// TestEmbeddingsMatchA1111 holds weighted prompts, in one chunk and in more, against
// a computation in Python.
func TestEmbeddingsMatchA1111(t *testing.T) {
	const tolerance = 1e-5
	r, err := npz.Open("testdata/a1111.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	m := testlib.Model(t)
	s := m.Settings()
	s.Syntax = prompt.A1111
	cases := len(r.Keys()) / 2
	if cases < 8 {
		t.Fatalf("%d cases in the fixture, want at least 8", cases)
	}
	for i := range cases {
		var text []uint8
		var want []float32
		if err := r.Read(fmt.Sprintf("%d/prompt.npy", i), &text); err != nil && i != cases-1 { // the last is empty
			t.Fatal(err)
		}
		if err := r.Read(fmt.Sprintf("%d/embedding.npy", i), &want); err != nil {
			t.Fatal(err)
		}
		s.Prompt = string(text)
		got := embeddings(t, m, s, 0)[0]
		if len(got) != len(want) {
			t.Errorf("%q: %d values, want %d", s.Prompt, len(got), len(want))
			continue
		}
		if d := distance(got, want); d > tolerance {
			t.Errorf("%q differs by up to %g, want at most %g", s.Prompt, d, tolerance)
		} else {
			t.Logf("%.40q: %g", s.Prompt, d)
		}
	}
}

// TestShorterPromptIsFilledUp checks that both conditionings are of one length, the
// shorter with the empty prompt's chunks at its end, whatever they are for.
func TestShorterPromptIsFilledUp(t *testing.T) {
	m := testlib.Model(t)
	s := m.Settings()
	s.Syntax = prompt.A1111
	s.Prompt, s.Negative = "a cat", "a BREAK b BREAK c"
	both := embeddings(t, m, s, 0)
	s.Negative = ""
	short := embeddings(t, m, s, 0)
	empty := short[1]
	if want := slices.Concat(short[0], empty, empty); !slices.Equal(both[0], want) {
		t.Error("the prompt is not filled up with the empty prompt")
	}
	if len(both[1]) != len(both[0]) {
		t.Errorf("the negative prompt has %d values, the prompt %d", len(both[1]), len(both[0]))
	}
	s.Prompt = "a BREAK b"
	if got := embeddings(t, m, s, 0)[1]; !slices.Equal(got, slices.Concat(empty, empty)) {
		t.Error("the negative prompt is not filled up")
	}
}

func TestPromptFollowsItsSchedule(t *testing.T) {
	m := testlib.Model(t)
	s := m.Settings()
	s.Sampler, s.Steps = "heun", 4 // calls 0 1, 2 3, 4 5, 6
	s.Prompt, s.Syntax = "a [cat:dog:.5]", prompt.A1111
	literal := func(text string) []float32 {
		l := s
		l.Prompt = text
		return embeddings(t, m, l, 0)[0]
	}
	cat, dog := literal("a cat"), literal("a dog")
	if slices.Equal(cat, dog) {
		t.Fatal("a cat is a dog")
	}
	for k := range 7 {
		want := cat
		if k >= 4 {
			want = dog
		}
		if !slices.Equal(embeddings(t, m, s, k)[0], want) {
			t.Errorf("call %d does not have the prompt of its step", k)
		}
	}
	s.Syntax = ""
	if slices.Equal(embeddings(t, m, s, 0)[0], cat) {
		t.Error("the plain syntax reads brackets")
	}
}

// TestScheduleCosts edits what a schedule says later, which costs nothing now.
func TestScheduleCosts(t *testing.T) {
	m := testlib.Model(t)
	s := m.Settings()
	s.Steps, s.Prompt, s.Syntax = 4, "a [cat:dog:3]", prompt.A1111
	at := runToEnd(t, m, s)[1]
	for text, want := range map[string]int{
		"a [cat:fox:3]": 0, "a [cat:dog:2]": 0, "a cat": 0, "a [cat:dog:1]": 1, "a dog": 1, "a [owl:dog:3]": 1,
	} {
		to := s
		to.Prompt = text
		if got := m.Cost(at, to); got.Now != want || got.ToEnd != 2 {
			t.Errorf("%q is said to cost %+v, want %d now and 2 to the end", text, got, want)
		}
		edited, err := m.Edit(context.Background(), at, to)
		if err != nil {
			t.Fatal(err)
		}
		if calls := edited.Timing.Calls; calls != want {
			t.Errorf("%q costs %d calls, want %d", text, calls, want)
		}
	}
}

func TestBlend(t *testing.T) {
	m := testlib.Model(t)
	s := m.Settings()
	s.Prompt, s.Negative = "a cat", "a car"
	a := embeddings(t, m, s, 0)
	s.Prompt = "a dog"
	b := embeddings(t, m, s, 0)
	s.Prompt, s.Blend, s.BlendWeight = "a cat", "a dog", 0.25
	got := embeddings(t, m, s, 0)
	want := make([]float32, len(a[0]))
	for i := range want {
		want[i] = 0.75*a[0][i] + 0.25*b[0][i]
	}
	if d := distance(got[0], want); d > 1e-6 {
		t.Errorf("a quarter of the way differs by up to %g", d)
	}
	if !slices.Equal(got[1], a[1]) {
		t.Error("the negative prompt is blended")
	}
	if s.BlendWeight = 1; !slices.Equal(embeddings(t, m, s, 0)[0], b[0]) {
		t.Error("weight 1 is not the other prompt alone")
	}
	s.Syntax, s.BlendWeight, s.Blend = prompt.A1111, 0.5, "a (dog:1.5) BREAK b"
	if n := len(embeddings(t, m, s, 0)[0]); n != 2*len(want) {
		t.Errorf("a blend with two chunks has %d values, want %d", n, 2*len(want))
	}
}

func TestWordingThatDoesNotFit(t *testing.T) {
	var works toy.Toy
	m := works.Model()
	tests := map[string]struct {
		change func(*pipeline.Settings)
		want   string
	}{
		"syntax":       {func(s *pipeline.Settings) { s.Syntax = "comfy" }, `prompt syntax "comfy" is unknown, want plain or a1111`},
		"AND":          {func(s *pipeline.Settings) { s.Syntax, s.Negative = prompt.A1111, "a AND b" }, "has AND"},
		"weight":       {func(s *pipeline.Settings) { s.Syntax, s.Blend = prompt.A1111, "(a:1..2)" }, `weight "1..2"`},
		"blend weight": {func(s *pipeline.Settings) { s.BlendWeight = 1.5 }, "blend weight is 1.5, want 0"},
		"blend":        {func(s *pipeline.Settings) { s.Blend = strings.Repeat("a", pipeline.MaxPrompt+1) }, "a prompt has 1048577 bytes"},
		"no tokens":    {func(s *pipeline.Settings) { s.Syntax = prompt.A1111 }, "text encoder takes no tokens"},
	}
	for name, tt := range tests {
		s := toySettings(m)
		tt.change(&s)
		_, err := m.Begin(context.Background(), s)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line with %q", name, err, tt.want)
		}
	}
	s := toySettings(m)
	s.Prompt = "a AND b (c:1..2)"
	if err := m.Check(s); err != nil {
		t.Errorf("the plain syntax refuses a prompt: %v", err)
	}
}

// TestTokens checks the view of a prompt, in both syntaxes.
func TestTokens(t *testing.T) {
	m := testlib.Model(t)
	long := strings.Repeat("cat ", 30)
	tests := map[string]struct {
		text   string
		syntax prompt.Syntax
		count  string
		cut    int
		want   string // the first tokens, with their weights
	}{
		"plain":        {"a Red apple", "", "3 of 22", 0, "a*1 Red*1 apple*1"},
		"plain, long":  {long, prompt.Plain, "30 of 22", 8, "cat*1 cat*1"},
		"weights":      {"a (red:1.5) apple", prompt.A1111, "3 of 22", 0, "a*1 red*1.5 apple*1"},
		"chunks":       {long, prompt.A1111, "30 of 44", 0, "cat*1 cat*1"},
		"break":        {"cat BREAK dog", prompt.A1111, "23 of 44", 0, "cat*1 dog*1"},
		"schedule":     {"[cat:dog:3]", prompt.A1111, "1 of 22", 0, "cat*1"},
		"nothing":      {"", prompt.A1111, "0 of 22", 0, ""},
		"nothing, too": {"", prompt.Plain, "0 of 22", 0, ""},
	}
	for name, tt := range tests {
		v, err := m.Tokens(tt.text, tt.syntax)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		cut := 0
		for i, token := range v.Tokens {
			got = append(got, fmt.Sprintf("%s*%g", token.Text, token.Weight))
			if token.Cut {
				cut++
			}
			if token.Cut != (tt.cut > 0 && i >= v.Room) || tt.syntax == prompt.A1111 && name != "break" && token.Chunk != i/v.Room {
				t.Errorf("%s: token %d is %+v", name, i, token)
			}
		}
		if all := strings.Join(got, " "); v.String() != tt.count || cut != tt.cut || !strings.HasPrefix(all, tt.want) {
			t.Errorf("%s: %q, %s, %d cut; want %q, %s, %d", name, all, v, cut, tt.want, tt.count, tt.cut)
		}
	}
	if v, err := m.TokensAt("[cat:dog:3]", prompt.A1111, 4, 10); err != nil || v.Tokens[0].Text != "dog" {
		t.Errorf("at step 4: %+v, %v", v, err)
	}
	if _, err := m.Tokens("a AND b", prompt.A1111); err == nil {
		t.Error("AND has tokens")
	}
}
