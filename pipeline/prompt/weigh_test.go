package prompt

import (
	"slices"
	"strings"
	"testing"

	"ldx/pipeline/clip"
)

// TestWeights holds Weigh against the table in webui's source, to the last bit of a
// weight, and against the package's rules.
func TestWeights(t *testing.T) {
	rest := Piece{Break: true}
	tests := map[string][]Piece{
		// webui's table
		"normal text":           {{Text: "normal text", Weight: 1}},
		"an (important) word":   {{Text: "an ", Weight: 1}, {Text: "important", Weight: 1.1}, {Text: " word", Weight: 1}},
		"(unbalanced":           {{Text: "unbalanced", Weight: 1.1}},
		`\(literal\]`:           {{Text: "(literal]", Weight: 1}},
		"(unnecessary)(parens)": {{Text: "unnecessaryparens", Weight: 1.1}},
		"a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).": {
			{Text: "a ", Weight: 1}, {Text: "house", Weight: 1.5730000000000004}, {Text: " ", Weight: 1.1},
			{Text: "on", Weight: 1}, {Text: " a ", Weight: 1.1}, {Text: "hill", Weight: 0.55},
			{Text: ", sun, ", Weight: 1.1}, {Text: "sky", Weight: 1.4641000000000006}, {Text: ".", Weight: 1.1},
		},
		// the rules
		"":                {},
		"[less]":          {{Text: "less", Weight: 0.9090909090909091}},
		"(a: +2 )":        {{Text: "a", Weight: 2}},
		"(a:-1)":          {{Text: "a", Weight: -1}},
		"(a:b)":           {{Text: "a:b", Weight: 1.1}},
		"a:1.2)":          {{Text: "a:1.2)", Weight: 1}},
		"a)]":             {{Text: "a)]", Weight: 1}},
		`a\b \\ \`:        {{Text: `ab \ `, Weight: 1}},
		"a BREAK b":       {{Text: "a", Weight: 1}, rest, {Text: "b", Weight: 1}},
		"(a\nBREAK\t b)c": {{Text: "a", Weight: 1.1}, rest, {Text: "b", Weight: 1.1}, {Text: "c", Weight: 1}},
		"BREAKBREAK":      {{Text: "BREAKBREAK", Weight: 1}},
		"BREAK BREAK":     {rest, rest},
		"xBREAK":          {{Text: "xBREAK", Weight: 1}},
	}
	for text, want := range tests {
		if got := Weigh(text); !slices.Equal(got, want) {
			t.Errorf("%q: %+v\nwant %+v", text, got, want)
		}
	}
}

// letters is a tokenizer with a token a word, and one for a comma.
type letters int

func (l letters) MaxLength() int { return int(l) }

func (l letters) Encode(text string) (e clip.Encoding) {
	at := 0
	for word := range strings.FieldsSeq(text) {
		at += strings.Index(text[at:], word)
		spelling := word + "</w>"
		e.Tokens = append(e.Tokens, clip.Token{ID: int32(word[0]), Text: spelling, Start: at, End: at + len(word)})
		at += len(word)
	}
	return e
}

// TestChunks checks where chunks end: when full, at the last comma of a full one if it
// is near, and at a break.
func TestChunks(t *testing.T) {
	words := func(n int) string { return strings.Repeat("w ", n) }
	tests := map[string]struct {
		text string
		want []int // tokens of each
	}{
		"nothing":                    {"", []int{0}},
		"one":                        {"w", []int{1}},
		"full":                       {words(75), []int{75}},
		"one too many":               {words(76), []int{75, 1}},
		"comma at 60 of 80":          {words(60) + ", " + words(19), []int{61, 19}},
		"comma 20 tokens back":       {words(55) + ", " + words(20), []int{56, 20}},
		"comma 21 tokens back":       {words(54) + ", " + words(21), []int{75, 1}},
		"comma in a chunk just full": {words(60) + ", " + words(14), []int{75}},
		"comma without room":         {words(75) + ", " + words(3), []int{75, 4}},
		"comma at the very end":      {words(74) + ", " + words(3), []int{75, 3}},
		"moved words fill the next":  {words(60) + ", " + words(14+62), []int{61, 75, 1}},
		"comma of the chunk before":  {words(10) + ", " + words(64+75+5), []int{75, 75, 5}},
		"break":                      {"w BREAK w w", []int{1, 2}},
		"break at the end":           {"w BREAK", []int{1}},
		"break first":                {"BREAK w", []int{0, 1}},
		"break at a full chunk":      {words(75) + "BREAK w", []int{75, 1}},
		"brackets do not split":      {"(" + words(40) + "), " + words(40), []int{75, 6}},
	}
	for name, tt := range tests {
		var got []int
		for _, c := range Split(letters(77), tt.text) {
			got = append(got, len(c))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: chunks of %v tokens, want %v", name, got, tt.want)
		}
	}
}

func TestTokensKnowTheirSourceAndWeight(t *testing.T) {
	chunks := Split(letters(77), `a (red fox:1.5), \(here\) BREAK [far]`)
	var got []string
	for _, c := range chunks {
		for _, token := range c {
			got = append(got, token.Source)
		}
	}
	if want := []string{"a", "red", "fox", ",", "(here)", "far"}; !slices.Equal(got, want) {
		t.Errorf("sources are %q, want %q", got, want)
	}
	if w := chunks[0][2].Weight; w != 1.5 {
		t.Errorf("fox has weight %g, want 1.5", w)
	}
	if w := chunks[1][0].Weight; w != squareWeight {
		t.Errorf("far has weight %g, want %g", w, squareWeight)
	}
}
