package clip

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// A prompt is what transformers makes of a text.
type prompt struct {
	Text    string
	IDs     []int32
	Offsets []int   // start and end of each token in bytes
	Framed  []int32 // cut and padded
}

// A testFolder is a tokenizer folder with prompts.
type testFolder struct {
	Name    string
	CLIP    bool // Files lie over CLIP's own vocab.json and merges.txt
	Files   map[string]string
	Prompts []prompt
}

func unzip(tb testing.TB, name string) []byte {
	tb.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			tb.Error(err)
		}
	}()
	reader, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func fixture(tb testing.TB, name string, value any) {
	tb.Helper()
	if err := json.Unmarshal(unzip(tb, name), value); err != nil {
		tb.Fatal(err)
	}
}

// clipFiles returns CLIP's vocab.json and merges.txt, built from its merges as
// CLIP builds them.
func clipFiles(tb testing.TB) map[string]string {
	tb.Helper()
	merges := string(unzip(tb, "clip_merges.txt.gz"))
	vocab := map[string]int{}
	add := func(token string) { vocab[token] = len(vocab) }
	var printable, hidden []string
	for b, letter := range alphabet() {
		if letter == string(rune(b)) {
			printable = append(printable, letter)
		} else {
			hidden = append(hidden, letter)
		}
	}
	for _, suffix := range []string{"", endOfWord} {
		for _, letter := range append(printable, hidden...) {
			add(letter + suffix)
		}
	}
	for line := range strings.Lines(merges) {
		add(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), " ", ""))
	}
	add("<|startoftext|>")
	add("<|endoftext|>")
	data, err := json.Marshal(vocab)
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]string{vocabFile: string(data), mergesFile: "#version: 0.2\n" + merges}
}

// memory returns a file system that holds files in folder dir.
func memory(dir string, files ...map[string]string) fs.FS {
	all := fstest.MapFS{}
	for _, some := range files {
		for name, data := range maps.All(some) {
			all[dir+"/"+name] = &fstest.MapFile{Data: []byte(data)}
		}
	}
	return all
}

func open(tb testing.TB, files ...map[string]string) *Tokenizer {
	tb.Helper()
	t, err := Open(memory("tokenizer", files...), "tokenizer")
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// tinyFiles are a vocabulary of single bytes and two merges.
func tinyFiles(tb testing.TB) map[string]string {
	tb.Helper()
	vocab := map[string]int{}
	for _, letter := range alphabet() {
		vocab[letter] = len(vocab)
		vocab[letter+endOfWord] = len(vocab)
	}
	for _, token := range []string{"ca", "cat</w>", "<|startoftext|>", "<|endoftext|>"} {
		vocab[token] = len(vocab)
	}
	data, err := json.Marshal(vocab)
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]string{vocabFile: string(data), mergesFile: "#version: 0.2\nc a\nca t</w>\n"}
}
