package ort_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"ldx/assets"
	"ldx/internal/testlib"
	"ldx/pipeline/ort"
)

func embedded(t testing.TB, part string) ort.Graph {
	t.Helper()
	data, err := fs.ReadFile(assets.Model(), part+"/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	return ort.Graph{Name: part, File: bytes.NewReader(data), Size: int64(len(data))}
}

func TestDescribeReadsTheSignature(t *testing.T) {
	inputs, outputs, err := ort.Describe(embedded(t, "unet"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"sample float32 [-1 4 -1 -1]", "timestep int64 [-1]", "encoder_hidden_states float32 [-1 -1 128]"}
	if len(inputs) != len(want) || len(outputs) != 1 {
		t.Fatalf("inputs %v, outputs %v", inputs, outputs)
	}
	for i, w := range want {
		if got := inputs[i].String(); got != w {
			t.Errorf("input %d is %s, want %s", i, got, w)
		}
	}
}

// TestDescribeAgreesWithDisk reads the same graph from a file.
func TestDescribeAgreesWithDisk(t *testing.T) {
	g := embedded(t, "text_encoder")
	path := filepath.Join(t.TempDir(), "model.onnx")
	data, err := fs.ReadFile(assets.Model(), "text_encoder/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	in, out, err := ort.Describe(ort.Graph{Name: "file", Path: path})
	if err != nil {
		t.Fatal(err)
	}
	wantIn, wantOut, err := ort.Describe(g)
	if err != nil {
		t.Fatal(err)
	}
	if in[0].String() != wantIn[0].String() || out[0].String() != wantOut[0].String() {
		t.Errorf("from disk %v -> %v, want %v -> %v", in, out, wantIn, wantOut)
	}
}

func TestRunRefuses(t *testing.T) {
	s, err := testlib.Runtime(t).Load(embedded(t, "vae_decoder"), ort.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	latent := tensor.New(tensor.WithShape(1, 4, 4, 4), tensor.Of(tensor.Float32))
	ctx := context.Background()
	if out, err := s.Run(ctx, latent); err != nil || !out[0].Shape().Eq(tensor.Shape{1, 3, 32, 32}) {
		t.Fatalf("output %v, error %v", out, err)
	}
	wrong := map[string][]*tensor.Dense{
		"no input":       {},
		"wrong rank":     {tensor.New(tensor.WithShape(4), tensor.Of(tensor.Float32))},
		"wrong type":     {tensor.New(tensor.WithShape(1, 4, 4, 4), tensor.Of(tensor.Float64))},
		"unknown type":   {tensor.New(tensor.WithShape(1, 4, 4, 4), tensor.Of(tensor.Int8))},
		"wrong channels": {tensor.New(tensor.WithShape(1, 5, 4, 4), tensor.Of(tensor.Float32))},
	}
	for name, inputs := range wrong {
		if _, err := s.Run(ctx, inputs...); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(ctx, latent); err == nil {
		t.Error("a closed session ran")
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestOpenSaysWhichLibrary(t *testing.T) {
	if _, err := ort.Open(filepath.Join(t.TempDir(), "missing.so")); err == nil || !strings.Contains(err.Error(), "missing.so") {
		t.Errorf("error is %v, want one that names missing.so", err)
	}
}

// TestGraphCacheGivesTheSame loads a graph fresh, from the cache, and past a
// damaged cache; the outputs are the same bits.
func TestGraphCacheGivesTheSame(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "graphs")
	latent := tensor.New(tensor.WithShape(1, 4, 4, 4), tensor.WithBacking(tensor.Random(tensor.Float32, 64)))
	run := func(cache string) []float32 {
		t.Helper()
		s, err := testlib.Runtime(t).Load(embedded(t, "vae_decoder"), ort.Options{Threads: 1, GraphCache: cache})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		out, err := s.Run(context.Background(), latent)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Data().([]float32)
	}
	want := run("")
	cached := func() string {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%d files in the cache, want one (error %v)", len(entries), err)
		}
		return filepath.Join(dir, entries[0].Name())
	}
	check := func(what string) {
		t.Helper()
		if !slices.Equal(run(dir), want) {
			t.Errorf("%s: other outputs", what)
		}
	}
	check("first time")
	check("from the cache")
	graph, err := os.ReadFile(cached())
	if err != nil {
		t.Fatal(err)
	}
	graph[len(graph)/2] ^= 1
	for what, content := range map[string][]byte{"one bit off": graph, "truncated": graph[:100], "empty": nil} {
		if err := os.WriteFile(cached(), content, 0o600); err != nil {
			t.Fatal(err)
		}
		check(what)
		check(what + ", made again")
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(run(filepath.Join(dir, "file", "cache")), want) {
		t.Error("a cache that cannot be written changes the outputs")
	}
}

// TestGraphCacheOfAFile keeps one graph for a file on disk, and another once the
// weights beside it are others; a folder that is too large is not kept.
func TestGraphCacheOfAFile(t *testing.T) {
	dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "graphs")
	data, err := fs.ReadFile(assets.Model(), "vae_decoder/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.onnx")
	beside := filepath.Join(dir, "model.onnx_data")
	load := func(want int) {
		t.Helper()
		s, err := testlib.Runtime(t).Load(ort.Graph{Name: path, Path: path}, ort.Options{Threads: 1, GraphCache: cache})
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if entries, _ := os.ReadDir(cache); len(entries) != want {
			t.Errorf("%d files in the cache, want %d", len(entries), want)
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	load(1)
	load(1)
	if err := os.WriteFile(beside, []byte("other weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	load(2)
	if err := os.Truncate(beside, 1<<30); err != nil {
		t.Fatal(err)
	}
	load(2)
}

func FuzzDescribe(f *testing.F) {
	data, err := fs.ReadFile(assets.Model(), "text_encoder/model.onnx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:4096])
	f.Add([]byte{0x3a, 0x04, 0x5a, 0x02, 0x0a, 0x00})
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, data []byte) {
		in, out, err := ort.Describe(ort.Graph{Name: "fuzz", File: bytes.NewReader(data), Size: int64(len(data))})
		if err == nil && (len(in) == 0 || len(out) == 0) {
			t.Error("neither a signature nor an error")
		}
	})
}
