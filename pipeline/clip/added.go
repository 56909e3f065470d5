package clip

import (
	"slices"
	"unicode"
)

// An addedToken is a token that is found in the prompt before it is split into
// words.
type addedToken struct {
	content    string
	normalized bool // looked for in normalised text, and itself normalised
	singleWord bool // only where no word character stands beside it
	special    bool
}

// A pattern is an added token made ready for the search.
type pattern struct {
	runes      []rune
	id         int32
	singleWord bool
}

// A matcher finds added tokens: the leftmost, then the longest.
type matcher struct {
	byFirst map[rune][]pattern // longest first
}

// matchers returns the matcher for the prompt as typed and that for normalised
// text.
func matchers(tokens []addedToken, ids map[string]int32) (literal, folded matcher) {
	literal = matcher{map[rune][]pattern{}}
	folded = matcher{map[rune][]pattern{}}
	for _, token := range tokens {
		chars, target := decode(token.content), literal
		if token.normalized {
			chars, target = normalize(chars), folded
		}
		target.add(pattern{runesOf(chars), ids[token.content], token.singleWord})
	}
	return literal, folded
}

// add puts p behind the patterns that are as long as it.
func (m matcher) add(p pattern) {
	if len(p.runes) == 0 {
		return
	}
	same := slices.Concat(m.byFirst[p.runes[0]], []pattern{p})
	slices.SortStableFunc(same, func(a, b pattern) int {
		return len(string(b.runes)) - len(string(a.runes))
	})
	m.byFirst[p.runes[0]] = same
}

// split calls emit with the parts of text in order: an added token with its ID,
// other text with a negative one. No part is empty.
func (m matcher) split(text []char, emit func(part []char, id int32)) {
	rest := 0
	for i := 0; i < len(text); {
		p := m.match(text[i:])
		n := max(1, len(p.runes))
		if len(p.runes) == 0 || p.singleWord && !standsAlone(text, i, i+n) {
			i += n
			continue
		}
		if rest < i {
			emit(text[rest:i], -1)
		}
		emit(text[i:i+n], p.id)
		i += n
		rest = i
	}
	if rest < len(text) {
		emit(text[rest:], -1)
	}
}

// match returns the longest pattern that text starts with, or the empty one.
func (m matcher) match(text []char) pattern {
candidates:
	for _, p := range m.byFirst[text[0].r] {
		if len(p.runes) > len(text) {
			continue
		}
		for i, r := range p.runes {
			if text[i].r != r {
				continue candidates
			}
		}
		return p
	}
	return pattern{}
}

// standsAlone reports whether no word character touches text[from:to].
func standsAlone(text []char, from, to int) bool {
	return (from == 0 || !inWord(text[from-1].r)) && (to == len(text) || !inWord(text[to].r))
}

// inWord reports whether r is a word character in the sense of UTS #18.
func inWord(r rune) bool {
	return unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nd, unicode.Nl, unicode.Pc,
		unicode.Other_Alphabetic, unicode.Join_Control, newLetters)
}

// runesOf returns the characters of chars.
func runesOf(chars []char) []rune {
	runes := make([]rune, len(chars))
	for i, c := range chars {
		runes[i] = c.r
	}
	return runes
}
