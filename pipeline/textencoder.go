package pipeline

import (
	"context"
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"ldx/pipeline/clip"
	"ldx/pipeline/ort"
	"ldx/pipeline/prompt"
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

func (c *clipEncoder) Encode(ctx context.Context, text string) (Conditioning, error) {
	return c.run(ctx, c.tokenizer.Encode(text).IDs)
}

func (c *clipEncoder) Tokenizer() prompt.Tokenizer { return c.tokenizer }

// EncodeChunk runs the encoder on a chunk between its own markers, filled up with the
// padding token, and weighs what comes out.
func (c *clipEncoder) EncodeChunk(ctx context.Context, chunk prompt.Chunk) (Conditioning, error) {
	tokens := make([]clip.Token, len(chunk))
	weights := make([]float64, len(chunk))
	for i, t := range chunk {
		tokens[i], weights[i] = t.Token, t.Weight
	}
	ids, first := c.tokenizer.Frame(tokens)
	cond, err := c.run(ctx, ids)
	if err != nil {
		return nil, err
	}
	return cond, emphasise(cond[TextEmbedding], weights, first)
}

// emphasise multiplies the embeddings of the tokens from first on with their weights,
// in place, and then everything with what brings the mean back to what it was, as
// AUTOMATIC1111 does by default ("Original"). Means are near zero and therefore taken in
// float64; torch's in float32 moves results by up to some 1e-4.
func emphasise(embedding *tensor.Dense, weights []float64, first int) error {
	z, ok := embedding.Data().([]float32)
	if !ok {
		return fmt.Errorf("the text encoder gives %v, want float32 to weigh it", embedding.Dtype())
	}
	if !slices.ContainsFunc(weights, func(w float64) bool { return w != 1 }) {
		return nil
	}
	width := embedding.Shape()[2]
	before := mean(z)
	for i, w := range weights {
		for k, v := range z[(first+i)*width : (first+i+1)*width] {
			z[(first+i)*width+k] = v * float32(w)
		}
	}
	after := mean(z)
	if after == 0 {
		return nil
	}
	scale := float32(before / after)
	for i := range z {
		z[i] *= scale
	}
	return nil
}

func mean(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}

// run evaluates the graph on one sequence of token ids.
func (c *clipEncoder) run(ctx context.Context, ids []int32) (Conditioning, error) {
	var backing any = ids
	if c.ids.Type == ort.Int64 {
		backing = widen(ids)
	}
	out, err := c.session.Run(ctx, tensor.New(tensor.WithShape(1, len(ids)), tensor.WithBacking(backing)))
	if err != nil {
		return nil, err
	}
	if shape := out[0].Shape(); len(shape) != 3 || shape[0] != 1 || shape[1] != len(ids) {
		return nil, fmt.Errorf("%s: output has shape %v, want [1 %d width]", c.session.Name(), shape, len(ids))
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
