package prompt

import "ldx/pipeline/clip"

// A Tokenizer turns text into tokens; *[clip.Tokenizer] is one.
type Tokenizer interface {
	Encode(text string) clip.Encoding
	MaxLength() int // tokens the text encoder takes, its two markers included
}

// A Token is a token of a prompt with its weight.
type Token struct {
	clip.Token
	Source string // what it stands for, as typed
	Weight float64
}

// A Chunk is what the text encoder reads at once, without markers and padding: at
// most Tokenizer.MaxLength() - 2 tokens.
type Chunk []Token

// backtrack is how many of a full chunk's last tokens a comma is looked for in.
const backtrack = 20

// comma is the token of a comma that ends a word, as CLIP's vocabulary spells it.
const comma = ",</w>"

// Split lays a text without a schedule into chunks, one at least.
func Split(t Tokenizer, text string) []Chunk {
	s := splitter{limit: t.MaxLength() - 2, comma: -1}
	if s.limit < 1 { // room for markers alone
		return make([]Chunk, 1)
	}
	for _, piece := range Weigh(text) {
		if piece.Break {
			s.end()
			continue
		}
		for _, token := range t.Encode(piece.Text).Tokens {
			s.add(Token{Token: token, Source: piece.Text[token.Start:token.End], Weight: piece.Weight})
		}
	}
	if len(s.chunk) > 0 || len(s.chunks) == 0 {
		s.end()
	}
	return s.chunks
}

// A splitter fills chunks one after the other.
type splitter struct {
	limit  int
	chunks []Chunk
	chunk  Chunk
	comma  int // place of the last comma in chunk, -1 for none
}

// add puts a token behind the others. A comma that has no room any more begins the next
// chunk and, as in webui, is none to go back to there.
func (s *splitter) add(t Token) {
	full := len(s.chunk) == s.limit
	switch {
	case t.Text == comma:
		s.comma = len(s.chunk)
	case full && s.comma >= 0 && len(s.chunk)-s.comma <= backtrack:
		at := s.comma + 1
		moved := s.chunk[at:]
		s.chunk = s.chunk[:at:at]
		s.end()
		s.chunk = append(s.chunk, moved...)
	}
	if len(s.chunk) == s.limit {
		s.end()
	}
	s.chunk = append(s.chunk, t)
}

// end closes the chunk.
func (s *splitter) end() {
	s.chunks, s.chunk, s.comma = append(s.chunks, s.chunk), nil, -1
}
