package pipeline

import (
	"context"
	"image"

	"gorgonia.org/tensor"
)

// Names of a conditioning's tensors.
const (
	// TextEmbedding is the text encoder's last hidden state, [1, tokens, width].
	TextEmbedding = "encoder_hidden_states"
)

// Conditioning is what a denoiser is steered by: named tensors, each of batch 1.
// It is not written to once made.
type Conditioning map[string]*tensor.Dense

// TextEncoder turns a prompt into conditioning.
type TextEncoder interface {
	Encode(ctx context.Context, prompt string) (Conditioning, error)
}

// Denoiser evaluates the model. One Predict is one call, however many
// conditionings it is given.
type Denoiser interface {
	// Predict gives the model's output, [1, C, H, W], at latent x [1, C, H, W]
	// and timestep t for each conditioning, in their order. It must not keep or
	// write x, and must return ctx's error soon after ctx ends.
	Predict(ctx context.Context, x *tensor.Dense, t float32, conds ...Conditioning) ([]*tensor.Dense, error)
}

// Decoder turns a latent [1, C, H, W] into a picture, factor times as large.
type Decoder interface {
	Decode(ctx context.Context, latent *tensor.Dense) (*image.RGBA, error)
}

// Encoder turns a picture [1, 3, H, W] in [-1, 1] into the mean and the log variance of
// its latent, [1, 2C, H/f, W/f], or into a latent [1, C, H/f, W/f]; neither is scaled.
type Encoder interface {
	Encode(ctx context.Context, picture *tensor.Dense) (*tensor.Dense, error)
}
