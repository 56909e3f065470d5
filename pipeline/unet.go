package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"ldx/pipeline/ort"
)

// unet is a UNet2DConditionModel exported to ONNX: sample [B, C, H, W], timestep
// and encoder_hidden_states [B, tokens, width] to the predicted noise.
type unet struct {
	session  *ort.Session
	sample   ort.Info
	timestep ort.Info
	text     ort.Info
	channels int
}

func newUNet(s *ort.Session, g Geometry) (*unet, error) {
	u := &unet{session: s, channels: g.Channels}
	for _, in := range s.Inputs() {
		switch in.Name {
		case "sample":
			u.sample = in
		case "timestep":
			u.timestep = in
		case "encoder_hidden_states":
			u.text = in
		default:
			return nil, fmt.Errorf("%s: input %v has nothing to feed it: want sample, timestep, encoder_hidden_states", s.Name(), in)
		}
	}
	return u, u.check()
}

// check holds the declared inputs against what will be fed.
func (u *unet) check() error {
	name := u.session.Name()
	switch {
	case u.sample.Name == "" || u.timestep.Name == "" || u.text.Name == "":
		return unexpectedInputs(u.session.Name(), u.session.Inputs(), "sample, timestep, encoder_hidden_states")
	case u.sample.Type != ort.Float32 || len(u.sample.Shape) != 4:
		return fmt.Errorf("%s: input %v, want float32 of rank 4", name, u.sample)
	case u.sample.Shape[1] > 0 && u.sample.Shape[1] != int64(u.channels):
		return fmt.Errorf("%s: input %v takes %d channels, but the latents have %d", name, u.sample, u.sample.Shape[1], u.channels)
	case u.text.Type != ort.Float32 || len(u.text.Shape) != 3:
		return fmt.Errorf("%s: input %v, want float32 of rank 3", name, u.text)
	case len(u.timestep.Shape) > 1:
		return fmt.Errorf("%s: input %v, want rank 0 or 1", name, u.timestep)
	}
	_, err := timestepTensor(u.timestep, 1, 1)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// textWidth is the width of the embeddings it attends to, or 0 when it is free.
func (u *unet) textWidth() int { return lastDim(u.text) }

// Predict runs all conditionings as one batch where the graph leaves the batch
// free: on two cores a batch of two takes about 0.8 of two runs at 16x16 latents
// and gains less above (bench/RESULTS.md). Otherwise they run one after the other.
func (u *unet) Predict(ctx context.Context, x *tensor.Dense, t float32, conds ...Conditioning) ([]*tensor.Dense, error) {
	if u.batches() {
		return u.run(ctx, x, t, conds)
	}
	var outputs []*tensor.Dense
	for i := range conds {
		out, err := u.run(ctx, x, t, conds[i:i+1])
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, out...)
	}
	return outputs, nil
}

// batches reports whether the graph takes any number of samples.
func (u *unet) batches() bool { return u.sample.Shape[0] < 0 && u.text.Shape[0] < 0 }

// run evaluates the graph on one batch: the same x and t for every conditioning.
func (u *unet) run(ctx context.Context, x *tensor.Dense, t float32, conds []Conditioning) ([]*tensor.Dense, error) {
	samples, texts := make([]*tensor.Dense, len(conds)), make([]*tensor.Dense, len(conds))
	for i, c := range conds {
		samples[i], texts[i] = x, c[TextEmbedding]
	}
	if err := checkTokens(u.session.Name(), u.text, texts[0].Shape()[1]); err != nil {
		return nil, err
	}
	timestep, err := timestepTensor(u.timestep, t, len(conds))
	if err != nil {
		return nil, err
	}
	feed := map[string]*tensor.Dense{u.sample.Name: stack(samples), u.timestep.Name: timestep, u.text.Name: stack(texts)}
	var inputs []*tensor.Dense
	for _, in := range u.session.Inputs() {
		inputs = append(inputs, feed[in.Name])
	}
	out, err := u.session.Run(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	data, ok := out[0].Data().([]float32)
	n := x.Shape().TotalSize()
	if !ok || len(data) != n*len(conds) {
		return nil, fmt.Errorf("%s: output is %v of shape %v, want float32 of shape %v for each of %d", u.session.Name(), out[0].Dtype(), out[0].Shape(), x.Shape(), len(conds))
	}
	outputs := make([]*tensor.Dense, len(conds))
	for i := range outputs {
		outputs[i] = tensor.New(tensor.WithShape(x.Shape()...), tensor.WithBacking(data[i*n:(i+1)*n:(i+1)*n]))
	}
	return outputs, nil
}

// checkTokens refuses embeddings longer than a graph that takes a fixed number.
func checkTokens(name string, in ort.Info, tokens int) error {
	if want := in.Shape[1]; want > 0 && int64(tokens) != want {
		return fmt.Errorf("%s takes %d tokens and no other number, but the longest prompt makes %d with its markers: want a shorter one", name, want, tokens)
	}
	return nil
}

// stack lays tensors [1, ...] of one shape end to end as [n, ...].
func stack(parts []*tensor.Dense) *tensor.Dense {
	if len(parts) == 1 {
		return parts[0]
	}
	var data []float32
	for _, p := range parts {
		data = append(data, p.Data().([]float32)...)
	}
	shape := append([]int{len(parts)}, parts[0].Shape()[1:]...)
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// wholeTimestep is t for a graph that takes whole timesteps: without its fraction, as
// torch casts it. A t that rounding errors put just below a whole one is that one:
// KDPM2 ancestral's own timesteps between two are whole but for them.
func wholeTimestep(t float32) int64 {
	const nearly = 1e-3
	return int64(math.Floor(float64(t) + nearly))
}

// timestepTensor is t in the element type the graph declares: [n], or [1] where
// the graph takes a single one.
func timestepTensor(in ort.Info, t float32, n int) (*tensor.Dense, error) {
	if len(in.Shape) == 0 || in.Shape[0] == 1 {
		n = 1
	}
	var backing any
	switch in.Type {
	case ort.Int64:
		backing = slices.Repeat([]int64{wholeTimestep(t)}, n)
	case ort.Int32:
		backing = slices.Repeat([]int32{int32(wholeTimestep(t))}, n)
	case ort.Float32:
		backing = slices.Repeat([]float32{t}, n)
	case ort.Float64:
		backing = slices.Repeat([]float64{float64(t)}, n)
	default:
		return nil, fmt.Errorf("input %v, want int64, int32, float32 or float64", in)
	}
	return tensor.New(tensor.WithShape(n), tensor.WithBacking(backing)), nil
}
