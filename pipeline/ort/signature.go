package ort

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// ElementType is a tensor's element type as ONNX numbers it
// (TensorProto.DataType).
type ElementType int32

// The element types that models of this kind use.
const (
	Float32  ElementType = 1
	Int32    ElementType = 6
	Int64    ElementType = 7
	Float16  ElementType = 10
	Float64  ElementType = 11
	BFloat16 ElementType = 16
)

func (e ElementType) String() string {
	switch e {
	case Float32:
		return "float32"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float16:
		return "float16"
	case Float64:
		return "float64"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("element type %d", int32(e))
}

// Info describes an input or output of a graph. A dimension that is free is -1.
type Info struct {
	Name  string
	Type  ElementType
	Shape []int64
}

func (i Info) String() string { return fmt.Sprintf("%s %v %v", i.Name, i.Type, i.Shape) }

// signature is what a graph takes and gives. It is read from the file itself:
// the runtime tells only after building a session.
type signature struct {
	inputs, outputs []Info
}

// Field numbers of onnx.proto.
const (
	modelGraph       = 7
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12
	tensorName       = 8
	valueName        = 1
	valueType        = 2
	typeTensor       = 1
	tensorElem       = 1
	tensorShape      = 2
	shapeDim         = 1
	dimValue         = 1
)

// maxValueInfo bounds one input's description; real ones take some 100 bytes.
const maxValueInfo = 1 << 20

// Describe reads a graph's inputs and outputs without loading it.
func Describe(g Graph) (inputs, outputs []Info, err error) {
	sig, err := readSignature(g)
	return sig.inputs, sig.outputs, err
}

func readSignature(g Graph) (signature, error) {
	sig, err := func() (signature, error) {
		if g.File != nil {
			return parseSignature(g.File, g.Size)
		}
		f, err := os.Open(g.Path)
		if err != nil {
			return signature{}, err
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			return signature{}, err
		}
		return parseSignature(f, info.Size())
	}()
	if err != nil {
		return signature{}, fmt.Errorf("%s is not a readable ONNX model: %w", g.Name, err)
	}
	return sig, nil
}

// parseSignature walks ModelProto.graph, skipping over the weights unread.
func parseSignature(r io.ReaderAt, size int64) (signature, error) {
	var sig signature
	var initialized []string
	err := walk(r, 0, size, func(f field) error {
		if f.number != modelGraph {
			return nil
		}
		return walk(r, f.start, f.end, func(f field) error {
			switch f.number {
			case graphInitializer:
				name, err := initializerName(r, f)
				initialized = append(initialized, name)
				return err
			case graphInput:
				return appendInfo(r, f, &sig.inputs)
			case graphOutput:
				return appendInfo(r, f, &sig.outputs)
			}
			return nil
		})
	})
	if err != nil {
		return signature{}, err
	}
	// Older exporters list the weights among the inputs.
	sig.inputs = slices.DeleteFunc(sig.inputs, func(i Info) bool { return slices.Contains(initialized, i.Name) })
	if len(sig.inputs) == 0 || len(sig.outputs) == 0 {
		return signature{}, fmt.Errorf("it has %d inputs and %d outputs", len(sig.inputs), len(sig.outputs))
	}
	return sig, nil
}

// field is one length-delimited field: its number and where its content lies.
type field struct {
	number     protowire.Number
	start, end int64
}

var errTruncated = errors.New("it is truncated or not ONNX at all")

// walk calls visit for each length-delimited field between at and end.
func walk(r io.ReaderAt, at, end int64, visit func(field) error) error {
	var head [2 * 10]byte
	for at < end {
		n, err := r.ReadAt(head[:min(int64(len(head)), end-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		number, kind, tag := protowire.ConsumeTag(head[:n])
		if tag < 0 {
			return errTruncated
		}
		rest := head[tag:n]
		if kind != protowire.BytesType {
			skip := protowire.ConsumeFieldValue(number, kind, rest)
			if skip < 0 {
				return errTruncated
			}
			at += int64(tag + skip)
			continue
		}
		length, prefix := protowire.ConsumeVarint(rest)
		start := at + int64(tag+prefix)
		if prefix < 0 || length > uint64(max(end-start, 0)) {
			return errTruncated
		}
		at = start + int64(length)
		if err := visit(field{number: number, start: start, end: at}); err != nil {
			return err
		}
	}
	return nil
}

func initializerName(r io.ReaderAt, f field) (name string, err error) {
	err = walk(r, f.start, f.end, func(f field) error {
		if f.number != tensorName {
			return nil
		}
		data, err := content(r, f)
		name = string(data)
		return err
	})
	return name, err
}

func content(r io.ReaderAt, f field) ([]byte, error) {
	if f.end-f.start > maxValueInfo {
		return nil, errTruncated
	}
	data := make([]byte, f.end-f.start)
	if n, err := r.ReadAt(data, f.start); n < len(data) {
		return nil, err
	}
	return data, nil
}

func appendInfo(r io.ReaderAt, f field, to *[]Info) error {
	data, err := content(r, f)
	if err != nil {
		return err
	}
	var info Info
	eachField(data, func(n protowire.Number, value []byte, _ uint64) {
		switch n {
		case valueName:
			info.Name = string(value)
		case valueType:
			info.readType(value)
		}
	})
	*to = append(*to, info)
	return nil
}

func (i *Info) readType(data []byte) {
	eachField(data, func(n protowire.Number, value []byte, _ uint64) {
		if n != typeTensor {
			return
		}
		eachField(value, func(n protowire.Number, value []byte, number uint64) {
			switch n {
			case tensorElem:
				i.Type = ElementType(number)
			case tensorShape:
				i.readShape(value)
			}
		})
	})
}

func (i *Info) readShape(data []byte) {
	eachField(data, func(n protowire.Number, dim []byte, _ uint64) {
		if n != shapeDim {
			return
		}
		size := int64(-1)
		eachField(dim, func(n protowire.Number, _ []byte, number uint64) {
			if n == dimValue {
				size = int64(number)
			}
		})
		i.Shape = append(i.Shape, size)
	})
}

// eachField visits the fields of a small message: value for length-delimited
// ones, number for varints. It stops at the first malformed byte.
func eachField(data []byte, visit func(n protowire.Number, value []byte, number uint64)) {
	for len(data) > 0 {
		n, kind, tag := protowire.ConsumeTag(data)
		if tag < 0 {
			return
		}
		size := protowire.ConsumeFieldValue(n, kind, data[tag:])
		if size < 0 {
			return
		}
		switch kind {
		case protowire.BytesType:
			value, _ := protowire.ConsumeBytes(data[tag:])
			visit(n, value, 0)
		case protowire.VarintType:
			number, _ := protowire.ConsumeVarint(data[tag:])
			visit(n, nil, number)
		}
		data = data[tag+size:]
	}
}
