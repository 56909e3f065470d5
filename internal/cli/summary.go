package cli

import (
	"fmt"
	"math"
	"time"

	"ldx/pipeline"
	"ldx/samplers"
)

// summary is what `ldx run --json` prints. Times are milliseconds.
type summary struct {
	Model     string    `json:"model"`
	Device    string    `json:"device"`
	Sampler   string    `json:"sampler"`
	Seed      uint64    `json:"seed"`
	Variation *uint64   `json:"variation_seed,omitempty"`
	Steps     int       `json:"steps"`
	Done      int       `json:"steps_done"`
	Timesteps []float32 `json:"timesteps"`
	UNetCalls int       `json:"unet_calls"`
	timings
	rng samplers.Generator
}

type timings struct {
	LibraryMS float64   `json:"library_ms"`
	LoadMS    float64   `json:"load_ms"`
	EncodeMS  float64   `json:"encode_ms"`
	StepMS    []float64 `json:"step_ms"`
	UNetMS    []float64 `json:"unet_ms"`
	DecodeMS  float64   `json:"decode_ms"`
	TotalMS   float64   `json:"total_ms"`
}

func newSummary(e *engine, path []*pipeline.Step) summary {
	last := path[len(path)-1]
	s := summary{
		Model: e.model.Info().Name, Device: e.model.Device(), Sampler: last.Settings.Sampler,
		Seed: last.Settings.Seed, Steps: last.Settings.Steps, Done: last.Number() - path[0].Number(),
		rng: last.Settings.RNG,
	}
	s.LibraryMS, s.LoadMS = milliseconds(e.libraryTime), milliseconds(e.model.LoadTime())
	if last.Settings.VariationStrength > 0 {
		s.Variation = &last.Settings.VariationSeed
	}
	for i := path[0].Call(); i < last.Leg.Plan.Calls(); i++ {
		s.Timesteps = append(s.Timesteps, last.Leg.Plan.Timestep(i))
	}
	// A step's model call is made where it starts, its arithmetic where it ends.
	for i, step := range path {
		s.UNetCalls += step.Timing.Calls
		s.EncodeMS += milliseconds(step.Timing.Encode)
		if i == 0 {
			continue
		}
		from := path[i-1].Timing
		s.UNetMS = append(s.UNetMS, milliseconds(from.Denoise))
		s.StepMS = append(s.StepMS, milliseconds(from.Denoise+from.Combine+step.Timing.Solve))
	}
	return s
}

// variationNote names the variation seed, which may be random.
func (s summary) variationNote() string {
	if s.Variation == nil {
		return ""
	}
	return fmt.Sprintf(" towards %d", *s.Variation)
}

// seedNote warns where torch's generator does not tell two seeds apart.
func (s summary) seedNote() string {
	if s.rng != samplers.Torch || s.Seed <= math.MaxUint32 {
		return ""
	}
	return fmt.Sprintf(" (the %s generator keeps the seed's low 32 bits: same as seed %d)", samplers.Torch, uint32(s.Seed))
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d.Microseconds())) / 1000
}
