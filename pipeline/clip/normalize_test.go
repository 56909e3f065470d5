package clip

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// unicodeFixture is what the tokenizers library makes of every code point.
type unicodeFixture struct {
	Kinds    [][3]any // first and last of a run, and its kind
	Changed  [][2]string
	Composed [][2]string
}

func normalized(text string) string { return string(runesOf(normalize(decode(text)))) }

func TestEveryCodePointHasItsKind(t *testing.T) {
	var fix unicodeFixture
	fixture(t, "unicode.json.gz", &fix)
	names := map[kind]string{other: "other", letter: "letter", numeral: "numeral", space: "space"}
	checked := 0
	for _, run := range fix.Kinds {
		for r := rune(run[0].(float64)); r <= rune(run[1].(float64)); r++ {
			checked++
			if got := names[kindOf(r)]; got != run[2] {
				t.Errorf("%U is %s, want %s", r, got, run[2])
			}
		}
	}
	if want := 0x110000 - 0x800; checked != want {
		t.Errorf("%d code points checked, want %d", checked, want)
	}
}

func TestEveryCodePointNormalizes(t *testing.T) {
	var fix unicodeFixture
	fixture(t, "unicode.json.gz", &fix)
	changed := map[string]string{}
	for _, pair := range fix.Changed {
		changed[pair[0]] = pair[1]
	}
	for r := rune(0); r < 0x110000; r++ {
		if 0xd800 <= r && r < 0xe000 {
			continue
		}
		want, ok := changed[string(r)]
		if !ok {
			want = string(r)
		}
		if got := normalized(string(r)); got != want {
			t.Errorf("%U becomes %+q, want %+q", r, got, want)
		}
	}
}

func TestSequencesCompose(t *testing.T) {
	var fix unicodeFixture
	fixture(t, "unicode.json.gz", &fix)
	if len(fix.Composed) < 4000 {
		t.Fatalf("%d sequences in the fixture, want at least 4000", len(fix.Composed))
	}
	for _, pair := range fix.Composed {
		if got := normalized(pair[0]); got != pair[1] {
			t.Errorf("%+q becomes %+q, want %+q", pair[0], got, pair[1])
		}
	}
}

func TestLongSequencesAreNotBroken(t *testing.T) {
	got := normalized("a" + strings.Repeat("\u0316", 40) + "\u0301")
	if want := "\u00e1" + strings.Repeat("\u0316", 40); got != want {
		t.Errorf("got %+q, want %+q", got, want)
	}
}

func FuzzCompositionIsNFC(f *testing.F) {
	for _, text := range []string{"e\u0301", "\u1100\u1161\u11a8", "a\u0323\u0302\u0307", "\u0958", "\u0344\u0301", "\u0b47\u0b3e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = string([]rune(text))
		runes := []rune(text)
		if slices.ContainsFunc(runes, inert) {
			t.Skip("holds characters that transformers does not compose")
		}
		whole := string(runesOf(compose(decode(text))))
		if longest(runes) < streamSafe && whole != norm.NFC.String(text) {
			t.Errorf("%+q becomes %+q, want %+q", text, whole, norm.NFC.String(text))
		}
		if n := len(runes); n > 0 && n <= streamSafe {
			if got := string(recompose(decompose(runes))); got != norm.NFC.String(text) {
				t.Errorf("%+q recomposes to %+q, want %+q", text, got, norm.NFC.String(text))
			}
		}
	})
}

// longest returns the length of the longest run that composition keeps whole.
func longest(runes []rune) (length int) {
	for chars := decode(string(runes)); len(chars) > 0; {
		n := sequence(chars)
		length = max(length, n)
		chars = chars[n:]
	}
	return length
}
