// Package toy is a latent diffusion model with a closed form, for tests: it needs
// no library, counts its calls and can be made to wait or to fail.
package toy

import (
	"context"
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"sync/atomic"

	"gorgonia.org/tensor"

	"ldx/pipeline"
	"ldx/samplers"
)

// Latent geometry of the toy: 4x4x4 latents, 16x16 pixels.
const (
	channels = 4
	side     = 4
	factor   = 4
)

// Toy is the model's works. Its fields may be set before it is used.
type Toy struct {
	Predicts atomic.Int64 // denoiser calls so far
	Decodes  atomic.Int64

	// Gate, when set, is received from before every denoiser call returns.
	Gate chan struct{}
	// Fail, when set, may fail the denoiser call of a timestep, or panic.
	Fail func(t int) error
}

// Model puts the toy together. Prompts steer it: each has a picture of its own.
func (t *Toy) Model() *pipeline.Model {
	config, err := samplers.ParseConfig([]byte(`{"_class_name":"DDIMScheduler","beta_schedule":"scaled_linear",
		"beta_start":0.00085,"beta_end":0.012,"clip_sample":false,"set_alpha_to_one":false,"steps_offset":1}`))
	if err != nil {
		panic(err) // a constant
	}
	info := pipeline.Info{
		Name: "toy", Scheduler: config,
		Latent:   pipeline.Geometry{Channels: channels, Factor: factor, Size: side, Scaling: 1},
		Preview:  pipeline.RGBMatrix{Factors: make([][3]float32, channels)},
		Defaults: pipeline.Defaults{Steps: 20, Guidance: 3, Prompt: "a toy"},
	}
	return pipeline.NewModel(info, pipeline.Runners{Text: t, Denoiser: t, Decoder: t, Device: "toy"})
}

// Encode hashes the prompt into a level between -1 and 1.
func (t *Toy) Encode(_ context.Context, prompt string) (pipeline.Conditioning, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(prompt)) // a hash never fails
	level := float32(h.Sum32())/math.MaxUint32*2 - 1
	return pipeline.Conditioning{pipeline.TextEmbedding: tensor.New(tensor.WithShape(1, 1, 1), tensor.WithBacking([]float32{level}))}, nil
}

// Predict pulls every value of x towards the prompt's level.
func (t *Toy) Predict(ctx context.Context, x *tensor.Dense, timestep float32, conds ...pipeline.Conditioning) ([]*tensor.Dense, error) {
	t.Predicts.Add(1)
	if t.Gate != nil {
		select {
		case <-t.Gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if t.Fail != nil {
		if err := t.Fail(int(timestep)); err != nil {
			return nil, err
		}
	}
	outputs := make([]*tensor.Dense, len(conds))
	for i, c := range conds {
		level := c[pipeline.TextEmbedding].Data().([]float32)[0]
		eps := make([]float32, x.Shape().TotalSize())
		for k, v := range x.Data().([]float32) {
			eps[k] = v - level
		}
		outputs[i] = tensor.New(tensor.WithShape(x.Shape()...), tensor.WithBacking(eps))
	}
	return outputs, nil
}

// Decode paints each pixel in the grey of its latent cell's first channel.
func (t *Toy) Decode(ctx context.Context, latent *tensor.Dense) (*image.RGBA, error) {
	t.Decodes.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, w := latent.Shape()[2], latent.Shape()[3]
	x := latent.Data().([]float32)
	img := image.NewRGBA(image.Rect(0, 0, w*factor, h*factor))
	for py := range h * factor {
		for px := range w * factor {
			v := x[py/factor*w+px/factor]
			img.SetRGBA(px, py, color.RGBA{R: grey(v), G: grey(v), B: grey(v), A: 255})
		}
	}
	return img, nil
}

func grey(v float32) uint8 { return uint8(255 * min(max(v/4+0.5, 0), 1)) }
