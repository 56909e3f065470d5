package pipeline

import (
	"context"
	"fmt"
	"sync"

	"gorgonia.org/tensor"

	"ldx/pipeline/ort"
)

// vaeEncoder is the encoder half of an AutoencoderKL exported to ONNX: sample [B, 3,
// H*f, W*f] in [-1, 1] to the mean and the log variance of the latent [B, 2C, H, W]
// (latent_parameters), or in older exports to a latent [B, C, H, W] (latent_sample). It
// is loaded when it is first used.
type vaeEncoder struct {
	load func() (*ort.Session, error)

	mu      sync.Mutex
	session *ort.Session
	closed  bool
}

func (v *vaeEncoder) Encode(ctx context.Context, picture *tensor.Dense) (*tensor.Dense, error) {
	session, err := v.open()
	if err != nil {
		return nil, err
	}
	out, err := session.Run(ctx, picture)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (v *vaeEncoder) open() (*ort.Session, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil, fmt.Errorf("%s: the model is closed", encoderPart)
	}
	if v.session != nil {
		return v.session, nil
	}
	session, err := v.load()
	if err != nil {
		return nil, err
	}
	in := session.Inputs()
	if len(in) != 1 || in[0].Type != ort.Float32 || len(in[0].Shape) != 4 {
		_ = session.Close() // what is wrong is said
		return nil, unexpectedInputs(session.Name(), in, "one picture, float32 of rank 4")
	}
	v.session = session
	return session, nil
}

func (v *vaeEncoder) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if v.session == nil {
		return nil
	}
	return v.session.Close()
}
