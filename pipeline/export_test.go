package pipeline

import (
	"context"
	"image"
)

// Conditionings are what the denoiser is given at call k of a run under s: see
// Model.conditionings.
func (m *Model) Conditionings(ctx context.Context, s Settings, k int, guided bool) ([]Conditioning, error) {
	plan, err := m.info.Plan(s)
	if err != nil {
		return nil, err
	}
	return m.conditionings(ctx, s.words(plan.StepOf(k), plan.Steps()), guided)
}

// WithEncoder is the model with another encoder for pictures.
func (m *Model) WithEncoder(e Encoder) *Model {
	info := m.info
	info.Encodes = true
	return NewModel(info, Runners{Text: m.text, Denoiser: m.denoiser, Decoder: m.decoder, Encoder: e, Device: m.device})
}

// PictureFile is a file as a run of the given size starts from it.
func PictureFile(path string, width, height int) (*image.RGBA, error) {
	data, err := readPicture(path)
	if err != nil {
		return nil, err
	}
	return decodePicture(path, data, width, height)
}
