package pipeline

import (
	"fmt"

	"ldx/pipeline/prompt"
)

// A TokenView is a prompt as the text encoder reads it.
type TokenView struct {
	Tokens []PromptToken // in order, those that are cut off included
	// Chunks is how often the text encoder runs, Room how many tokens it takes each
	// time, without its markers (75 for CLIP).
	Chunks, Room int
	// Used is how many of the Chunks*Room places are taken or passed over, up to the
	// last token; in the plain syntax it may be more than there are.
	Used int
}

// A PromptToken is one token of a prompt.
type PromptToken struct {
	Text   string // what it stands for, as typed
	ID     int32
	Weight float64 // 1 in the plain syntax
	Chunk  int     // from 0
	Cut    bool    // whether it is left out for want of room
}

// String is "n of 75", the places used and those there are.
func (v TokenView) String() string { return fmt.Sprintf("%d of %d", v.Used, v.Chunks*v.Room) }

// Tokens shows a prompt as the text encoder reads it at the first of the model's
// default number of steps. See [Model.TokensAt].
func (m *Model) Tokens(text string, syntax prompt.Syntax) (TokenView, error) {
	return m.TokensAt(text, syntax, 1, max(m.info.Defaults.Steps, 1))
}

// TokensAt shows a prompt as the text encoder reads it at a step, 1 to steps. A prompt
// that cannot be read is an error; an encoder without tokens has an empty view.
func (m *Model) TokensAt(text string, syntax prompt.Syntax, step, steps int) (TokenView, error) {
	s := Settings{Wording: Wording{Syntax: syntax}}
	if err := syntax.Check(); err != nil {
		return TokenView{}, err
	}
	read, err := s.read(text)
	if err != nil {
		return TokenView{}, err
	}
	encoder, ok := m.text.(ChunkEncoder)
	if !ok {
		return TokenView{}, nil
	}
	if syntax == prompt.A1111 {
		return chunkView(encoder.Tokenizer(), read.At(step, steps)), nil
	}
	return plainView(encoder.Tokenizer(), text), nil
}

func chunkView(t prompt.Tokenizer, text string) TokenView {
	chunks := prompt.Split(t, text)
	v := TokenView{Chunks: len(chunks), Room: t.MaxLength() - 2}
	for i, c := range chunks {
		for _, token := range c {
			v.Tokens = append(v.Tokens, PromptToken{Text: token.Source, ID: token.ID, Weight: token.Weight, Chunk: i})
		}
		v.Used = i*v.Room + len(c)
	}
	return v
}

func plainView(t prompt.Tokenizer, text string) TokenView {
	e := t.Encode(text)
	v := TokenView{Chunks: 1, Room: t.MaxLength() - 2, Used: len(e.Tokens)}
	for i, token := range e.Tokens {
		cut := i < e.First || i >= e.First+len(e.Tokens)-e.Truncated
		v.Tokens = append(v.Tokens, PromptToken{Text: text[token.Start:token.End], ID: token.ID, Weight: 1, Cut: cut})
	}
	return v
}
