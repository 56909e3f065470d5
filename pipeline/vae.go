package pipeline

import (
	"context"
	"fmt"
	"image"

	"gorgonia.org/tensor"

	"ldx/pipeline/ort"
)

// vaeDecoder is the decoder half of an AutoencoderKL exported to ONNX:
// latent_sample [B, C, H, W] to sample [B, 3, H*f, W*f] in [-1, 1]. Its graph
// loads in the background from the moment it is made.
type vaeDecoder struct {
	geometry Geometry
	loaded   chan struct{} // closed once session and err are set
	session  *ort.Session
	err      error
}

func newVAEDecoder(g Geometry, load func() (*ort.Session, error)) *vaeDecoder {
	v := &vaeDecoder{geometry: g, loaded: make(chan struct{})}
	go func() {
		defer close(v.loaded)
		v.session, v.err = load()
	}()
	return v
}

// checkDecoder checks the inputs of the decoder's graph, called name, before it is
// loaded: what does not fit is told of before the first run and not after it.
func checkDecoder(g Geometry, name string, in []ort.Info) error {
	if len(in) != 1 || in[0].Type != ort.Float32 || len(in[0].Shape) != 4 {
		return unexpectedInputs(name, in, "one latent, float32 of rank 4")
	}
	if c := in[0].Shape[1]; c > 0 && c != int64(g.Channels) {
		return fmt.Errorf("%s: input %v takes %d channels, but the latents have %d", name, in[0], c, g.Channels)
	}
	return nil
}

func (v *vaeDecoder) Decode(ctx context.Context, latent *tensor.Dense) (*image.RGBA, error) {
	select {
	case <-v.loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v.err != nil {
		return nil, v.err
	}
	out, err := v.session.Run(ctx, v.unscale(latent))
	if err != nil {
		return nil, err
	}
	shape := out[0].Shape()
	if len(shape) != 4 || shape[0] != 1 || shape[1] != 3 {
		return nil, fmt.Errorf("%s: output has shape %v, want [1 3 H W]", v.session.Name(), shape)
	}
	return rgbPicture(out[0]), nil
}

// unscale undoes what the UNet's latents were scaled by.
func (v *vaeDecoder) unscale(latent *tensor.Dense) *tensor.Dense {
	x := latent.Data().([]float32)
	scaled := make([]float32, len(x))
	for i, value := range x {
		scaled[i] = value/v.geometry.Scaling + v.geometry.Shift
	}
	return tensor.New(tensor.WithShape(latent.Shape()...), tensor.WithBacking(scaled))
}

func (v *vaeDecoder) close() error {
	<-v.loaded
	if v.session == nil {
		return nil
	}
	return v.session.Close()
}

// rgbPicture packs three planes in [-1, 1] into a picture.
func rgbPicture(t *tensor.Dense) *image.RGBA {
	x, h, w := planes(t)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	size := h * w
	for i := range size {
		setPixel(img.Pix[4*i:], [3]float32{x[i], x[size+i], x[2*size+i]})
	}
	return img
}
