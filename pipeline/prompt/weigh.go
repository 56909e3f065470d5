package prompt

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Piece is a part of a text with one weight, or a break between chunks.
type Piece struct {
	Text   string
	Weight float64
	Break  bool // then the rest is empty
}

// roundWeight is what brackets without a number multiply with.
const roundWeight = 1.1

// squareWeight is the quotient of two float64, not the nearest to 10/11.
var squareWeight = 1 / float64(roundWeight)

// closing is a weight at the end of a round bracket.
var closing = regexp.MustCompile(`^:[\s\p{Z}]*([+-]?[.\d]+)[\s\p{Z}]*\)`)

// check refuses what a prompt cannot mean.
func check(text string) error {
	if at := word(text, "AND"); at >= 0 {
		return fmt.Errorf("a prompt has AND, which adds up the predictions of several prompts: ldx makes one prediction a call; want one prompt, or a blend of two")
	}
	open := map[byte]int{}
	for i := range len(text) {
		switch c := text[i]; c {
		case '(', '[':
			if open[c]++; open[c] >= maxDepth {
				return errDepth
			}
		case ')':
			open['('] = max(0, open['(']-1)
		case ']':
			open['['] = max(0, open['[']-1)
		case ':':
			m := closing.FindStringSubmatch(text[i:])
			if m == nil {
				continue
			}
			if _, err := strconv.ParseFloat(m[1], 64); err != nil {
				return fmt.Errorf("a prompt has weight %q, want a number such as (word:1.2)", m[1])
			}
		}
	}
	return nil
}

// Weigh cuts a text without a schedule into pieces: what stands in brackets is
// weighted, neighbours of the same weight are one piece, no piece is empty.
func Weigh(text string) []Piece {
	var w weigher
	for text != "" {
		n := w.next(text)
		text = text[n:]
	}
	for _, from := range w.round {
		w.multiply(from, roundWeight)
	}
	for _, from := range w.square {
		w.multiply(from, squareWeight)
	}
	return merge(w.pieces)
}

// A weigher holds the pieces so far and where the open brackets began.
type weigher struct {
	pieces        []Piece
	round, square []int
}

// next takes one token of text and returns its length.
func (w *weigher) next(text string) int {
	switch text[0] {
	case '\\':
		n := 1
		if len(text) > 1 && strings.IndexByte(`()[]\`, text[1]) >= 0 {
			n = 2
		}
		w.add(text[1:n])
		return n
	case '(':
		w.round = append(w.round, len(w.pieces))
		return 1
	case '[':
		w.square = append(w.square, len(w.pieces))
		return 1
	case ')':
		if !w.pop(&w.round, roundWeight) {
			w.add(")")
		}
		return 1
	case ']':
		if !w.pop(&w.square, squareWeight) {
			w.add("]")
		}
		return 1
	case ':':
		return w.colon(text)
	}
	n := strings.IndexAny(text, `\()[]:`)
	if n < 0 {
		n = len(text)
	}
	w.breaks(text[:n])
	return n
}

// colon takes a colon, or the weight and the bracket's end that it begins.
func (w *weigher) colon(text string) int {
	m := closing.FindStringSubmatch(text)
	if m == nil {
		w.add(":")
		return 1
	}
	weight, err := strconv.ParseFloat(m[1], 64)
	if err != nil || !w.pop(&w.round, weight) {
		w.add(m[0])
	}
	return len(m[0])
}

func (w *weigher) add(text string) { w.pieces = append(w.pieces, Piece{Text: text, Weight: 1}) }

// pop ends the innermost of the open brackets and weighs what it holds.
func (w *weigher) pop(open *[]int, by float64) bool {
	last := len(*open) - 1
	if last < 0 {
		return false
	}
	w.multiply((*open)[last], by)
	*open = (*open)[:last]
	return true
}

func (w *weigher) multiply(from int, by float64) {
	for i := from; i < len(w.pieces); i++ {
		if !w.pieces[i].Break {
			w.pieces[i].Weight *= by
		}
	}
}

// breaks adds text that has no brackets, cut at each BREAK.
func (w *weigher) breaks(text string) {
	const mark = "BREAK"
	for {
		at := word(text, mark)
		if at < 0 {
			w.add(text)
			return
		}
		w.add(strings.TrimRightFunc(text[:at], unicode.IsSpace))
		w.pieces = append(w.pieces, Piece{Break: true})
		text = strings.TrimLeftFunc(text[at+len(mark):], unicode.IsSpace)
	}
}

// merge joins neighbours of one weight and leaves out what is empty.
func merge(pieces []Piece) []Piece {
	var out []Piece
	for len(pieces) > 0 {
		n := 1
		for n < len(pieces) && !pieces[0].Break && !pieces[n].Break && pieces[n].Weight == pieces[0].Weight {
			n++
		}
		var text strings.Builder
		for _, p := range pieces[:n] {
			text.WriteString(p.Text)
		}
		if text.Len() > 0 || pieces[0].Break {
			out = append(out, Piece{Text: text.String(), Weight: pieces[0].Weight, Break: pieces[0].Break})
		}
		pieces = pieces[n:]
	}
	return out
}

// word finds a word that no letter, digit or underscore touches; -1 is none.
func word(text, want string) int {
	for from := 0; ; {
		at := strings.Index(text[from:], want)
		if at < 0 {
			return -1
		}
		at += from
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(want):])
		if !inWord(before) && !inWord(after) {
			return at
		}
		from = at + len(want)
	}
}

// inWord reports whether r is part of a word. The replacement character, which
// stands for no rune at all, is not.
func inWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
