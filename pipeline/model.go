package pipeline

import (
	"context"
	"image"
	"sync"
	"time"

	"gorgonia.org/tensor"
)

// Model is a loaded model. Its methods may be called by several goroutines.
type Model struct {
	info     Info
	device   string
	text     TextEncoder
	denoiser Denoiser
	decoder  Decoder
	encoder  Encoder // nil where there is none
	loading  time.Duration
	close    func() error

	mu      sync.Mutex
	encoded map[phrase]Conditioning
	picture posterior // of the last picture that a run began from
}

// keptPrompts bounds the cache of encoded prompts.
const keptPrompts = 64

// Runners are what a model computes with. Close may be nil.
type Runners struct {
	Text     TextEncoder
	Denoiser Denoiser
	Decoder  Decoder
	Encoder  Encoder // may be nil: then no run starts from a picture
	Device   string  // in words
	Close    func() error
}

// NewModel puts a model together from its parts. [Load] does it for a folder.
func NewModel(info Info, r Runners) *Model {
	return &Model{
		info: info, device: r.Device, text: r.Text, denoiser: r.Denoiser, decoder: r.Decoder, encoder: r.Encoder, close: r.Close,
		encoded: map[phrase]Conditioning{},
	}
}

// WithDenoiser is the model with its denoiser wrapped, to count, time or replace
// its calls. The two share everything else, and one Close.
func (m *Model) WithDenoiser(wrap func(Denoiser) Denoiser) *Model {
	w := NewModel(m.info, Runners{Text: m.text, Denoiser: wrap(m.denoiser), Decoder: m.decoder, Encoder: m.encoder, Device: m.device, Close: m.close})
	w.loading = m.loading
	return w
}

// Info describes the model.
func (m *Model) Info() Info { return m.info }

// Device says in words what the model runs on.
func (m *Model) Device() string { return m.device }

// LoadTime is how long loading took.
func (m *Model) LoadTime() time.Duration { return m.loading }

// Close frees what the model holds, after the calls under way.
func (m *Model) Close() error {
	if m.close == nil {
		return nil
	}
	return m.close()
}

// Settings are the model's defaults, see [Info.Settings].
func (m *Model) Settings() Settings { return m.info.Settings() }

// Check is [Info.Check].
func (m *Model) Check(s Settings) error { return m.info.Check(s) }

// Encode gives a prompt's conditioning in the plain syntax, from the cache where it can.
func (m *Model) Encode(ctx context.Context, text string) (Conditioning, error) {
	return m.encode(ctx, phrase{text: text})
}

// Decode turns a latent [1, C, H, W] into a picture with the VAE.
func (m *Model) Decode(ctx context.Context, latent *tensor.Dense) (*image.RGBA, error) {
	return m.decoder.Decode(ctx, latent)
}

// Picture decodes a step's predicted original.
func (m *Model) Picture(ctx context.Context, s *Step) (*image.RGBA, error) {
	x0, err := s.Original()
	if err != nil {
		return nil, err
	}
	return m.Decode(ctx, x0)
}

// Preview turns a latent [1, C, H, W] into an H x W picture with a matrix: rough,
// and a thousand times cheaper than the VAE.
func (m *Model) Preview(latent *tensor.Dense) *image.RGBA {
	return m.info.Preview.Picture(latent)
}
