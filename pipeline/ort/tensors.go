package ort

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	onnx "github.com/yalue/onnxruntime_go"
	"gorgonia.org/tensor"
)

// toValue lends t's memory to ONNX Runtime for one run. Scalars go as shape [1],
// which the runtime accepts for rank 0.
func toValue(t *tensor.Dense) (onnx.Value, error) {
	shape := make(onnx.Shape, 0, t.Dims())
	for _, d := range t.Shape() {
		shape = append(shape, int64(d))
	}
	if len(shape) == 0 {
		shape = append(shape, 1)
	}
	switch data := t.Data().(type) {
	case []float32:
		return onnx.NewTensor(shape, data)
	case []float64:
		return onnx.NewTensor(shape, data)
	case []int32:
		return onnx.NewTensor(shape, data)
	case []int64:
		return onnx.NewTensor(shape, data)
	}
	return nil, fmt.Errorf("element type %v is not supported", t.Dtype())
}

// fromValue copies a result into Go's memory.
func fromValue(v onnx.Value) (*tensor.Dense, error) {
	shape := make([]int, 0, 4)
	for _, d := range v.GetShape() {
		shape = append(shape, int(d))
	}
	switch v := v.(type) {
	case *onnx.Tensor[float32]:
		return dense(shape, v.GetData()), nil
	case *onnx.Tensor[int64]:
		return dense(shape, v.GetData()), nil
	}
	return nil, fmt.Errorf("element type %v is not supported", v.DataType())
}

func dense[T any](shape []int, data []T) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(data)))
}

// oneLine folds the runtime's messages, which may run over several lines.
func oneLine(err error) error {
	if err == nil || !strings.Contains(err.Error(), "\n") {
		return err
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
