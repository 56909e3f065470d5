package pipeline

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"ldx/pipeline/prompt"
)

// ChunkEncoder is a text encoder that takes a prompt token by token, which
// [prompt.A1111] needs and [Model.Tokens] shows.
type ChunkEncoder interface {
	TextEncoder
	Tokenizer() prompt.Tokenizer
	// EncodeChunk encodes one chunk, its tokens weighted.
	EncodeChunk(ctx context.Context, c prompt.Chunk) (Conditioning, error)
}

// words are what settings say to the denoiser at one call, schedules resolved. Equal
// words give equal conditioning.
type words struct {
	Prompt   string `json:"prompt"`
	Negative string `json:"negative,omitempty"`
	Wording
}

// words are those of a step, counted from 0, of so many. Settings that
// [Settings.check] refuses say their prompts as they stand.
func (s Settings) words(step, steps int) words {
	step++
	at := func(text string) string {
		read, err := s.read(text)
		if err != nil {
			return text
		}
		return read.At(step, steps)
	}
	w := words{Prompt: at(s.Prompt), Negative: at(s.Negative), Wording: s.Wording}
	if w.Blend = at(w.Blend); w.BlendWeight == 0 {
		w.Blend = ""
	}
	if w.Syntax == prompt.Plain {
		w.Syntax = ""
	}
	return w
}

// serve reports whether outputs made for w are those for to as well. Without guidance a
// plain negative prompt says nothing; one with chunks decides how long the conditional
// output's embedding is.
func (w words) serve(to words, guided bool) bool {
	if !guided && w.Syntax == "" {
		to.Negative = w.Negative
	}
	return w == to
}

// conditionings are what the denoiser is given for words: with the prompt and, where
// guided, with the negative prompt. In chunks, the shorter is filled up to the longer
// with chunks of the empty prompt.
func (m *Model) conditionings(ctx context.Context, w words, guided bool) ([]Conditioning, error) {
	texts := []string{w.Prompt, w.Negative, w.Blend}
	chunks := 1
	if w.Syntax == prompt.A1111 {
		chunky, ok := m.text.(ChunkEncoder)
		if !ok {
			return nil, fmt.Errorf("prompt syntax is %s, but the model's text encoder takes no tokens: want %s", w.Syntax, prompt.Plain)
		}
		for _, text := range texts {
			chunks = max(chunks, len(prompt.Split(chunky.Tokenizer(), text)))
		}
	}
	cond, err := m.encode(ctx, phrase{w.Prompt, w.Syntax, chunks})
	if err == nil && w.BlendWeight != 0 {
		var other Conditioning
		if other, err = m.encode(ctx, phrase{w.Blend, w.Syntax, chunks}); err == nil {
			cond, err = blend(cond, other, float32(w.BlendWeight))
		}
	}
	if err != nil || !guided {
		return []Conditioning{cond}, err
	}
	uncond, err := m.encode(ctx, phrase{w.Negative, w.Syntax, chunks})
	return []Conditioning{cond, uncond}, err
}

// A phrase is a text as it is encoded: at least so many chunks long.
type phrase struct {
	text   string
	syntax prompt.Syntax // "" for plain, which has one chunk
	chunks int
}

// encode gives a phrase's conditioning, from the cache where it can.
func (m *Model) encode(ctx context.Context, p phrase) (Conditioning, error) {
	m.mu.Lock()
	c, ok := m.encoded[p]
	m.mu.Unlock()
	if ok {
		return c, nil
	}
	encode := m.encodeChunks
	if p.syntax == "" {
		encode = func(ctx context.Context, p phrase) (Conditioning, error) { return m.text.Encode(ctx, p.text) }
	}
	c, err := encode(ctx, p)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.encoded) >= keptPrompts {
		clear(m.encoded)
	}
	m.encoded[p] = c
	return c, nil
}

// encodeChunks encodes a phrase chunk by chunk, empty ones behind its own.
func (m *Model) encodeChunks(ctx context.Context, p phrase) (Conditioning, error) {
	encoder, ok := m.text.(ChunkEncoder)
	if !ok {
		return nil, errors.New("the model's text encoder takes no tokens")
	}
	chunks := prompt.Split(encoder.Tokenizer(), p.text)
	var embeddings []*tensor.Dense
	for i := range max(len(chunks), p.chunks) {
		var chunk prompt.Chunk
		if i < len(chunks) {
			chunk = chunks[i]
		}
		c, err := encoder.EncodeChunk(ctx, chunk)
		if err != nil {
			return nil, err
		}
		embeddings = append(embeddings, c[TextEmbedding])
	}
	if len(embeddings) == 1 {
		return Conditioning{TextEmbedding: embeddings[0]}, nil
	}
	joined := stack(embeddings) // [n, tokens, width], which lies as [1, n*tokens, width] does
	shape := joined.Shape()
	return Conditioning{TextEmbedding: tensor.New(tensor.WithShape(1, shape[0]*shape[1], shape[2]), tensor.WithBacking(joined.Data()))}, nil
}

// blend mixes two conditionings of the same shapes: (1-w)*a + w*b.
func blend(a, b Conditioning, w float32) (Conditioning, error) {
	mixed := Conditioning{}
	for name, ta := range a {
		tb, ok := b[name]
		if !ok || !ta.Shape().Eq(tb.Shape()) {
			return nil, fmt.Errorf("the two prompts' %s do not have the same shape", name)
		}
		x, okX := ta.Data().([]float32)
		y, okY := tb.Data().([]float32)
		if !okX || !okY {
			return nil, fmt.Errorf("the prompts' %s is %v, want float32 to blend it", name, ta.Dtype())
		}
		out := make([]float32, len(x))
		for i := range out {
			out[i] = float32((1-w)*x[i]) + float32(w*y[i])
		}
		mixed[name] = tensor.New(tensor.WithShape(ta.Shape()...), tensor.WithBacking(out))
	}
	return mixed, nil
}
