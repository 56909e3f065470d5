package clip

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOpenNamesTheFileAndWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string // over a good folder; "-" removes a file
		want  []string
	}{
		{"no vocabulary", map[string]string{vocabFile: "-"}, []string{"dir/vocab.json", "merges.txt"}},
		{"no merges", map[string]string{mergesFile: "-"}, []string{"dir/merges.txt", "does not exist"}},
		{"vocabulary is no JSON", map[string]string{vocabFile: "{"}, []string{"dir/vocab.json", "object of token to ID"}},
		{"vocabulary is a list", map[string]string{vocabFile: "[]"}, []string{"dir/vocab.json", "object of token to ID"}},
		{"vocabulary is null", map[string]string{vocabFile: "null"}, []string{"dir/vocab.json", "no tokens"}},
		{"fractional ID", map[string]string{vocabFile: `{"a":1.5}`}, []string{"dir/vocab.json", "1.5"}},
		{"negative ID", map[string]string{vocabFile: `{"a":-1}`}, []string{"dir/vocab.json", `"a"`, "-1"}},
		{"immense ID", map[string]string{vocabFile: `{"a":2000000000}`}, []string{"dir/vocab.json", "2000000000"}},
		{"shared ID", map[string]string{vocabFile: `{"a":1,"b":1}`}, []string{"dir/vocab.json", `"a" and "b"`}},
		{"vocabulary without bytes", map[string]string{
			vocabFile: `{"a":0,"c":1,"<|endoftext|>":2,"<|startoftext|>":3}`, mergesFile: "", configFile: `{"unk_token":"<unk>"}`,
		}, []string{"dir/vocab.json", "unk_token", "<unk>", "every byte"}},
		{"merge of one", map[string]string{mergesFile: "#version: 0.2\nc a\ncat\n"}, []string{"dir/merges.txt", "line 3", `"cat"`, "two tokens"}},
		{"merge of three", map[string]string{mergesFile: "c a t"}, []string{"dir/merges.txt", "line 1", `"c a t"`}},
		{"merge of an unknown token", map[string]string{mergesFile: "c\nzz a"}, []string{"dir/merges.txt", "line 1"}},
		{"merge to an unknown token", map[string]string{mergesFile: "c b"}, []string{"dir/merges.txt", `"cb"`, "not in the vocabulary"}},
		{"settings are no object", map[string]string{configFile: "[1]"}, []string{"dir/tokenizer_config.json", "JSON object"}},
		{"settings are null", map[string]string{configFile: "null"}, []string{"dir/tokenizer_config.json", "null"}},
		{"length is a string", map[string]string{configFile: `{"model_max_length":"77"}`}, []string{"dir/tokenizer_config.json", "model_max_length"}},
		{"length too short", map[string]string{configFile: `{"model_max_length":1}`}, []string{"model_max_length", "at least 2"}},
		{"length is broken", map[string]string{configFile: `{"model_max_length":7.5}`}, []string{"model_max_length", "7.5"}},
		{"length of the special tokens map", map[string]string{specialMapFile: `{"model_max_length":-3}`}, []string{"dir/special_tokens_map.json", "-3"}},
		{"padding side", map[string]string{configFile: `{"padding_side":"top"}`}, []string{"padding_side", `"top"`, "left"}},
		{"truncation side", map[string]string{configFile: `{"truncation_side":1}`}, []string{"truncation_side"}},
		{"unknown marker", map[string]string{configFile: `{"eos_token":"</s>"}`}, []string{"dir/tokenizer_config.json", "eos_token", `"</s>"`, "vocab.json"}},
		{"unknown padding", map[string]string{specialMapFile: `{"pad_token":"[PAD]"}`}, []string{"dir/special_tokens_map.json", "pad_token", "[PAD]"}},
		{"marker is a number", map[string]string{specialMapFile: `{"bos_token":3}`}, []string{"dir/special_tokens_map.json", "bos_token", "3"}},
		{"marker without content", map[string]string{configFile: `{"bos_token":{"lstrip":true}}`}, []string{"bos_token", "content"}},
		{"extra tokens are a number", map[string]string{configFile: `{"extra_special_tokens":3}`}, []string{"extra_special_tokens", "list of tokens"}},
		{"split_special_tokens", map[string]string{configFile: `{"split_special_tokens":3}`}, []string{"split_special_tokens"}},
		{"added token ID", map[string]string{configFile: `{"added_tokens_decoder":{"x":{"content":"y"}}}`}, []string{"added_tokens_decoder", `"x"`, "token ID"}},
		{"added tokens are a list", map[string]string{addedTokensFile: `["a"]`}, []string{"dir/added_tokens.json", "token to ID"}},
		{"tokenizer.json is no JSON", map[string]string{tokenizerFile: "x"}, []string{"dir/tokenizer.json"}},
		{"tokenizer.json of another kind", map[string]string{tokenizerFile: `{"model":{"type":"Unigram","vocab":[]}}`}, []string{"dir/tokenizer.json", "Unigram", "BPE"}},
		{"tokenizer.json without vocabulary", map[string]string{tokenizerFile: `{"model":{}}`}, []string{"dir/tokenizer.json", "model.vocab"}},
		{"tokenizer.json with a bad ID", map[string]string{tokenizerFile: `{"model":{"vocab":{"a":"b"}}}`}, []string{"dir/tokenizer.json", "model.vocab"}},
		{"tokenizer.json with a merge of three", map[string]string{tokenizerFile: `{"model":{"vocab":{"a":1},"merges":[["a","b","c"]]}}`}, []string{"dir/tokenizer.json", "two tokens"}},
		{"tokenizer.json with a numeric merge", map[string]string{tokenizerFile: `{"model":{"vocab":{"a":1},"merges":[7]}}`}, []string{"dir/tokenizer.json", "7"}},
		{"tokenizer.json with an unknown merge", map[string]string{tokenizerFile: `{"model":{"vocab":{"a":1},"merges":["a b"]}}`}, []string{"dir/tokenizer.json", "model.merges[0]", `"b"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := tinyFiles(t)
			maps.Copy(files, test.files)
			maps.DeleteFunc(files, func(_, data string) bool { return data == "-" })
			_, err := Open(memory("dir", files), "dir")
			if err == nil {
				t.Fatal("opened")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not hold %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q has more than one line", err)
			}
		})
	}
}

func TestOpenWrapsTheCause(t *testing.T) {
	if _, err := Open(fstest.MapFS{}, "nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one that wraps fs.ErrNotExist", err)
	}
	unreadable := fstest.MapFS{"dir/vocab.json": {Mode: fs.ModeDir}}
	if _, err := Open(unreadable, "dir"); err == nil || !strings.Contains(err.Error(), "dir/vocab.json") {
		t.Errorf("error %v, want one that names dir/vocab.json", err)
	}
}

func TestBytesWithoutATokenAreUnknown(t *testing.T) {
	vocab := `{"a":0,"a</w>":1,"<|startoftext|>":2,"<|endoftext|>":3}`
	got := open(t, map[string]string{vocabFile: vocab, mergesFile: "\n"}).Encode("ab a")
	var ids []int32
	for _, token := range got.Tokens {
		ids = append(ids, token.ID)
	}
	if want := []int32{0, 3, 1}; !slices.Equal(ids, want) {
		t.Errorf("IDs %v, want %v", ids, want)
	}
}

func TestMergesMayHaveCarriageReturns(t *testing.T) {
	files := tinyFiles(t)
	files[mergesFile] = strings.ReplaceAll(files[mergesFile], "\n", "\r\n") + "\r\n"
	if got := open(t, files).Encode("cat").Tokens; len(got) != 1 || got[0].Text != "cat</w>" {
		t.Errorf("tokens %v, want cat</w>", got)
	}
}

func TestMergesOfLowestRankComeFirst(t *testing.T) {
	vocab := map[string]string{
		vocabFile: `{"a":0,"a</w>":1,"b":2,"b</w>":3,"ab":4,"ba":5,"aba":6,"bb</w>":7,"<|startoftext|>":8,"<|endoftext|>":9}`,
	}
	for _, test := range []struct {
		merges, text string
		want         []int32
	}{
		{"", "abab", []int32{0, 2, 0, 3}},
		{"a b\nb a", "abab", []int32{4, 0, 3}},
		{"b a\na b", "abab", []int32{0, 5, 3}},
		{"a b\nab a", "ababb", []int32{4, 4, 3}},
		{"b b</w>\na b\nab a", "abaabb", []int32{6, 0, 7}},
	} {
		vocab[mergesFile] = test.merges
		var got []int32
		for _, token := range open(t, vocab).Encode(test.text).Tokens {
			got = append(got, token.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("merges %q make %q %v, want %v", test.merges, test.text, got, test.want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	small := `{"a":0,"b</w>":1,"ab</w>":2,"!":3,"<|startoftext|>":4,"<|endoftext|>":5}`
	f.Add(small, "#version: 0.2\na b</w>\n", `{"model_max_length":77}`, `{"pad_token":"!"}`, `{"<x>":6}`)
	f.Add(small, "", `{"padding_side":"left"}`, `{"eos_token":{"content":"<|endoftext|>","normalized":true}}`, "")
	f.Add(`{"a":0}`, "a a", `{"added_tokens_decoder":{"0":{"content":"a"}}}`, "", "")
	f.Add(`{"a":0,"b":1}`, "a b\r\n", `{"extra_special_tokens":{"x":"y"},"bos_token":"a","eos_token":"b","pad_token":"a","unk_token":"b"}`, "null", "{}")
	f.Fuzz(func(t *testing.T, vocab, merges, config, special, added string) {
		files := map[string]string{
			vocabFile: vocab, mergesFile: merges, configFile: config, specialMapFile: special, addedTokensFile: added,
		}
		tokenizer, err := Open(memory("dir", files), "dir")
		if err != nil {
			if !strings.Contains(err.Error(), "dir/") {
				t.Fatalf("error %q names no file", err)
			}
			return
		}
		text := "a b ab <x>!\u0301\xff"
		got := tokenizer.Encode(text)
		if len(got.IDs) != tokenizer.MaxLength() {
			t.Fatalf("%d IDs, want %d", len(got.IDs), tokenizer.MaxLength())
		}
		checkPlaces(t, text, got)
	})
}

func FuzzTokenizerJSON(f *testing.F) {
	f.Add(`{"added_tokens":[{"id":0,"content":"a"}],"model":{"type":"BPE","vocab":{"a":0,"<|startoftext|>":1,"<|endoftext|>":2},"merges":["a a",["a","a"]]}}`)
	f.Add(`{"model":{"vocab":{"<|startoftext|>":1,"<|endoftext|>":2}}}`)
	f.Fuzz(func(t *testing.T, data string) {
		tokenizer, err := Open(memory("dir", map[string]string{tokenizerFile: data}), "dir")
		if err != nil {
			if !strings.Contains(err.Error(), "dir/") {
				t.Fatalf("error %q names no file", err)
			}
			return
		}
		text := "a <|endoftext|> \u0301\xff"
		checkPlaces(t, text, tokenizer.Encode(text))
	})
}
