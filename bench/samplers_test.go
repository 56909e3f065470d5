package bench

import (
	"runtime"
	"slices"
	"testing"

	"ldx/samplers"
)

// benchConfig is Stable Diffusion's, as bench/peer/samplers.py has it too.
const benchConfig = `{"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,"clip_sample":false,"set_alpha_to_one":false,"skip_prk_steps":true,"steps_offset":1}`

// The run that steps are taken from: 20 steps of a latent of 4x128x128 (a picture of
// 1024x1024), from call benchFirst on, when nothing is warming up any more.
const (
	benchSteps  = 20
	benchLatent = 4 * 128 * 128
	benchFirst  = 8
	benchCalls  = 8
)

// drawnBefore is noise that costs no more than its copy.
type drawnBefore [][]float32

func (d drawnBefore) Draw(k int) []float32 { return slices.Clone(d[k%len(d)]) }

// liveHeap is what a run has in memory beside the step it takes: its kept steps and
// pictures. Without, nothing would be alive here but a few latents, and the collector,
// which begins when the heap has doubled, would run every few steps.
const liveHeap = 64 << 20

// BenchmarkSamplerStep is the arithmetic of each sampler's step, a call of the denoiser
// at a time: no model, no guidance, no making of noise. bench/peer/samplers.py holds it
// against the same formulas in numpy.
func BenchmarkSamplerStep(b *testing.B) {
	generator, err := samplers.NewNoise(samplers.Torch, 1, benchLatent)
	if err != nil {
		b.Fatal(err)
	}
	var noise drawnBefore
	for k := range 4 {
		noise = append(noise, generator.Draw(k))
	}
	config, err := samplers.ParseConfig([]byte(benchConfig))
	if err != nil {
		b.Fatal(err)
	}
	kept := make([]byte, liveHeap)
	defer runtime.KeepAlive(kept)
	for _, s := range samplers.Samplers() {
		b.Run(s.Name, func(b *testing.B) {
			p, err := samplers.NewPlan(samplers.Request{Sampler: s.Name, Config: config, Steps: benchSteps})
			if err != nil {
				b.Fatal(err)
			}
			benchmarkCalls(b, p, samplers.Options{Noise: noise}, noise)
		})
	}
}

// benchmarkCalls times benchCalls calls in the middle of a run, over and over, each
// from the state that a run has there; the heap has by then grown to what it stays at,
// as numpy's has.
func benchmarkCalls(b *testing.B, p *samplers.Plan, o samplers.Options, outputs drawnBefore) {
	b.Helper()
	states := []samplers.State{p.Start(o.Noise)}
	for i := range benchFirst + benchCalls {
		next, _, err := p.Step(states[i], outputs[i%len(outputs)], o)
		if err != nil {
			b.Fatal(err)
		}
		states = append(states, next)
	}
	b.SetBytes(4 * benchLatent)
	b.ReportAllocs()
	call := func(i int) {
		at := benchFirst + i%benchCalls
		if _, _, err := p.Step(states[at], outputs[at%len(outputs)], o); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 4 * liveHeap / (4 * benchLatent) {
		call(i)
	}
	for i := 0; b.Loop(); i++ {
		call(i)
	}
}
