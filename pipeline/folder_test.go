package pipeline_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldx/assets"
	"ldx/internal/testlib"
	"ldx/pipeline"
)

// embeddedOnDisk copies the embedded model into a folder that a test may damage.
func embeddedOnDisk(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, assets.Model()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFolderOnDiskGivesTheSameRun(t *testing.T) {
	f, err := pipeline.OpenFolder(embeddedOnDisk(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := pipeline.Load(context.Background(), testlib.Runtime(t), f, pipeline.LoadOptions{Device: "auto", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	s := m.Settings()
	s.Steps, s.Seed = 2, 1
	onDisk, embedded := runToEnd(t, m, s), runToEnd(t, testlib.Model(t), s)
	if d := distance(numbers(t, onDisk[2]).State.X, numbers(t, embedded[2]).State.X); d > 1e-5 {
		t.Errorf("the run from disk differs by %g", d)
	}
}

func TestOpenFolderSaysWhatItIs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("torch/unet/diffusion_pytorch_model.safetensors", "x")
	tests := map[string]struct{ path, want string }{
		"checkpoint":     {write("sd.safetensors", "x"), "'" + filepath.Join(dir, "sd.safetensors") + "' '" + filepath.Join(dir, "sd") + "'"},
		"old checkpoint": {write("sd.ckpt", "x"), "optimum-cli export onnx --model '" + filepath.Join(dir, "sd") + "'"},
		"pytorch folder": {filepath.Join(dir, "torch"), "optimum-cli export onnx"},
		"one graph":      {write("model.onnx", "x"), "name the folder"},
		"another file":   {write("notes.txt", "x"), "want a folder"},
		"no model":       {dir, "is no model folder"},
		"nothing":        {filepath.Join(dir, "missing"), "no such file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := pipeline.OpenFolder(tt.path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, tt.want)
			}
		})
	}
}

// TestDamagedModelsAreErrors damages one file at a time; the error names it.
func TestDamagedModelsAreErrors(t *testing.T) {
	rt := testlib.Runtime(t)
	replace := func(old, with string) func([]byte) []byte {
		return func(data []byte) []byte { return []byte(strings.ReplaceAll(string(data), old, with)) }
	}
	cut := func(data []byte) []byte { return data[:len(data)/2] }
	tests := map[string]struct {
		file   string
		damage func([]byte) []byte // nil removes it
		want   string
	}{
		"truncated unet":     {"unet/model.onnx", cut, "unet/model.onnx"},
		"empty unet":         {"unet/model.onnx", func([]byte) []byte { return nil }, "unet/model.onnx"},
		"text for a graph":   {"text_encoder/model.onnx", func([]byte) []byte { return []byte("not a model") }, "text_encoder/model.onnx"},
		"swapped graphs":     {"unet/model.onnx", func([]byte) []byte { return readEmbedded(t, "vae_decoder/model.onnx") }, "unet/model.onnx: input latent_sample"},
		"no text encoder":    {"text_encoder/model.onnx", nil, "has no text_encoder/model.onnx"},
		"no tokenizer":       {"tokenizer/vocab.json", nil, "has no tokenizer/vocab.json"},
		"broken vocabulary":  {"tokenizer/vocab.json", cut, "vocab.json"},
		"broken scheduler":   {"scheduler/scheduler_config.json", cut, "scheduler_config.json"},
		"broken vae config":  {"vae_decoder/config.json", cut, "vae_decoder/config.json"},
		"other channels":     {"vae_decoder/config.json", replace(`"latent_channels": 4`, `"latent_channels": 16`), "vae_decoder/config.json"},
		"absurd channels":    {"vae_decoder/config.json", replace(`"latent_channels": 4`, `"latent_channels": 9999999`), "latent_channels is 9999999"},
		"zero scale":         {"vae_decoder/config.json", replace(`"scaling_factor": 0.`, `"scaling_factor": -0.`), "scaling_factor"},
		"token count":        {"tokenizer/tokenizer_config.json", replace("24", "25"), "text_encoder/model.onnx"},
		"wrong config types": {"unet/config.json", replace(`"sample_size": 16`, `"sample_size": "big"`), "unet/config.json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := embeddedOnDisk(t)
			damageFile(t, filepath.Join(dir, filepath.FromSlash(tt.file)), tt.damage)
			f, err := pipeline.OpenFolder(dir)
			var m *pipeline.Model
			if err == nil {
				m, err = pipeline.Load(context.Background(), rt, f, pipeline.LoadOptions{Device: "cpu"})
			}
			if err == nil && tt.file == "tokenizer/tokenizer_config.json" {
				// The graph leaves the number of tokens free: the run tells.
				_, err = m.Begin(context.Background(), m.Settings())
			}
			if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, tt.want)
			}
		})
	}
}

func readEmbedded(t *testing.T, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(assets.Model(), name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func damageFile(t *testing.T, path string, damage func([]byte) []byte) {
	t.Helper()
	if damage == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, damage(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCancelInTheMiddleOfAModelRun(t *testing.T) {
	m := testlib.Model(t)
	s := m.Settings()
	s.Width, s.Height = 512, 512 // a call of seconds
	if _, err := m.Encode(context.Background(), s.Prompt); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := m.Begin(ctx, s); !pipeline.Cancelled(err) {
		t.Errorf("error is %v, want a cancellation", err)
	}
	if _, err := m.Begin(context.Background(), m.Settings()); err != nil {
		t.Errorf("after a cancelled run: %v", err)
	}
}

func TestPartsDescribeTheFolder(t *testing.T) {
	parts, err := testlib.Embedded().Parts()
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]int{"text_encoder": 1, "unet": 3, "vae_decoder": 1, "vae_encoder": 1}
	for _, p := range parts {
		if p.Err != nil || len(p.Inputs) != inputs[p.Name] || p.Bytes == 0 {
			t.Errorf("%s: %d inputs, %d bytes, error %v; want %d inputs", p.Name, len(p.Inputs), p.Bytes, p.Err, inputs[p.Name])
		}
	}
	if len(parts) != len(inputs) {
		t.Errorf("%d parts, want %d", len(parts), len(inputs))
	}
}
