package clip

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalize returns chars in NFC, with each run of whitespace as one space, in
// lower case. The order matters: lower case is not composed again.
func normalize(chars []char) []char {
	composed := compose(chars)
	out := make([]char, 0, len(composed))
	inSpace := false
	for _, c := range composed {
		space := unicode.IsSpace(c.r)
		switch {
		case space && inSpace:
			out[len(out)-1].end = c.end
		case space:
			out = append(out, char{' ', c.start, c.end})
		case c.r == 'İ': // the one character whose lower case is two
			out = append(out, char{'i', c.start, c.end}, char{'\u0307', c.start, c.end})
		default:
			out = append(out, char{lower(c.r), c.start, c.end})
		}
		inSpace = space
	}
	return out
}

// firstComposing is the lowest character that NFC can change or reorder.
const firstComposing = '\u0300'

// compose returns chars in NFC. A character that NFC writes anew takes the
// bytes of the whole sequence it was computed from.
func compose(chars []char) []char {
	if !slices.ContainsFunc(chars, func(c char) bool { return c.r >= firstComposing }) {
		return chars
	}
	out := make([]char, 0, len(chars))
	for len(chars) > 0 {
		n := sequence(chars)
		out = appendComposed(out, chars[:n])
		chars = chars[n:]
	}
	return out
}

// sequence returns how many leading chars NFC has to look at together: one
// character and those after it that may join it or change places.
func sequence(chars []char) int {
	if inert(chars[0].r) {
		return 1
	}
	n := 1
	for n < len(chars) && chars[n].r >= firstComposing && !inert(chars[n].r) &&
		!properties(norm.NFC, chars[n].r).BoundaryBefore() {
		n++
	}
	return n
}

// appendComposed appends the NFC of one sequence.
func appendComposed(out, seq []char) []char {
	if len(seq) == 1 && (seq[0].r < firstComposing || inert(seq[0].r)) {
		return append(out, seq[0])
	}
	runes := runesOf(seq)
	composed := nfc(runes)
	if slices.Equal(composed, runes) {
		return append(out, seq...)
	}
	start, end := span(seq)
	for _, r := range composed {
		out = append(out, char{r, start, end})
	}
	return out
}

// streamSafe is a length up to which x/text composes a sequence as Unicode
// does: past 30 marks it breaks it with U+034F (UAX #15, section 13), and one
// character can hold three marks.
const streamSafe = 10

// nfc returns the NFC of one sequence.
func nfc(runes []rune) []rune {
	if len(runes) <= streamSafe {
		return []rune(norm.NFC.String(string(runes)))
	}
	return recompose(decompose(runes))
}

// decompose returns the canonical decomposition of runes in canonical order.
func decompose(runes []rune) []rune {
	out := make([]rune, 0, len(runes))
	for _, r := range runes {
		out = append(out, []rune(norm.NFD.String(string(r)))...)
	}
	for rest := out; len(rest) > 0; {
		marks := slices.IndexFunc(rest, func(r rune) bool { return class(r) == 0 })
		if marks < 0 {
			marks = len(rest)
		}
		slices.SortStableFunc(rest[:marks], func(a, b rune) int { return int(class(a)) - int(class(b)) })
		rest = rest[min(marks+1, len(rest)):]
	}
	return out
}

// recompose joins the characters of a decomposition, in place, by the canonical
// composition algorithm of UAX #15.
func recompose(runes []rune) []rune {
	out := runes[:0]
	starter := -1
	for _, r := range runes {
		blocked := starter < 0 || len(out)-1 > starter && class(out[len(out)-1]) >= class(r)
		if !blocked {
			if joined, ok := pair(out[starter], r); ok {
				out[starter] = joined
				continue
			}
		}
		if class(r) == 0 {
			starter = len(out)
		}
		out = append(out, r)
	}
	return out
}

// pair returns the primary composite of two characters.
func pair(a, b rune) (rune, bool) {
	joined := []rune(norm.NFC.String(string([]rune{a, b})))
	return joined[0], len(joined) == 1
}

// class returns the canonical combining class of r.
func class(r rune) uint8 { return properties(norm.NFD, r).CCC() }

func properties(form norm.Form, r rune) norm.Properties {
	return form.PropertiesString(string(r))
}
