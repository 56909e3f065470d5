package export

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/nlpodyssey/safetensors"

	"ldx/pipeline"
)

// Trace writes a run as safetensors: float32, one entry a call in diffusers'
// order. x is [N+1, C, H, W] and starts with x_T; x0, eps, eps_cond and
// eps_uncond are [N, C, H, W] (eps_uncond repeats eps_cond where guidance was
// off); timesteps and sigmas are [N], each of the schedule that its step was taken on. A
// path that stops early is written as far as it goes. In the metadata "settings" are
// those of the first call, as JSON. Where they change on the way, "changes" lists the
// calls from which on others hold: [{"call":8,"settings":{…}}]. Each latent of x is on
// the scale of the sampler that goes on from it.
func Trace(w io.Writer, model string, path []*pipeline.Step) error {
	last := path[len(path)-1]
	all := make([]*pipeline.Tensors, len(path))
	for i, s := range path {
		var err error
		if all[i], err = s.Tensors(); err != nil {
			return fmt.Errorf("trace: %w", err)
		}
	}
	calls := all[:len(all)-1]
	t := &traceBuilder{latent: last.Shape()[1:], views: map[string]stack{}}
	t.stack("x", all, func(s *pipeline.Tensors) []float32 { return s.State.X })
	t.stack("x0", calls, func(s *pipeline.Tensors) []float32 { return s.X0 })
	t.stack("eps", calls, (*pipeline.Tensors).Eps)
	t.stack("eps_cond", calls, func(s *pipeline.Tensors) []float32 { return s.Cond })
	t.stack("eps_uncond", calls, uncond)
	timesteps, sigmas := make([]float32, len(calls)), make([]float32, len(calls))
	for i, s := range path[:len(path)-1] {
		timesteps[i], sigmas[i] = s.Timestep(), s.Sigma()
	}
	t.views["timesteps"] = stack{shape: []uint64{uint64(len(calls))}, data: [][]float32{timesteps}}
	t.views["sigmas"] = stack{shape: []uint64{uint64(len(calls))}, data: [][]float32{sigmas}}
	metadata, err := traceMetadata(model, path)
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return safetensors.SerializeToWriter(t.views, metadata, w)
}

// traceChange says from which call on other settings hold.
type traceChange struct {
	Call     int               `json:"call"`
	Settings pipeline.Settings `json:"settings"`
}

func traceMetadata(model string, path []*pipeline.Step) (map[string]string, error) {
	settings, err := json.Marshal(path[0].Settings)
	if err != nil {
		return nil, err
	}
	metadata := map[string]string{"model": model, "settings": string(settings)}
	var changes []traceChange
	for i := 1; i < len(path); i++ {
		if path[i].Settings != path[i-1].Settings {
			changes = append(changes, traceChange{i, path[i].Settings})
		}
	}
	if len(changes) > 0 {
		list, err := json.Marshal(changes)
		if err != nil {
			return nil, err
		}
		metadata["changes"] = string(list)
	}
	return metadata, nil
}

// uncond is the unconditional output, or with guidance off the conditional one
// that stood in for it.
func uncond(s *pipeline.Tensors) []float32 {
	if s.Uncond == nil {
		return s.Cond
	}
	return s.Uncond
}

type traceBuilder struct {
	latent []int
	views  map[string]stack
}

func (t *traceBuilder) stack(name string, steps []*pipeline.Tensors, get func(*pipeline.Tensors) []float32) {
	s := stack{shape: []uint64{uint64(len(steps))}}
	for _, d := range t.latent {
		s.shape = append(s.shape, uint64(d))
	}
	for _, step := range steps {
		s.data = append(s.data, get(step))
	}
	t.views[name] = s
}

// stack is a tensor [len(data), ...] of float32 held in parts.
type stack struct {
	shape []uint64
	data  [][]float32
}

func (s stack) DType() safetensors.DType { return safetensors.F32 }

func (s stack) Shape() []uint64 { return s.shape }

func (s stack) DataLen() uint64 {
	n := uint64(4)
	for _, d := range s.shape {
		n *= d
	}
	return n
}

func (s stack) Data() []byte {
	out := make([]byte, 0, s.DataLen())
	for _, part := range s.data {
		for _, v := range part {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out
}
