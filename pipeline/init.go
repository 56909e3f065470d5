package pipeline

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"ldx/samplers"
)

// startState is where a run under s begins: the start noise, turned towards that of the
// variation seed, or a picture's latent with as much noise as its strength asks for.
//
// A run from a picture goes as in diffusers' StableDiffusionImg2ImgPipeline: the latent
// is drawn from the VAE's posterior with the run's own generator, where the encoder
// gives one, then the noise, and later draws come after these.
func (m *Model) startState(ctx context.Context, s Settings, plan *samplers.Plan, noise samplers.Noise) (samplers.State, error) {
	shape := m.info.Latent.shape(s)
	start, err := s.varied(noise, shape)
	if err != nil {
		return samplers.State{}, err
	}
	if s.Init == "" {
		return plan.Start(start), nil
	}
	k, err := s.startCall(plan)
	if err != nil {
		return samplers.State{}, err
	}
	posterior, err := m.encodePicture(ctx, s)
	if err != nil {
		return samplers.State{}, err
	}
	x0, draws, err := m.info.Latent.sample(posterior, noise, shape.TotalSize())
	if err != nil {
		return samplers.State{}, err
	}
	return samplers.State{Index: k, X: plan.AddNoise(x0, start.Draw(draws), k), Draws: draws + 1}, nil
}

// startCall is the call that a run under s begins with: 0, or from a picture the first
// one of the last int(strength*steps) steps.
func (s Settings) startCall(p *samplers.Plan) (int, error) {
	if s.Init == "" {
		return 0, nil
	}
	steps := p.Steps()
	taken := min(int(float64(steps)*s.Strength), steps)
	if taken < 1 {
		return 0, fmt.Errorf("strength is %g, which leaves none of %d steps: want at least %g", s.Strength, steps, math.Ceil(1000/float64(steps))/1000)
	}
	k := 0
	for p.StepOf(k) < steps-taken {
		k++
	}
	return k, nil
}

// varied is noise whose draws are turned towards the variation seed's, each towards the
// one of the same number.
func (s Settings) varied(noise samplers.Noise, shape tensor.Shape) (samplers.Noise, error) {
	if s.VariationStrength == 0 {
		return noise, nil
	}
	other, err := samplers.NewNoise(s.RNG, s.VariationSeed, shape.TotalSize())
	if err != nil {
		return nil, err
	}
	return variedNoise{noise, other, s.VariationStrength, shape}, nil
}

type variedNoise struct {
	from, to samplers.Noise
	strength float64
	shape    tensor.Shape
}

// Draw implements [samplers.Noise].
func (v variedNoise) Draw(k int) []float32 {
	return samplers.Slerp(v.strength, v.from.Draw(k), v.to.Draw(k), v.shape[1], v.shape[2], v.shape[3])
}

// A posterior is what the VAE's encoder makes of a picture, and of which.
type posterior struct {
	sha256        string
	width, height int
	parameters    *tensor.Dense
}

// encodePicture gives what the VAE's encoder makes of the settings' picture. The last
// one is kept: another seed does not encode it again.
func (m *Model) encodePicture(ctx context.Context, s Settings) (*tensor.Dense, error) {
	if m.encoder == nil {
		return nil, errNoEncoder(m.info.Name)
	}
	data, err := readPicture(s.Init)
	if err != nil {
		return nil, err
	}
	hash := hashOf(data)
	if s.InitSHA256 != "" && hash != s.InitSHA256 {
		return nil, fmt.Errorf("init %s is not the picture it was: its SHA-256 is %.12s…, want %.12s…", s.Init, hash, s.InitSHA256)
	}
	m.mu.Lock()
	kept := m.picture
	m.mu.Unlock()
	if kept.sha256 == hash && kept.width == s.Width && kept.height == s.Height {
		return kept.parameters, nil
	}
	img, err := decodePicture(s.Init, data, s.Width, s.Height)
	if err != nil {
		return nil, err
	}
	parameters, err := m.encoder.Encode(ctx, pictureTensor(img))
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.picture = posterior{hash, s.Width, s.Height, parameters}
	return parameters, nil
}

func errNoEncoder(model string) error {
	return fmt.Errorf("model %s has no %s/%s, which a run from a picture needs", model, encoderPart, graphFile)
}

// Bounds of a posterior's log variance, diffusers' own.
const minLogVariance, maxLogVariance = -30, 20

// sample draws a latent of n values from what the encoder gave, mean and log variance,
// with the first draw of noise, and scales it for the UNet; or it takes the latent that
// the encoder gave. draws is how many draws that took.
func (g Geometry) sample(parameters *tensor.Dense, noise samplers.Noise, n int) (x0 []float32, draws int, err error) {
	z, ok := parameters.Data().([]float32)
	if !ok {
		return nil, 0, fmt.Errorf("the VAE's encoder gives %v, want float32", parameters.Dtype())
	}
	x0 = make([]float32, n)
	switch len(z) {
	case n:
		copy(x0, z)
	case 2 * n:
		for i, e := range noise.Draw(0) {
			deviation := float32(math.Exp(float64(0.5 * max(minLogVariance, min(z[n+i], maxLogVariance)))))
			x0[i] = z[i] + float32(deviation*e)
		}
		draws = 1
	default:
		return nil, 0, fmt.Errorf("the VAE's encoder gives shape %v, want %d or %d channels and a latent's size", parameters.Shape(), g.Channels, 2*g.Channels)
	}
	for i, v := range x0 {
		x0[i] = (v - g.Shift) * g.Scaling
	}
	return x0, draws, nil
}

// checkStart reports a start that the model or the plan cannot make.
func (i Info) checkStart(s Settings, p *samplers.Plan) error {
	if s.Init != "" && !i.Encodes {
		return errNoEncoder(i.Name)
	}
	_, err := s.startCall(p)
	return err
}
