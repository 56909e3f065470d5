package clip

import (
	"fmt"
	"unicode/utf8"
)

// A merge is what becomes of a pair of tokens.
type merge struct {
	rank uint32 // lower merges first
	id   int32
}

// A model is the byte-pair encoding: which tokens stand for single bytes and
// which pairs of tokens join.
type model struct {
	inner    [256]int32 // token of a byte inside a word
	final    [256]int32 // token of a word's last byte
	merges   map[uint64]merge
	spelling map[int32]string
}

// endOfWord is what the spelling of a token that ends a word ends in.
const endOfWord = "</w>"

// newModel builds the model of vocab. A byte without a token of its own stands
// for unknown, if that has one.
func newModel(vocab *vocabulary, unknown string) (*model, error) {
	m := &model{merges: vocab.merges, spelling: vocab.spelling}
	for b, letter := range alphabet() {
		var err error
		if m.inner[b], err = byteToken(vocab, letter, unknown); err != nil {
			return nil, err
		}
		if m.final[b], err = byteToken(vocab, letter+endOfWord, unknown); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// byteToken returns the ID of a token that stands for one byte.
func byteToken(vocab *vocabulary, spelling, unknown string) (int32, error) {
	for _, entry := range [...]string{spelling, unknown} {
		if id, ok := vocab.ids[entry]; ok {
			return id, nil
		}
	}
	return 0, fmt.Errorf("no entry for %q, nor for the unk_token %q; want one for every byte", spelling, unknown)
}

// alphabet returns the printable letter that stands for each byte in a
// vocabulary: printable Latin-1 stands for itself, the rest for U+0100 onwards
// (Radford et al., GPT-2, 2019).
func alphabet() (letters [256]string) {
	next := rune(0x100)
	for b := range letters {
		r := rune(b)
		if r <= ' ' || 0x7f <= r && r <= 0xa0 || r == 0xad {
			r = next
			next++
		}
		letters[b] = string(r)
	}
	return letters
}

// token returns the token id, standing for chars.
func (m *model) token(id int32, chars []char) Token {
	start, end := span(chars)
	return Token{ID: id, Text: m.spelling[id], Start: start, End: end}
}

// A symbol is a token of a word whose merging is under way, in a list linked by
// index. A symbol that was joined to the one before it has id merged.
type symbol struct {
	id         int32
	prev, next int32 // -1 at either end
	start, end int   // input bytes
}

const merged = -1

// A merger applies a model to words, reusing its memory from word to word.
type merger struct {
	model   *model
	symbols []symbol
	queue   queue
}

// appendTokens appends the tokens of a word of normalised text. It takes
// O(n log n) for n bytes: the pairs wait in a heap, lowest rank first and
// leftmost first among equals.
func (m *merger) appendTokens(out []Token, word []char) []Token {
	m.load(word)
	for i := range m.symbols {
		m.consider(int32(i))
	}
	for len(m.queue) > 0 {
		rank, at := m.queue.pop()
		left := &m.symbols[at]
		if left.id == merged || left.next < 0 {
			continue
		}
		join, ok := m.model.merges[pairKey(left.id, m.symbols[left.next].id)]
		if ok && join.rank == rank { // else the pair is not what it was when it was queued
			m.join(at, join.id)
		}
	}
	for i := int32(0); i >= 0; i = m.symbols[i].next {
		s := m.symbols[i]
		out = append(out, Token{ID: s.id, Text: m.model.spelling[s.id], Start: s.start, End: s.end})
	}
	return out
}

// load makes the bytes of word the symbols.
func (m *merger) load(word []char) {
	m.symbols = m.symbols[:0]
	for _, c := range word {
		var buffer [utf8.UTFMax]byte
		for _, b := range buffer[:utf8.EncodeRune(buffer[:], c.r)] {
			n := int32(len(m.symbols))
			m.symbols = append(m.symbols, symbol{m.model.inner[b], n - 1, n + 1, c.start, c.end})
		}
	}
	last := &m.symbols[len(m.symbols)-1]
	last.next = -1
	tail := utf8.AppendRune(nil, word[len(word)-1].r)
	last.id = m.model.final[tail[len(tail)-1]]
}

// consider queues the pair that starts at symbol at, if it can be joined.
func (m *merger) consider(at int32) {
	if at < 0 || m.symbols[at].next < 0 {
		return
	}
	if join, ok := m.model.merges[pairKey(m.symbols[at].id, m.symbols[m.symbols[at].next].id)]; ok {
		m.queue.push(join.rank, at)
	}
}

// join makes symbol at and its successor one symbol.
func (m *merger) join(at, id int32) {
	left := &m.symbols[at]
	right := &m.symbols[left.next]
	left.id, left.end, left.next = id, right.end, right.next
	if right.next >= 0 {
		m.symbols[right.next].prev = at
	}
	right.id = merged
	m.consider(left.prev)
	m.consider(at)
}

// pairKey is the key of a pair of tokens in model.merges.
func pairKey(left, right int32) uint64 {
	return uint64(uint32(left))<<32 | uint64(uint32(right))
}

// A queue is a binary heap of pairs, each the rank above the position.
type queue []uint64

func (q *queue) push(rank uint32, at int32) {
	*q = append(*q, uint64(rank)<<32|uint64(uint32(at)))
	h := *q
	for i := len(h) - 1; i > 0 && h[i] < h[(i-1)/2]; i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
}

func (q *queue) pop() (rank uint32, at int32) {
	h := *q
	top, last := h[0], len(h)-1
	h[0] = h[last]
	h = h[:last]
	for i := 0; 2*i+1 < last; {
		child := 2*i + 1
		if child+1 < last && h[child+1] < h[child] {
			child++
		}
		if h[i] <= h[child] {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	*q = h
	return uint32(top >> 32), int32(uint32(top))
}
