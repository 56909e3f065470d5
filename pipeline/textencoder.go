package pipeline

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"ldx/pipeline/clip"
	"ldx/pipeline/ort"
)

// clipEncoder is a CLIP text encoder with its tokenizer (Radford et al., arXiv
// 2103.00020): token ids [1, tokens] to hidden states [1, tokens, width].
type clipEncoder struct {
	tokenizer *clip.Tokenizer
	session   *ort.Session
	ids       ort.Info
}

func newCLIPEncoder(t *clip.Tokenizer, s *ort.Session) (*clipEncoder, error) {
	ids, ok := s.Input("input_ids")
	if !ok || len(s.Inputs()) != 1 {
		return nil, unexpectedInputs(s.Name(), s.Inputs(), "input_ids")
	}
	if len(ids.Shape) != 2 || ids.Type != ort.Int32 && ids.Type != ort.Int64 {
		return nil, fmt.Errorf("%s: input %v, want int32 or int64 of rank 2", s.Name(), ids)
	}
	if n := ids.Shape[1]; n > 0 && n != int64(t.MaxLength()) {
		return nil, fmt.Errorf("%s: input %v, but the tokenizer gives %d tokens", s.Name(), ids, t.MaxLength())
	}
	return &clipEncoder{tokenizer: t, session: s, ids: ids}, nil
}

func (c *clipEncoder) Encode(ctx context.Context, prompt string) (Conditioning, error) {
	ids := c.tokenizer.Encode(prompt).IDs
	var backing any = ids
	if c.ids.Type == ort.Int64 {
		backing = widen(ids)
	}
	out, err := c.session.Run(ctx, tensor.New(tensor.WithShape(1, len(ids)), tensor.WithBacking(backing)))
	if err != nil {
		return nil, err
	}
	if out[0].Dims() != 3 {
		return nil, fmt.Errorf("%s: output has shape %v, want rank 3", c.session.Name(), out[0].Shape())
	}
	return Conditioning{TextEmbedding: out[0]}, nil
}

// width is the embedding's, or 0 when the graph leaves it free.
func (c *clipEncoder) width() int { return lastDim(c.session.Outputs()[0]) }

func widen(ids []int32) []int64 {
	wide := make([]int64, len(ids))
	for i, id := range ids {
		wide[i] = int64(id)
	}
	return wide
}

func lastDim(i ort.Info) int {
	if len(i.Shape) == 0 {
		return 0
	}
	return int(max(i.Shape[len(i.Shape)-1], 0))
}

// unexpectedInputs says that a graph is not of the expected kind.
func unexpectedInputs(name string, inputs []ort.Info, want string) error {
	return fmt.Errorf("%s takes %v, want %s", name, inputs, want)
}
