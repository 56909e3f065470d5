package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ldx/pipeline/ort"
)

// Folder is a model in the layout of a Stable Diffusion ONNX export: a folder for
// each part, with its graph in model.onnx and its settings in JSON.
type Folder struct {
	Name string // how the model is called
	FS   fs.FS  // its files
	Dir  string // where they lie on disk; "" when they are embedded
}

// The parts of a folder.
const (
	textEncoderPart = "text_encoder"
	tokenizerPart   = "tokenizer"
	unetPart        = "unet"
	decoderPart     = "vae_decoder"
	encoderPart     = "vae_encoder"
	schedulerPart   = "scheduler"
)

const graphFile = "model.onnx"

// OpenFolder looks at a folder on disk. A checkpoint or a folder of another kind
// is an error that says what it is and how to convert it.
func OpenFolder(dir string) (Folder, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return Folder{}, fmt.Errorf("model %s: %w", dir, errors.Unwrap(err))
	}
	if !info.IsDir() {
		return Folder{}, notAFolder(dir)
	}
	f := Folder{Name: filepath.Base(filepath.Clean(dir)), FS: os.DirFS(dir), Dir: dir}
	if f.has(unetPart + "/" + graphFile) {
		return f, nil
	}
	if matches, err := fs.Glob(f.FS, unetPart+"/*.safetensors"); err == nil && len(matches) > 0 {
		return Folder{}, fmt.Errorf("model %s holds PyTorch weights, not ONNX graphs; convert them: %s && %s", dir, installConverter, exportFolder(dir))
	}
	return Folder{}, fmt.Errorf("model %s is no model folder: it has no %s/%s", dir, unetPart, graphFile)
}

// notAFolder explains a file given in place of a folder.
func notAFolder(path string) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".safetensors", ".ckpt", ".pt", ".pth":
		out := strings.TrimSuffix(path, filepath.Ext(path))
		load := fmt.Sprintf(`python3 -c 'import sys; from diffusers import StableDiffusionPipeline as P; P.from_single_file(sys.argv[1]).save_pretrained(sys.argv[2])' %s %s`, ShellWord(path), ShellWord(out))
		return fmt.Errorf("model %s is a PyTorch checkpoint (%s), not an ONNX folder; convert it: %s && %s && %s", path, ext, installConverter, load, exportFolder(out))
	case ".onnx":
		return fmt.Errorf("model %s is one graph; name the folder that holds unet/, text_encoder/ and vae_decoder/", path)
	}
	return fmt.Errorf("model %s is a file, want a folder with unet/, text_encoder/ and vae_decoder/", path)
}

// installConverter brings what converts a PyTorch model.
const installConverter = `pip install diffusers "optimum-onnx[onnxruntime]"`

func exportFolder(dir string) string {
	return fmt.Sprintf("optimum-cli export onnx --model %s %s", ShellWord(dir), ShellWord(dir+"-onnx"))
}

// ShellWord quotes s as one word of a POSIX shell.
func ShellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (f Folder) has(path string) bool {
	_, err := fs.Stat(f.FS, path)
	return err == nil
}

// path is how messages name a file of the folder.
func (f Folder) path(rel string) string {
	if f.Dir == "" {
		return f.Name + "/" + rel
	}
	return filepath.Join(f.Dir, filepath.FromSlash(rel))
}

// graph is a part's ONNX file, on disk by its path, so that weights beside it are
// found, or from memory.
func (f Folder) graph(part string) (ort.Graph, error) {
	rel := part + "/" + graphFile
	g := ort.Graph{Name: f.path(rel)}
	if f.Dir != "" {
		g.Path = g.Name
		_, err := os.Stat(g.Path)
		return g, err
	}
	err := f.open(rel, &g)
	return g, err
}

// open makes a file of the folder a graph's. Embedded files are read where they
// lie, without a copy.
func (f Folder) open(rel string, g *ort.Graph) error {
	file, err := f.FS.Open(rel)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	g.Size = info.Size()
	if at, ok := file.(io.ReaderAt); ok {
		g.File = at
		return nil
	}
	data, err := io.ReadAll(file)
	g.File = bytes.NewReader(data)
	return err
}

// json reads a JSON file into into. A missing file is an error unless optional.
func (f Folder) json(rel string, into any, optional bool) error {
	data, err := fs.ReadFile(f.FS, rel)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.path(rel), err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", f.path(rel), err)
	}
	return nil
}

// Part describes one graph of a folder.
type Part struct {
	Name            string
	Bytes           int64 // its files' size
	Inputs, Outputs []ort.Info
	Err             error // why it cannot be read
}

// Parts describes the graphs there are, without loading them.
func (f Folder) Parts() ([]Part, error) {
	entries, err := fs.ReadDir(f.FS, ".")
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f.Name, err)
	}
	var parts []Part
	for _, e := range entries {
		if !e.IsDir() || !f.has(e.Name()+"/"+graphFile) {
			continue
		}
		p := Part{Name: e.Name(), Bytes: f.size(e.Name())}
		var g ort.Graph
		if g, p.Err = f.graph(e.Name()); p.Err == nil {
			p.Inputs, p.Outputs, p.Err = ort.Describe(g)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func (f Folder) size(part string) (total int64) {
	entries, err := fs.ReadDir(f.FS, part)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !e.IsDir() {
			total += info.Size()
		}
	}
	return total
}

// Missing lists the parts a text-to-image run needs and the folder lacks.
func (f Folder) Missing() []string {
	needed := []string{textEncoderPart + "/" + graphFile, tokenizerPart + "/vocab.json", unetPart + "/" + graphFile,
		decoderPart + "/" + graphFile, schedulerPart + "/scheduler_config.json"}
	return slices.DeleteFunc(needed, f.has)
}
