package clip

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The files that say how to use a vocabulary. Each may be absent.
const (
	configFile      = "tokenizer_config.json"
	specialMapFile  = "special_tokens_map.json"
	addedTokensFile = "added_tokens.json"
)

// settings are the keys of tokenizer_config.json with, as a rule, those of
// special_tokens_map.json over them. A null counts as absent.
type settings struct {
	folder folder
	values map[string]json.RawMessage
	origin map[string]string // the file of a key that is not in tokenizer_config.json
}

// settings reads the files beside the vocabulary, and returns the added tokens
// that they list too; inTokenizer are those of tokenizer.json.
func (f folder) settings(inTokenizer []serialToken) (s settings, listed []serialToken, err error) {
	s = settings{folder: f, origin: map[string]string{}}
	if s.values, err = f.object(configFile); err != nil {
		return s, nil, err
	}
	if s.has("added_tokens_decoder") {
		listed, err = s.decoderTokens()
		return s, listed, err
	}
	special, err := f.object(specialMapFile)
	if err != nil {
		return s, nil, err
	}
	maps.Copy(s.values, special)
	for key := range special {
		s.origin[key] = specialMapFile
	}
	listed, err = s.addedTokens(inTokenizer)
	return s, listed, err
}

// object reads a JSON object from a file, an empty one where there is no file.
func (f folder) object(name string) (map[string]json.RawMessage, error) {
	object := map[string]json.RawMessage{}
	data, err := f.read(name)
	if err != nil || data == nil {
		return object, err
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, f.fault(name, "want a JSON object: %w", err)
	}
	if object == nil {
		return nil, f.fault(name, "null; want a JSON object")
	}
	maps.DeleteFunc(object, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	return object, nil
}

// addedTokens returns the added tokens of added_tokens.json and tokenizer.json
// by ID. Where both give an ID, that of tokenizer.json counts.
func (s settings) addedTokens(inTokenizer []serialToken) ([]serialToken, error) {
	data, err := s.folder.read(addedTokensFile)
	if err != nil {
		return nil, err
	}
	var ids map[string]int
	if data != nil {
		if err := json.Unmarshal(data, &ids); err != nil {
			return nil, s.folder.fault(addedTokensFile, "want an object of token to ID: %w", err)
		}
	}
	special, err := s.explicitlySpecial()
	if err != nil {
		return nil, err
	}
	byID := map[int]serialToken{}
	for _, content := range slices.Sorted(maps.Keys(ids)) {
		normalized := !contains(special, content)
		byID[ids[content]] = serialToken{Content: content, Normalized: &normalized}
	}
	for _, token := range inTokenizer {
		byID[token.ID] = token
	}
	return sortedByID(byID), nil
}

// explicitlySpecial returns the special tokens that the settings name, which
// are looked for as typed though added_tokens.json cannot say so.
func (s settings) explicitlySpecial() ([]serialToken, error) {
	var tokens []serialToken
	for _, standard := range standardTokens {
		var token serialToken
		if err := s.decode(standard.key, &token); err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	_, extra, err := s.specialTokens()
	return append(tokens, extra...), err
}

// specialTokens returns the special tokens of this one model: those that a key
// names and those in a list.
func (s settings) specialTokens() (named, extra []serialToken, err error) {
	list := "extra_special_tokens"
	if !s.has(list) {
		list = "additional_special_tokens" // its name before transformers 5
	}
	var tokens tokenList
	if err := s.decode(list, &tokens); err != nil {
		return nil, nil, err
	}
	for _, key := range s.keys() {
		if !strings.HasSuffix(key, "_token") || isStandard(key) || !s.isString(key) && s.file(key) == configFile {
			continue
		}
		var token serialToken
		if err := s.decode(key, &token); err != nil {
			return nil, nil, err
		}
		named = append(named, token)
	}
	if tokens.named {
		return append(named, tokens.tokens...), nil, nil
	}
	return named, tokens.tokens, nil
}

// decoderTokens returns the added tokens of added_tokens_decoder by ID.
func (s settings) decoderTokens() ([]serialToken, error) {
	const key = "added_tokens_decoder"
	var decoder map[string]serialToken
	if err := s.decode(key, &decoder); err != nil {
		return nil, err
	}
	byID := map[int]serialToken{}
	for text, token := range decoder {
		id, err := strconv.Atoi(text)
		if err != nil {
			return nil, s.fault(key, "%q; want a token ID", text)
		}
		byID[id] = token
	}
	return sortedByID(byID), nil
}

func sortedByID(byID map[int]serialToken) []serialToken {
	var tokens []serialToken
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		tokens = append(tokens, byID[id])
	}
	return tokens
}

// has reports whether key is set.
func (s settings) has(key string) bool { return s.values[key] != nil }

// isString reports whether key is set to a string.
func (s settings) isString(key string) bool {
	return s.has(key) && s.values[key][0] == '"'
}

// keys returns the keys that are set, in order.
func (s settings) keys() []string { return slices.Sorted(maps.Keys(s.values)) }

// decode reads key into value, and leaves that alone where key is not set.
func (s settings) decode(key string, value any) error {
	if !s.has(key) {
		return nil
	}
	if err := json.Unmarshal(s.values[key], value); err != nil {
		return s.fault(key, "%w", err)
	}
	return nil
}

// file returns the file that key stands in or belongs in.
func (s settings) file(key string) string { return cmp.Or(s.origin[key], configFile) }

// fault returns an error about the value of key.
func (s settings) fault(key, format string, args ...any) error {
	return s.folder.fault(s.file(key), "%s: %w", key, fmt.Errorf(format, args...))
}
