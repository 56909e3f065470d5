package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/pflag"

	"ldx/assets"
	"ldx/pipeline"
	"ldx/pipeline/ort"
	"ldx/pipeline/ort/library"
)

// source says which model to load and what to run it with.
type source struct {
	model   string
	device  string
	threads int
	library string
}

func (s *source) register(fs *pflag.FlagSet) {
	fs.StringVar(&s.model, "model", assets.ModelName, "a model's name or its folder")
	fs.StringVar(&s.device, "device", "auto", "what to run on: auto, cpu")
	fs.Var(numberFlag[int]{&s.threads}, "threads", "threads a graph uses (default all cores)")
	s.registerLibrary(fs)
}

func (s *source) registerLibrary(fs *pflag.FlagSet) {
	fs.StringVar(&s.library, "ort-library", "", "path of the ONNX Runtime library (default found or fetched once)")
}

// check refuses what no model could make right.
func (s *source) check() error {
	if s.threads < 0 || s.threads > 1024 {
		return usage(fmt.Errorf("threads is %d, want 0 (all cores) to 1024", s.threads))
	}
	return usage(pipeline.CheckDevice(s.device))
}

// folder finds the model: the embedded one, an installed one, or a folder.
func (s *source) folder() (pipeline.Folder, error) {
	if s.model == assets.ModelName {
		return embedded(), nil
	}
	if !strings.ContainsRune(s.model, filepath.Separator) {
		installed := filepath.Join(modelsHome(), s.model)
		if info, err := os.Stat(installed); err == nil && info.IsDir() && s.model != "." && s.model != ".." {
			return pipeline.OpenFolder(installed)
		}
	}
	f, err := pipeline.OpenFolder(s.model)
	if errors.Is(err, os.ErrNotExist) {
		return f, fmt.Errorf("model %q is neither installed (ldx models lists those) nor a folder", s.model)
	}
	return f, err
}

func embedded() pipeline.Folder {
	return pipeline.Folder{Name: assets.ModelName, FS: assets.Model()}
}

// modelsHome is where installed models lie, a folder each.
func modelsHome() string { return filepath.Join(xdg.DataHome, "ldx", "models") }

// engine is the library with a model on it, and what it took to get them.
type engine struct {
	runtime     *ort.Runtime
	model       *pipeline.Model
	libraryTime time.Duration
}

func (s *source) options() pipeline.LoadOptions {
	return pipeline.LoadOptions{Device: s.device, Threads: s.threads, GraphCache: filepath.Join(xdg.CacheHome, "ldx", "graphs")}
}

// openLibrary finds the library, fetching it the first time, and loads it.
func (s *source) openLibrary(ctx context.Context, progress func(library.Progress)) (*ort.Runtime, error) {
	location, err := library.Ensure(ctx, library.Options{Path: s.library, Progress: progress})
	if err != nil {
		return nil, err
	}
	return ort.Open(location.Path)
}

// open gets the library and loads the folder's model, showing progress on w.
func (s *source) open(ctx context.Context, f pipeline.Folder, w io.Writer) (*engine, error) {
	start := time.Now()
	bar := newBar(w)
	defer bar.clear()
	rt, err := s.openLibrary(ctx, func(p library.Progress) { bar.show(p.What, p.Done, p.Total) })
	if err != nil {
		return nil, err
	}
	e := &engine{runtime: rt, libraryTime: time.Since(start)}
	if e.model, err = pipeline.Load(ctx, rt, f, s.options()); err != nil {
		return nil, errors.Join(err, rt.Close())
	}
	return e, nil
}

func (e *engine) close() error { return errors.Join(e.model.Close(), e.runtime.Close()) }
