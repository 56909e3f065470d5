package clip

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestEncodeMatchesTransformers(t *testing.T) {
	var fix struct{ Folders []testFolder }
	fixture(t, "prompts.json.gz", &fix)
	clip := clipFiles(t)
	for _, folder := range fix.Folders {
		t.Run(folder.Name, func(t *testing.T) {
			t.Parallel()
			files := []map[string]string{folder.Files}
			if folder.CLIP {
				files = []map[string]string{clip, folder.Files}
			}
			tokenizer := open(t, files...)
			if len(folder.Prompts) < 200 {
				t.Fatalf("%d prompts in the fixture, want at least 200", len(folder.Prompts))
			}
			for _, p := range folder.Prompts {
				compare(t, tokenizer, p)
			}
		})
	}
}

// compare checks the encoding of one prompt.
func compare(t *testing.T, tokenizer *Tokenizer, want prompt) {
	t.Helper()
	got := tokenizer.Encode(want.Text)
	name := abbreviate(want.Text)
	ids := make([]int32, len(got.Tokens))
	for i, token := range got.Tokens {
		ids[i] = token.ID
	}
	if !slices.Equal(ids, want.IDs) {
		t.Errorf("%+q: tokens %v, want %v", name, shorten(ids), shorten(want.IDs))
		return
	}
	if !slices.Equal(got.IDs, want.Framed) {
		t.Errorf("%+q: IDs %v, want %v", name, got.IDs, want.Framed)
	}
	if truncated := max(0, len(want.IDs)-(len(want.Framed)-2)); got.Truncated != truncated {
		t.Errorf("%+q: %d truncated, want %d", name, got.Truncated, truncated)
	}
	// transformers gives a composed character the place of its first part alone
	// and an added token the spaces around it too; otherwise places are equal.
	exact := norm.NFC.IsNormalString(want.Text)
	for i, token := range got.Tokens {
		start, end := want.Offsets[2*i], want.Offsets[2*i+1]
		if exact && strings.TrimSpace(want.Text[start:end]) != want.Text[token.Start:token.End] ||
			!exact && (token.Start > start || token.End < end) {
			t.Errorf("%+q: token %d at %d to %d, want %d to %d", name, i, token.Start, token.End, start, end)
			return
		}
	}
}

func abbreviate(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

func shorten(ids []int32) []int32 { return ids[:min(len(ids), 40)] }

func TestEmbeddedModelsTokenizerOpens(t *testing.T) {
	tokenizer, err := Open(os.DirFS("../../assets/model"), "tokenizer")
	if err != nil {
		t.Fatal(err)
	}
	got := tokenizer.Encode("a red circle")
	if len(got.IDs) != tokenizer.MaxLength() || len(got.Tokens) < 3 || got.Truncated != 0 {
		t.Errorf("got %+v, want %d IDs and a token for each of three words", got, tokenizer.MaxLength())
	}
}

func TestTokensNameTheirText(t *testing.T) {
	text := "A  CAT\u200d, e\u0301te\u0301 <|endoftext|>"
	var got []string
	for _, token := range open(t, clipFiles(t)).Encode(text).Tokens {
		got = append(got, token.Text+"="+text[token.Start:token.End])
	}
	want := []string{
		"a</w>=A", "cat</w>=CAT", "âĢį=\u200d", ",</w>=,",
		"Ã©=e\u0301", "tÃ©</w>=te\u0301", "<|endoftext|>=<|endoftext|>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+q\nwant %+q", got, want)
	}
}

func TestInvalidUTF8ReadsAsReplacementCharacters(t *testing.T) {
	tokenizer := open(t, clipFiles(t))
	for _, text := range []string{
		"\xff", "a\xc3", "\xe7\x8c cat", "\xed\xa0\x80", "\xf5\x80\x80\x80", "e\xcc\x81\xcc", "\xe2<|endoftext|>\x80", "\xc0\xaf",
	} {
		got, want := tokenizer.Encode(text), tokenizer.Encode(string([]rune(text)))
		if !slices.Equal(got.IDs, want.IDs) {
			t.Errorf("%q: IDs %v, want %v", text, got.IDs, want.IDs)
		}
		checkPlaces(t, text, got)
	}
}

// checkPlaces checks that tokens lie inside text and in order.
func checkPlaces(t *testing.T, text string, got Encoding) {
	t.Helper()
	var last Token
	for i, token := range got.Tokens {
		if token.Start < last.Start || token.End < last.End || token.Start >= token.End || token.End > len(text) {
			t.Fatalf("%+q: token %d at %d to %d after one at %d to %d, in %d bytes",
				abbreviate(text), i, token.Start, token.End, last.Start, last.End, len(text))
		}
		last = token
	}
}

func TestTokenizerServesSeveralGoroutines(t *testing.T) {
	tokenizer := open(t, clipFiles(t))
	text := strings.Repeat("a photo of a cat, e\u0301 <|endoftext|> ", 20)
	want := tokenizer.Encode(text)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if got := tokenizer.Encode(text); !slices.Equal(got.Tokens, want.Tokens) {
					t.Error("a concurrent encoding differs")
				}
			}
		})
	}
	group.Wait()
}

func FuzzEncode(f *testing.F) {
	for _, text := range []string{
		"", "a photo of a cat", "<|endoftext|>", "<|ENDOFTEXT|>!", "e\u0301\u0323", "\xff\xfe", "İΣß", "👨‍👩‍👧‍👦", "don't",
		"x" + strings.Repeat("\u0301\u0316", 20), "\u1100\u1161\u11a8",
	} {
		f.Add(text)
	}
	tokenizer := open(f, clipFiles(f))
	f.Fuzz(func(t *testing.T, text string) {
		got := tokenizer.Encode(text)
		if len(got.IDs) != tokenizer.MaxLength() {
			t.Fatalf("%d IDs, want %d", len(got.IDs), tokenizer.MaxLength())
		}
		if fit := len(got.Tokens) - got.Truncated; got.Truncated < 0 || fit > tokenizer.MaxLength()-2 {
			t.Fatalf("%d of %d tokens truncated", got.Truncated, len(got.Tokens))
		}
		for i, token := range got.Tokens[:len(got.Tokens)-got.Truncated] {
			if got.IDs[1+i] != token.ID {
				t.Fatalf("ID %d is %d, want %d, that of token %d", 1+i, got.IDs[1+i], token.ID, i)
			}
		}
		checkPlaces(t, text, got)
		if again := tokenizer.Encode(string([]rune(text))); !slices.Equal(again.IDs, got.IDs) {
			t.Fatalf("IDs %v, but %v with U+FFFD for invalid bytes", got.IDs, again.IDs)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tokenizer := open(b, clipFiles(b))
	for _, bench := range []struct{ name, text string }{
		{"prompt", "portrait of a woman in a red coat, oil on canvas, dramatic lighting, highly detailed, 8k, artstation"},
		{"accents", "un café à l'été, naïve peinture d'une forêt e\u0301te\u0301"},
		{"word1000", strings.Repeat("a", 1000)},
		{"word10000", strings.Repeat("a", 10000)},
		{"letters10000", strings.Repeat("qwertyuiopasdfghjklzxcvbnmthe", 345)},
		{"marks10000", "a" + strings.Repeat("\u0301\u0316", 5000)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tokenizer.Encode(bench.text)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	fsys := memory("tokenizer", clipFiles(b))
	for b.Loop() {
		if _, err := Open(fsys, "tokenizer"); err != nil {
			b.Fatal(err)
		}
	}
}
