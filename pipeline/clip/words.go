package clip

import (
	"iter"
	"unicode"
)

// markers are the spellings that CLIP's pattern keeps from joining what stands
// beside them. The byte-level stage then cuts each in three, so that a marker
// that is not itself an added token ends up as these parts.
var markers = [...][3]string{
	{"<|", "startoftext", "|>"},
	{"<|", "endoftext", "|>"},
}

// contractions are the English endings that are words of their own.
var contractions = [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

// words yields the words of normalised text: markers' parts, contractions, runs
// of letters, single numerals, and runs of anything else but whitespace.
func words(text []char) iter.Seq[[]char] {
	return func(yield func([]char) bool) {
		for len(text) > 0 {
			if kindOf(text[0].r) == space {
				text = text[1:]
				continue
			}
			for _, n := range leading(text) {
				if n > 0 && !yield(text[:n]) {
					return
				}
				text = text[n:]
			}
		}
	}
}

// leading returns the lengths of the words that text, which must not start with
// whitespace, starts with: three at a marker, else one.
func leading(text []char) (lengths [3]int) {
	for _, marker := range markers {
		if hasPrefix(text, marker[0]+marker[1]+marker[2]) {
			return [3]int{len(marker[0]), len(marker[1]), len(marker[2])}
		}
	}
	for _, ending := range contractions {
		if hasPrefix(text, ending) {
			return [3]int{len(ending)}
		}
	}
	kind, n := kindOf(text[0].r), 1
	for kind != numeral && n < len(text) && kindOf(text[n].r) == kind {
		n++
	}
	return [3]int{n}
}

// hasPrefix reports whether text starts with prefix, which must be ASCII.
func hasPrefix(text []char, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if text[i].r != rune(prefix[i]) {
			return false
		}
	}
	return true
}

// A kind is a class of characters that CLIP's pattern tells apart.
type kind uint8

const (
	other kind = iota
	letter
	numeral
	space
)

// kindOf returns the kind of r.
func kindOf(r rune) kind {
	switch {
	case 'a' <= r && r <= 'z':
		return letter
	case unicode.IsSpace(r):
		return space
	case unicode.IsLetter(r) || unicode.Is(newLetters, r):
		return letter
	case unicode.IsNumber(r) || unicode.Is(newNumerals, r):
		return numeral
	}
	return other
}
