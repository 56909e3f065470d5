package clip

import (
	"encoding/json"
	"fmt"
	"strings"
)

// fromTokenizerJSON reads the vocabulary, merges and added tokens of a
// tokenizer.json. Its other stages are CLIP's whatever it says.
func (f folder) fromTokenizerJSON(data []byte) (*vocabulary, []serialToken, error) {
	var file struct {
		AddedTokens []serialToken `json:"added_tokens"`
		Model       struct {
			Type   string          `json:"type"`
			Vocab  json.RawMessage `json:"vocab"`
			Merges []mergePair     `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, nil, f.fault(tokenizerFile, "%w", err)
	}
	if file.Model.Type != "" && file.Model.Type != "BPE" {
		return nil, nil, f.fault(tokenizerFile, "model.type is %q; want BPE", file.Model.Type)
	}
	if file.Model.Vocab == nil {
		return nil, nil, f.fault(tokenizerFile, "no model.vocab; want an object of token to ID")
	}
	vocab, err := parseVocab(file.Model.Vocab)
	if err != nil {
		return nil, nil, f.fault(tokenizerFile, "model.vocab: %w", err)
	}
	vocab.file = tokenizerFile
	for i, pair := range file.Model.Merges {
		if err := vocab.addMerge(string(pair), i); err != nil {
			return nil, nil, f.fault(tokenizerFile, "model.merges[%d]: %w", i, err)
		}
	}
	return vocab, file.AddedTokens, nil
}

// A mergePair is a merge as tokenizer.json writes it, "a b" or ["a", "b"], in
// the former spelling.
type mergePair string

// UnmarshalJSON reads either spelling.
func (m *mergePair) UnmarshalJSON(data []byte) error {
	var line string
	if json.Unmarshal(data, &line) == nil {
		*m = mergePair(line)
		return nil
	}
	var pair []string
	if err := json.Unmarshal(data, &pair); err != nil {
		return fmt.Errorf("merge %s: %w", data, err)
	}
	if len(pair) != 2 {
		return fmt.Errorf("merge %s; want two tokens", data)
	}
	*m = mergePair(strings.Join(pair, " "))
	return nil
}
