package pipeline

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"ldx/samplers"
)

// Info is what a model says of itself: its geometry and its defaults.
type Info struct {
	Name      string
	Scheduler samplers.Config
	Latent    Geometry
	Preview   RGBMatrix
	Defaults  Defaults
	Encodes   bool // whether it has the VAE's encoder, so that a run can start from a picture
}

// Settings are the model's defaults, with seed 0.
func (i Info) Settings() Settings {
	side := i.Latent.Size * i.Latent.Factor
	sampler := i.Scheduler.Sampler()
	return Settings{
		Prompt: i.Defaults.Prompt, Guidance: i.Defaults.Guidance, Steps: i.Defaults.Steps,
		Sampler: sampler, RNG: samplers.Torch, Width: side, Height: side,
	}
}

// Check reports the first setting that does not fit the model, with what would.
func (i Info) Check(s Settings) error {
	_, err := i.Plan(s)
	return err
}

// Plan lays out the run that settings describe, after checking all of them.
func (i Info) Plan(s Settings) (*samplers.Plan, error) {
	leg, err := i.layOut(s)
	if err != nil {
		return nil, err
	}
	return leg.Plan, nil
}

// layOut is Plan with what the plan is laid out from.
func (i Info) layOut(s Settings) (*Leg, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := i.Latent.checkSize(s.Width, s.Height); err != nil {
		return nil, err
	}
	if err := s.checkDraws(); err != nil {
		return nil, err
	}
	leg, err := i.Leg(s.spec())
	if err != nil {
		return nil, err
	}
	return leg, i.checkStart(s, leg.Plan)
}

// checkDraws holds the generator, its seeds and the sampler against each other.
func (s Settings) checkDraws() error {
	if err := s.RNG.Check(); err != nil {
		return err
	}
	for _, seed := range []uint64{s.Seed, s.LaterSeed} {
		if err := s.RNG.CheckSeed(seed); err != nil {
			return err
		}
	}
	sampler, err := samplers.ByName(s.Sampler)
	if err != nil {
		return err
	}
	if s.Eta > 0 && !sampler.Eta {
		return fmt.Errorf("eta is %g, but %s has none: want 0, or one of %s", s.Eta, s.Sampler, samplers.Names(func(o samplers.Sampler) bool { return o.Eta }))
	}
	return s.guidance().Suits(sampler)
}

const defaultsFile = "ldx.json"

// Defaults are a folder's ldx.json: what to start with.
type Defaults struct {
	Steps    int     `json:"steps"`
	Guidance float64 `json:"guidance"`
	Prompt   string  `json:"prompt"`
}

// Stable Diffusion's values, for what a folder leaves open.
const (
	defaultSteps    = 20
	defaultGuidance = 7.5
	defaultScaling  = 0.18215
	defaultFactor   = 8
)

// vaeConfig and unetConfig are the keys read from diffusers' config.json files.
type vaeConfig struct {
	LatentChannels   int         `json:"latent_channels"`
	BlockOutChannels []int       `json:"block_out_channels"`
	ScalingFactor    *float32    `json:"scaling_factor"`
	ShiftFactor      *float32    `json:"shift_factor"`
	RGBFactors       [][]float32 `json:"latent_rgb_factors"`
	RGBBias          []float32   `json:"latent_rgb_bias"`
}

type unetConfig struct {
	InChannels       int      `json:"in_channels"`
	SampleSize       int      `json:"sample_size"`
	BlockOutChannels []int    `json:"block_out_channels"`
	DownBlockTypes   []string `json:"down_block_types"`
}

// ReadInfo reads the folder's JSON files, no graph. Only the scheduler's must be
// there.
func ReadInfo(f Folder) (Info, error) {
	info := Info{Name: f.Name, Defaults: Defaults{Steps: defaultSteps, Guidance: defaultGuidance}}
	info.Encodes = f.has(encoderPart + "/" + graphFile)
	data, err := fs.ReadFile(f.FS, schedulerPart+"/scheduler_config.json")
	if err != nil {
		return info, fmt.Errorf("%s: %w", f.path(schedulerPart+"/scheduler_config.json"), err)
	}
	if info.Scheduler, err = samplers.ParseConfig(data); err != nil {
		return info, fmt.Errorf("%s: %w", f.path(schedulerPart+"/scheduler_config.json"), err)
	}
	var vae vaeConfig
	for _, part := range []string{decoderPart, "vae"} {
		if err := f.json(part+"/config.json", &vae, true); err != nil {
			return info, err
		}
	}
	var unet unetConfig
	if err := f.json(unetPart+"/config.json", &unet, true); err != nil {
		return info, err
	}
	if err := f.json(defaultsFile, &info.Defaults, true); err != nil {
		return info, err
	}
	info.Latent = geometry(vae, unet)
	if err := info.Latent.check(); err != nil {
		return info, fmt.Errorf("model %s: %w", f.Name, err)
	}
	if f.has(defaultsFile) {
		if err := info.Check(info.Settings()); err != nil {
			return info, fmt.Errorf("%s: %w", f.path(defaultsFile), err)
		}
	}
	info.Preview, err = newRGBMatrix(vae.RGBFactors, vae.RGBBias, info.Latent)
	if err != nil {
		return info, fmt.Errorf("%s: %w", f.path(decoderPart+"/config.json"), err)
	}
	return info, nil
}

func geometry(vae vaeConfig, unet unetConfig) Geometry {
	g := Geometry{Channels: 4, Factor: defaultFactor, Halvings: 3, Size: 64, Scaling: defaultScaling}
	if vae.LatentChannels > 0 {
		g.Channels = vae.LatentChannels
	}
	if n := len(vae.BlockOutChannels); n > 0 {
		g.Factor = 1 << min(n-1, 8)
	}
	if vae.ScalingFactor != nil {
		g.Scaling = *vae.ScalingFactor
	}
	if vae.ShiftFactor != nil {
		g.Shift = *vae.ShiftFactor
	}
	if n := len(unet.BlockOutChannels); n > 0 {
		g.Halvings = min(n-1, 8)
	}
	attends := func(block string) bool { return strings.HasPrefix(block, "CrossAttn") }
	g.Attended = max(0, slices.IndexFunc(unet.DownBlockTypes, attends))
	if unet.SampleSize > 0 {
		g.Size = unet.SampleSize
	}
	return g
}
