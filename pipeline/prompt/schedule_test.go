package prompt

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestSchedules holds the parser against the table in webui's source (its doctests,
// at 10 steps) and against the rules that the package's documentation states.
func TestSchedules(t *testing.T) {
	turns := func(texts ...string) (spans []Span) {
		for step := 1; step <= 10; step++ {
			spans = append(spans, Span{step, texts[(step-1)%len(texts)]})
		}
		return spans
	}
	always := func(text string) []Span { return []Span{{10, text}} }
	tests := map[string][]Span{
		// webui's table
		"test":              always("test"),
		"a [b:3]":           {{3, "a "}, {10, "a b"}},
		"a [b: 3]":          {{3, "a "}, {10, "a b"}},
		"a [[[b]]:2]":       {{2, "a "}, {10, "a [[b]]"}},
		"[(a:2):3]":         {{3, ""}, {10, "(a:2)"}},
		"a [b : c : 1] d":   {{1, "a b  d"}, {10, "a  c  d"}},
		"a[b:[c:d:2]:1]e":   {{1, "abe"}, {2, "ace"}, {10, "ade"}},
		"a [unbalanced":     always("a [unbalanced"),
		"a [b:.5] c":        {{5, "a  c"}, {10, "a b c"}},
		"((a][:b:c [d:3]":   {{3, "((a][:b:c "}, {10, "((a][:b:c d"}},
		"[a|(b:1.1)]":       turns("a", "(b:1.1)"),
		"[fe|]male":         turns("female", "male"),
		"[fe|||]male":       {{1, "female"}, {4, "male"}, {5, "female"}, {8, "male"}, {9, "female"}, {10, "male"}},
		"a [{b|d{:.5] c":    always("a [{b|d{:.5] c"), // webui's table has what it does not do
		"[from:to:0.29] x":  {{2, "from x"}, {10, "to x"}},
		"[from:to:1.0]":     always("from"),
		"[from:to:1]":       {{1, "from"}, {10, "to"}},
		"[from:to:0]":       always("to"),
		"[from:to:-3]":      always("to"),
		"[from:to:99]":      always("from"),
		"[from:to:5e-1]":    always("to"), // no point: step 0
		"[from:to:1e999]":   always("from"),
		"[from::4]":         {{4, "from"}, {10, ""}},
		"[::4]":             always(""),
		"[:to:4]":           {{4, ""}, {10, "to"}},
		"[a:b:c:3]":         always("[a:b:c:3]"),
		"[a:b:later]":       always("[a:b:later]"),
		"[a:b:3 x]":         always("[a:b:3 x]"),
		"([a:b:3]:1.2)":     {{3, "(a:1.2)"}, {10, "(b:1.2)"}},
		"(a:[1.2:1.5:5])":   {{5, "(a:1.2)"}, {10, "(a:1.5)"}},
		"(a:b:c) [d:3]":     {{3, "(a:b:c) "}, {10, "(a:b:c) d"}},
		"[x (a:b:c):3]":     always("[x (a:b:c):3]"),
		"[a|b] | [c:3]":     always("[a|b] | [c:3]"),
		"[a|b:3]":           always("[a|b:3]"),
		`\[a:b:3\] [c:3]`:   {{3, `\[a:b:3\] `}, {10, `\[a:b:3\] c`}},
		`[c:3] \`:           always(`[c:3] \`),
		"[a|[b:c:6]]":       {{1, "a"}, {2, "b"}, {3, "a"}, {4, "b"}, {5, "a"}, {6, "b"}, {7, "a"}, {8, "c"}, {9, "a"}, {10, "c"}},
		"[[a|b|c]:]":        turns("[a:]", "[b:]", "[c:]"), // the outer one is text
		"{a|b}":             always("{a|b}"),
		"é [ü:ö:\u00a05\t]": {{5, "é ü"}, {10, "é ö"}},
	}
	for text, want := range tests {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := p.Spans(10); !slices.Equal(got, want) {
			t.Errorf("%q: %+v\nwant %+v", text, got, want)
		}
		if len(want) > 1 && !p.Varies() {
			t.Errorf("%q is said not to vary", text)
		}
	}
}

func TestRefused(t *testing.T) {
	tests := map[string]string{
		"a cat AND a dog":               "has AND",
		"AND":                           "has AND",
		"(a:1.2.3)":                     `weight "1.2.3"`,
		"(a:.)":                         `weight "."`,
		strings.Repeat("(", 600):        "more than 511 brackets",
		strings.Repeat("[", 600):        "more than 511 brackets",
		strings.Repeat("(]", 600):       "more than 511 brackets",
		strings.Repeat("([", 300) + "a": "more than 511 brackets",
		strings.Repeat("a ", 9) + ", b AND\nc :2": "has AND",
	}
	for text, want := range tests {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: error is %v, want one line with %q", text, err, want)
		}
	}
	for _, text := range []string{"BRAND", "and", "AND_", "ANDé", "2AND", strings.Repeat("()", 5000), strings.Repeat("[a:b:3]", 5000)} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// FuzzPrompt reads any text: what comes out is made of what went in, brackets that mean
// nothing stay, and weights are numbers.
func FuzzPrompt(f *testing.F) {
	for _, seed := range []string{
		"a [b:c:.5] (d:1.2) [e|f] \\(g\\) BREAK h", "[[a:1]:2", "[a|b", "(a:[b:3])", "a\\", "([:|)]", "(a:1.2.3)", "\xff[\xfe:3]",
	} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, step int) {
		const steps = 20
		p, err := Parse(text)
		if err != nil {
			return
		}
		step = 1 + int(uint(step)%steps)
		at := p.At(step, steps)
		if !subsequence(at, text) {
			t.Errorf("%q gives %q, which is not part of it", text, at)
		}
		if !p.Varies() && at != text {
			t.Errorf("%q does not vary, and gives %q", text, at)
		}
		var all int
		for _, piece := range Weigh(at) {
			if piece.Weight != piece.Weight || !piece.Break && piece.Text == "" {
				t.Errorf("%q has piece %+v", at, piece)
			}
			if utf8.ValidString(at) && !utf8.ValidString(piece.Text) {
				t.Errorf("%q is cut inside a character: %q", at, piece.Text)
			}
			all += len(piece.Text)
		}
		if all > len(at) {
			t.Errorf("%q has pieces of %d bytes", at, all)
		}
	})
}

// subsequence reports whether part is what is left of whole when bytes are taken out.
func subsequence(part, whole string) bool {
	for i := 0; i < len(whole) && part != ""; i++ {
		if part[0] == whole[i] {
			part = part[1:]
		}
	}
	return part == ""
}
