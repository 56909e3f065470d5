package session

import (
	"bytes"
	"testing"
	"testing/fstest"
)

// TestFingerprint holds which changes of a model are seen: of a file's size, its
// beginning and its end, and of nothing that is no part of a model.
func TestFingerprint(t *testing.T) {
	const size = 4 << 20
	model := func(change func(graph []byte) []byte) fstest.MapFS {
		return fstest.MapFS{
			"unet/model.onnx":                 {Data: change(make([]byte, size))},
			"unet/config.json":                {Data: []byte("{}")},
			"tokenizer/vocab.json":            {Data: []byte("{}")},
			"scheduler/scheduler_config.json": {Data: []byte("{}")},
			"unet/cache/old":                  {Data: []byte("x")},
			"pictures/a.png":                  {Data: []byte("x")},
			"ldx.json":                        {Data: []byte("{}")},
		}
	}
	flip := func(at int) func([]byte) []byte {
		return func(graph []byte) []byte { graph[at]++; return graph }
	}
	tests := map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"nothing": {bytes.Clone, ""},
		"start":   {flip(0), "unet/model.onnx"},
		"first":   {flip(1<<20 - 1), "unet/model.onnx"},
		"middle":  {flip(2 << 20), ""},
		"last":    {flip(size - 1<<20), "unet/model.onnx"},
		"end":     {flip(size - 1), "unet/model.onnx"},
		"shorter": {func(graph []byte) []byte { return graph[1:] }, "unet/model.onnx"},
		"short":   {func([]byte) []byte { return nil }, "unet/model.onnx"},
	}
	was, err := Fingerprint(model(bytes.Clone))
	if err != nil || len(was) != 4 {
		t.Fatalf("fingerprint is %v (%v), want 4 files", was, err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			is, err := Fingerprint(model(tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if got := differentFile(was, is); got != tt.want {
				t.Errorf("%q differs, want %q", got, tt.want)
			}
		})
	}
	lost := model(bytes.Clone)
	delete(lost, "unet/config.json")
	is, err := Fingerprint(lost)
	if got := differentFile(was, is); err != nil || got != "unet/config.json" {
		t.Errorf("%q differs (%v), want the lost file", got, err)
	}
}
