package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nlpodyssey/safetensors"
	"gorgonia.org/tensor"

	"ldx/pipeline"
)

// maxMemory bounds how many tensors a solver may remember; none comes near.
const maxMemory = 64

const memoryName = "memory."

// tensorName reports whether a step has a tensor of a name.
func tensorName(name string) bool {
	number, ok := strings.CutPrefix(name, memoryName)
	if !ok {
		return field(&pipeline.Tensors{}, name) != nil
	}
	n, err := strconv.Atoi(number)
	return err == nil && n >= 0 && n < maxMemory && number == strconv.Itoa(n)
}

// names are a step's tensors, those shared first that others are most often made of.
func names(memory int) []string {
	all := []string{"x"}
	for i := range memory {
		all = append(all, memoryName+strconv.Itoa(i))
	}
	return append(all, "cond", "uncond", "eps", "renoise", "momentum", "x0")
}

// field is where a tensor of a name is, nil where there is no such place.
func field(t *pipeline.Tensors, name string) *[]float32 {
	switch name {
	case "x":
		return &t.State.X
	case "cond":
		return &t.Cond
	case "uncond":
		return &t.Uncond
	case "eps":
		return &t.Guided.Output
	case "renoise":
		return &t.Guided.Renoise
	case "momentum":
		return &t.Guided.Momentum
	case "x0":
		return &t.X0
	}
	i, err := strconv.Atoi(strings.TrimPrefix(name, memoryName))
	if err != nil || i < 0 || i >= len(t.State.Memory) {
		return nil
	}
	return &t.State.Memory[i]
}

const tensorsName = "tensors"

// tensorFile is where the tensors lie that a step was the first to have.
func tensorFile(dir string, step int) string {
	return filepath.Join(dir, tensorsName, fmt.Sprintf("%06d.safetensors", step))
}

// view is a tensor as safetensors writes it.
type view struct {
	shape tensor.Shape
	data  []float32
}

// DType implements safetensors.View.
func (view) DType() safetensors.DType { return safetensors.F32 }

// Shape implements safetensors.View.
func (v view) Shape() []uint64 {
	out := make([]uint64, len(v.shape))
	for i, d := range v.shape {
		out[i] = uint64(d)
	}
	return out
}

// DataLen implements safetensors.View.
func (v view) DataLen() uint64 { return uint64(4 * len(v.data)) }

// Data implements safetensors.View.
func (v view) Data() []byte {
	out := make([]byte, 0, 4*len(v.data))
	for _, x := range v.data {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

// encodeTensors is a step's tensor file.
func encodeTensors(shape tensor.Shape, own map[string][]float32) ([]byte, error) {
	views := make(map[string]view, len(own))
	for name, data := range own {
		views[name] = view{shape, data}
	}
	var out bytes.Buffer
	out.Grow(len(own)*(4*shape.TotalSize()+128) + 128)
	err := safetensors.SerializeToWriter(views, nil, &out)
	return out.Bytes(), err
}

// maxTensorHeader bounds the JSON before the numbers of a tensor file.
const maxTensorHeader = 1 << 16

// readTensors reads tensors of a shape from a step's file. Nothing is allocated before
// the file's size is known to be one that such a step can have.
func readTensors(path string, shape tensor.Shape, want []string) (map[string][]float32, error) {
	n, file := shape.TotalSize(), filepath.Join(tensorsName, filepath.Base(path)) // short, for a line on the screen
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing", file)
	}
	if err != nil {
		return nil, err
	}
	if most := int64(len(names(maxMemory)))*int64(n)*4 + maxTensorHeader; info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", file, info.Size(), most)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all, err := safetensors.Deserialize(data)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", file, err)
	}
	out := make(map[string][]float32, len(want))
	for _, name := range want {
		t, ok := all.Tensor(name)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s has no tensor %s", file, name)
		case t.DType() != safetensors.F32 || !sameShape(t.Shape(), shape):
			return nil, fmt.Errorf("%s: %s is %v %v, want F32 %v", file, name, t.DType(), t.Shape(), shape)
		}
		out[name] = floats(t.Data())
	}
	return out, nil
}

func sameShape(a []uint64, b tensor.Shape) bool {
	if len(a) != len(b) {
		return false
	}
	for i, d := range a {
		if d != uint64(b[i]) {
			return false
		}
	}
	return true
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
