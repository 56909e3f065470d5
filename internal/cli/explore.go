package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/pflag"

	"ldx/internal/export"
	"ldx/pipeline"
	"ldx/pipeline/ort"
	"ldx/pipeline/ort/library"
	"ldx/tui"
	"ldx/tui/explorer"
	"ldx/tui/history"
	"ldx/tui/theme"
)

// explore is `ldx` without a command: the explorer on the screen.
type explore struct {
	version  string
	sampling sampling
	theme    string
	memory   int64 // bound of the numbers kept in memory, in bytes; 0 is the default

	mu      sync.Mutex
	runtime *ort.Runtime // once it is loaded
	loaded  map[*pipeline.Model]pipeline.Folder
	opened  string // the session to go on with, "" for a new one or once it is open
}

func (x *explore) register(fs *pflag.FlagSet) {
	x.sampling.register(fs)
	fs.StringVar(&x.theme, "theme", "auto", "colours: "+listed(theme.Choices()))
}

// configured is the config file's with what was typed over it.
func (x *explore) configured() (config, error) {
	c, _, err := readConfig(configPath())
	return x.over(c), usage(err)
}

// over puts what was typed over a config.
func (x *explore) over(c config) config {
	if x.sampling.flags.Changed("theme") {
		c.theme = x.theme
	}
	if x.sampling.flags.Changed("graphics") {
		c.graphics = x.sampling.graphics
	}
	return c
}

func (x *explore) run(ctx context.Context) error {
	if x.sampling.typed.Sampler == samplerHelp {
		return listSamplers(os.Stdout)
	}
	config, err := x.configured()
	if err != nil {
		return err
	}
	protocol, err := protocol(config.graphics)
	if err != nil {
		return err
	}
	x.memory = config.memory
	colours, err := theme.ParseChoice(config.theme)
	if err != nil {
		return usage(err)
	}
	// What is wrong with the command line is better said before the screen opens.
	folder, _, err := x.sampling.resolve()
	if err != nil {
		return err
	}
	if err := x.sampling.sayLike(os.Stderr, folder.Name); err != nil {
		return err
	}
	restore, err := redirectStderr(logPath())
	if err != nil {
		return err
	}
	err = tui.Run(ctx, tui.Options{
		Graphics: protocol, Model: x.sampling.source.model, Keys: &config.keys, Theme: colours, Ahead: config.ahead,
		History: history.New(promptsPath(), export.File),
		Load:    x.load, Models: choices, Save: savePicture, Export: exportRun, Remember: remember, Record: x.record,
		Command: func(m *pipeline.Model, path []*pipeline.Step) (command, but string) {
			return export.PathCommand(x.nameOf(m), path)
		},
	})
	if errors.Is(err, tui.ErrInternal) {
		err = fmt.Errorf("%w; %s has more", err, logPath())
	}
	return errors.Join(err, restore(), x.close())
}

func (x *explore) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.runtime == nil {
		return nil
	}
	return x.runtime.Close()
}

// nameOf is how --model finds m again, from any folder; "" for the default.
func (x *explore) nameOf(m *pipeline.Model) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.loaded[m]
	if f.Dir != "" && f.Dir == filepath.Join(modelsHome(), f.Name) {
		return f.Name
	}
	return f.Dir
}

// keep remembers where m is from.
func (x *explore) keep(m *pipeline.Model, f pipeline.Folder) {
	if abs, err := filepath.Abs(f.Dir); err == nil && f.Dir != "" {
		f.Dir = abs
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.loaded == nil {
		x.loaded = map[*pipeline.Model]pipeline.Folder{}
	}
	x.loaded[m] = f
}

// load gets a model by name for the interface, and the settings to start on: the
// flags over what was remembered over the model's own.
func (x *explore) load(ctx context.Context, name string, progress func(tui.Progress)) (*pipeline.Model, pipeline.Settings, error) {
	var none pipeline.Settings
	src := x.sampling.source
	src.model = name
	folder, err := src.folder()
	if err != nil {
		return nil, none, err
	}
	info, err := pipeline.ReadInfo(folder)
	if err != nil {
		return nil, none, err
	}
	settings, err := x.sampling.over(recall(info), info)
	if err != nil {
		return nil, none, err
	}
	rt, err := x.library(ctx, progress)
	if err != nil {
		return nil, none, err
	}
	progress(tui.Progress{What: "loading " + name})
	m, err := pipeline.Load(ctx, rt, folder, src.options())
	if err != nil {
		return nil, none, err
	}
	x.keep(m, folder)
	return m, settings, nil
}

// library loads the library the first time it is asked for.
func (x *explore) library(ctx context.Context, progress func(tui.Progress)) (*ort.Runtime, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.runtime != nil {
		return x.runtime, nil
	}
	rt, err := x.sampling.source.openLibrary(ctx, func(p library.Progress) {
		progress(tui.Progress{What: p.What, Done: p.Done, Total: p.Total})
	})
	x.runtime = rt
	return rt, err
}

// choices lists the models for the picker.
func choices() ([]tui.Choice, error) {
	folders, err := installed()
	list := make([]tui.Choice, 0, len(folders))
	for _, f := range folders {
		where := f.Dir
		if where == "" {
			where = "embedded"
		}
		list = append(list, tui.Choice{Name: f.Name, Detail: fmt.Sprintf("%s, %s, %s", pixels(f), megabytes(totalBytes(f)), where)})
	}
	return list, err
}

// savePicture writes a picture into the working directory, under a name that is
// not taken.
func savePicture(m *pipeline.Model, s *pipeline.Step, img *image.RGBA) (string, error) {
	path := freeName(s, ".png")
	parameters := export.PathParameters(m.Info().Name, s.Path())
	return path, export.File(path, func(w io.Writer) error { return export.PNG(w, img, parameters) })
}

// freeName is a name in the working directory that is not taken, after a step.
func freeName(s *pipeline.Step, ending string) string {
	base := fmt.Sprintf("ldx-%d-step%02d", s.Settings.Seed, s.Number())
	path := base + ending
	for n := 2; ; n++ {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
		path = fmt.Sprintf("%s-%d%s", base, n, ending)
	}
}

// exportRun writes an animation or the numbers of the path to the cursor, or a sheet of
// all branches, into the working directory.
func exportRun(ctx context.Context, what explorer.Export, m *pipeline.Model, run *pipeline.Run) (string, error) {
	at := run.At()
	path := freeName(at, map[explorer.Export]string{
		explorer.GIF: ".gif", explorer.APNG: ".apng", explorer.Sheet: "-sheet.png", explorer.Trace: ".safetensors",
	}[what])
	pictures := func(s *pipeline.Step) (*image.RGBA, error) { return m.Picture(ctx, s) }
	parameters := export.PathParameters(m.Info().Name, at.Path())
	return path, export.File(path, func(w io.Writer) error {
		switch what {
		case explorer.Trace:
			return export.Trace(w, m.Info().Name, at.Path())
		case explorer.Sheet:
			return export.Sheet(w, run, pictures, parameters)
		case explorer.APNG:
			return export.Animation(w, export.FormatAPNG, at.Path(), pictures, parameters)
		}
		return export.Animation(w, export.FormatGIF, at.Path(), pictures, parameters)
	})
}
