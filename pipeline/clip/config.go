package clip

import "slices"

// defaultMaxLength is the context length of every CLIP that OpenAI published.
const defaultMaxLength = 77

// unlimited is a model_max_length that no text encoder has: transformers writes
// 1e30 where it knows of no limit.
const unlimited = 1 << 16

// A standardToken is a special token that transformers knows by name, with the
// spelling that CLIP gives it by default.
type standardToken struct{ key, spelling string }

var standardTokens = [...]standardToken{
	{"bos_token", "<|startoftext|>"},
	{"eos_token", "<|endoftext|>"},
	{"unk_token", "<|endoftext|>"},
	{"sep_token", ""},
	{"pad_token", "<|endoftext|>"},
	{"cls_token", ""},
	{"mask_token", ""},
}

// A config is what the files beside the vocabulary say.
type config struct {
	maxLength    int
	padLeft      bool
	truncateLeft bool
	named        map[string]string // content of the standard tokens by key
	added        []addedToken
}

// newConfig reads the settings; listed are the added tokens that a file lists.
func newConfig(s settings, listed []serialToken) (*config, error) {
	c := &config{named: map[string]string{}}
	var err error
	if c.maxLength, err = readMaxLength(s); err != nil {
		return nil, err
	}
	if c.padLeft, err = readSide(s, "padding_side"); err != nil {
		return nil, err
	}
	if c.truncateLeft, err = readSide(s, "truncation_side"); err != nil {
		return nil, err
	}
	return c, c.readTokens(s, listed)
}

// readMaxLength returns the length of an encoding.
func readMaxLength(s settings) (int, error) {
	length := float64(defaultMaxLength)
	key := "model_max_length"
	if !s.has(key) {
		key = "max_len" // its name in the first versions of transformers
	}
	if err := s.decode(key, &length); err != nil {
		return 0, err
	}
	if length > unlimited {
		return defaultMaxLength, nil
	}
	if length < 2 || length != float64(int(length)) {
		return 0, s.fault(key, "%v; want a whole number of at least 2, for the two markers", length)
	}
	return int(length), nil
}

// readSide reports whether the setting key is "left".
func readSide(s settings, key string) (bool, error) {
	side := "right"
	if err := s.decode(key, &side); err != nil {
		return false, err
	}
	if side != "left" && side != "right" {
		return false, s.fault(key, `%q; want "left" or "right"`, side)
	}
	return side == "left", nil
}

// readTokens sets c.named and c.added. Tokens that are listed go before those
// that are special by a key of their own; among the latter the last one counts.
func (c *config) readTokens(s settings, listed []serialToken) error {
	var special []serialToken
	for _, standard := range standardTokens {
		token := serialToken{Content: standard.spelling}
		if err := s.decode(standard.key, &token); err != nil {
			return err
		}
		special = append(special, token)
		c.named[standard.key] = token.Content
	}
	specific, extra, err := s.specialTokens()
	if err != nil {
		return err
	}
	special = append(special, specific...)
	for _, token := range listed {
		c.replace(token.added(contains(special, token.Content)))
	}
	for _, token := range slices.Concat(special, extra) {
		if !contains(listed, token.Content) {
			c.replace(token.added(true))
		}
	}
	var literally bool
	if err := s.decode("split_special_tokens", &literally); err != nil {
		return err
	}
	if literally {
		c.added = slices.DeleteFunc(c.added, func(t addedToken) bool { return t.special })
	}
	return nil
}

// replace adds token, in the place of one with the same content if there is one.
func (c *config) replace(token addedToken) {
	same := func(t addedToken) bool { return t.content == token.content }
	if i := slices.IndexFunc(c.added, same); i >= 0 {
		c.added[i] = token
	} else if token.content != "" {
		c.added = append(c.added, token)
	}
}

func isStandard(key string) bool {
	return slices.ContainsFunc(standardTokens[:], func(s standardToken) bool { return s.key == key })
}
