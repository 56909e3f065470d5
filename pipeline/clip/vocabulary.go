package clip

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// The files of a tokenizer folder.
const (
	vocabFile     = "vocab.json"
	mergesFile    = "merges.txt"
	tokenizerFile = "tokenizer.json"
)

// A folder is the directory that holds a tokenizer.
type folder struct {
	fsys fs.FS
	dir  string
}

// path returns where the file called name lies.
func (f folder) path(name string) string { return path.Join(f.dir, name) }

// fault returns an error about the file called name.
func (f folder) fault(name, format string, args ...any) error {
	return fmt.Errorf("%s: %w", f.path(name), fmt.Errorf(format, args...))
}

// read returns the contents of a file, nil if there is none.
func (f folder) read(name string) ([]byte, error) {
	data, err := fs.ReadFile(f.fsys, f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	return data, nil
}

// A vocabulary is the tokens of a text encoder and how they merge.
type vocabulary struct {
	file     string // where the tokens come from
	ids      map[string]int32
	spelling map[int32]string
	merges   map[uint64]merge
}

// vocabulary reads the vocabulary, and the added tokens that tokenizer.json
// lists if there is one.
func (f folder) vocabulary() (*vocabulary, []serialToken, error) {
	data, err := f.read(tokenizerFile)
	if err != nil {
		return nil, nil, err
	}
	if data != nil {
		return f.fromTokenizerJSON(data)
	}
	vocab, err := f.fromVocabJSON()
	return vocab, nil, err
}

// fromVocabJSON reads vocab.json and merges.txt.
func (f folder) fromVocabJSON() (*vocabulary, error) {
	data, err := f.read(vocabFile)
	if err != nil {
		return nil, err
	}
	merges, err := f.read(mergesFile)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, f.missing(vocabFile)
	}
	if merges == nil {
		return nil, f.missing(mergesFile)
	}
	vocab, err := parseVocab(data)
	if err != nil {
		return nil, f.fault(vocabFile, "%w", err)
	}
	vocab.file = vocabFile
	if err := vocab.parseMerges(string(merges)); err != nil {
		return nil, f.fault(mergesFile, "%w", err)
	}
	return vocab, nil
}

// missing returns the error for a folder without the file called name.
func (f folder) missing(name string) error {
	return f.fault(name, "%w; a CLIP tokenizer needs %s and %s, or %s",
		fs.ErrNotExist, vocabFile, mergesFile, tokenizerFile)
}

// maxID bounds token IDs, far above any embedding's size.
const maxID = 1 << 30

// parseVocab reads an object of spelling to ID.
func parseVocab(data []byte) (*vocabulary, error) {
	v := &vocabulary{merges: map[uint64]merge{}}
	if err := json.Unmarshal(data, &v.ids); err != nil {
		return nil, fmt.Errorf("want an object of token to ID: %w", err)
	}
	if len(v.ids) == 0 {
		return nil, errors.New("no tokens; want an object of token to ID")
	}
	v.spelling = make(map[int32]string, len(v.ids))
	for spelling, id := range v.ids {
		if id < 0 || id >= maxID {
			return nil, fmt.Errorf("token %q has ID %d; want 0 to %d", spelling, id, maxID-1)
		}
		if same, taken := v.spelling[id]; taken {
			return nil, fmt.Errorf("tokens %q and %q both have ID %d; want one ID each",
				min(same, spelling), max(same, spelling), id)
		}
		v.spelling[id] = spelling
	}
	return v, nil
}

// parseMerges reads merges.txt: a merge a line, most frequent first.
func (v *vocabulary) parseMerges(text string) error {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		if err := v.addMerge(line, number); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return nil
}

// addMerge adds the merge that line writes as two tokens. Where a pair occurs
// twice the later rank counts.
func (v *vocabulary) addMerge(line string, rank int) error {
	left, right, ok := strings.Cut(line, " ")
	if !ok || strings.Contains(right, " ") {
		return fmt.Errorf("merge %q; want two tokens with one space between", line)
	}
	var ids [3]int32
	for i, spelling := range [...]string{left, right, left + right} {
		if ids[i], ok = v.ids[spelling]; !ok {
			return fmt.Errorf("merge %q: %q is not in the vocabulary; want one of its entries", line, spelling)
		}
	}
	v.merges[pairKey(ids[0], ids[1])] = merge{rank: uint32(rank), id: ids[2]}
	return nil
}

// add gives each of tokens that is not an entry yet the first free ID behind
// the vocabulary.
func (v *vocabulary) add(tokens []addedToken) error {
	size := int32(len(v.ids))
	next := size
	for _, token := range tokens {
		id, ok := v.ids[token.content]
		switch {
		case ok && id >= size:
			next = max(next, id+1)
		case !ok:
			if other, taken := v.spelling[next]; taken {
				return fmt.Errorf("added token %q gets ID %d, which is that of %q; want IDs without gaps", token.content, next, other)
			}
			v.ids[token.content], v.spelling[next] = next, token.content
			next++
		}
	}
	return nil
}
