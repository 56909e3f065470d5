package clip

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A serialToken is an added token as the JSON files write it: its content, or
// an object with what is special about it. Absent flags are nil.
type serialToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	Normalized *bool  `json:"normalized"`
	Special    bool   `json:"special"`
}

// UnmarshalJSON reads either form.
func (t *serialToken) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &t.Content) == nil {
		return nil
	}
	type object serialToken // sheds this method
	if err := json.Unmarshal(data, (*object)(t)); err != nil {
		return fmt.Errorf("token %s: %w", data, err)
	}
	if t.Content == "" {
		return errors.New(`token without "content"; want a string or an object that has one`)
	}
	return nil
}

// added returns the added token that t stands for. A token that is special is
// looked for as typed unless it says otherwise.
func (t serialToken) added(special bool) addedToken {
	special = special || t.Special
	normalized := !special
	if t.Normalized != nil {
		normalized = *t.Normalized
	}
	return addedToken{content: t.Content, normalized: normalized, singleWord: t.SingleWord, special: special}
}

// A tokenList is a list of tokens, or an object of tokens by name.
type tokenList struct {
	tokens []serialToken
	named  bool
}

// UnmarshalJSON reads either form, the object in the order of its names.
func (l *tokenList) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &l.tokens) == nil {
		return nil
	}
	var byName map[string]serialToken
	if err := json.Unmarshal(data, &byName); err != nil {
		return fmt.Errorf("want a list of tokens: %w", err)
	}
	*l = tokenList{named: true}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		l.tokens = append(l.tokens, byName[name])
	}
	return nil
}

// contains reports whether one of tokens has that content.
func contains(tokens []serialToken, content string) bool {
	return slices.ContainsFunc(tokens, func(t serialToken) bool { return t.Content == content })
}
