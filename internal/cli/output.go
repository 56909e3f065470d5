package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ldx/internal/export"
	"ldx/pipeline"
)

// output is where `ldx run -o` writes pictures, and in which form.
type output struct {
	path string
	form form
}

type form int

const (
	formNone form = iota
	formPNG
	formGIF
	formAPNG
	formFolder
)

// newOutput reads the form off the name and checks that it can be written.
func newOutput(path string) (output, error) {
	if path == "" {
		return output{}, nil
	}
	o := output{path: path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		o.form = formFolder // whatever its name
		return o, export.Writable(filepath.Join(path, stepFile(0)))
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png":
		o.form = formPNG
	case ".gif":
		o.form = formGIF
	case ".apng":
		o.form = formAPNG
	case "":
		o.form = formFolder
		if _, err := os.Stat(path); err == nil {
			return o, usage(fmt.Errorf("output %s is a file without an ending; want .png, .gif, .apng or a folder", path))
		}
		return o, export.Writable(filepath.Clean(path))
	default:
		return o, usage(fmt.Errorf("output %s ends in %s, want .png, .gif, .apng or a folder", path, ext))
	}
	return o, export.Writable(path)
}

// write decodes what the form needs of path and writes it. progress counts
// decoded pictures.
func (o output) write(ctx context.Context, m *pipeline.Model, path []*pipeline.Step, progress func(done, total int64)) error {
	if o.form == formNone {
		return nil
	}
	parameters := export.Parameters(m.Info().Name, path[len(path)-1].Settings)
	shown := slices.DeleteFunc(slices.Clone(path[1:]), func(s *pipeline.Step) bool { return !s.Whole() })
	if o.form == formPNG || len(shown) == 0 {
		shown = path[len(path)-1:]
	}
	frames := make([]*image.RGBA, len(shown))
	for i, s := range shown {
		img, err := m.Picture(ctx, s)
		if err != nil {
			return err
		}
		frames[i] = img
		progress(int64(i+1), int64(len(shown)))
	}
	switch o.form {
	case formGIF:
		return export.File(o.path, func(w io.Writer) error { return export.GIF(w, frames) })
	case formAPNG:
		return export.File(o.path, func(w io.Writer) error { return export.APNG(w, frames, parameters) })
	case formFolder:
		return writeFolder(o.path, frames, parameters)
	}
	return export.File(o.path, func(w io.Writer) error { return export.PNG(w, frames[0], parameters) })
}

// writeFolder writes a picture a step into a new folder, or into one that exists.
func writeFolder(dir string, frames []*image.RGBA, parameters string) (err error) {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	_, statErr := os.Stat(dir)
	exists := statErr == nil
	if exists {
		parent = dir // its own may not be writable
	}
	work, err := os.MkdirTemp(parent, ".ldx.*")
	if err != nil {
		return export.CannotWrite(dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	for i, f := range frames {
		name := filepath.Join(work, stepFile(i))
		if err := export.File(name, func(w io.Writer) error { return export.PNG(w, f, parameters) }); err != nil {
			return export.CannotWrite(dir, err)
		}
	}
	if !exists {
		return errors.Join(os.Chmod(work, 0o755), os.Rename(work, dir))
	}
	for i := range frames {
		if err := os.Rename(filepath.Join(work, stepFile(i)), filepath.Join(dir, stepFile(i))); err != nil {
			return err
		}
	}
	return nil
}

// stepFile names the picture after step i+1.
func stepFile(i int) string { return fmt.Sprintf("step-%03d.png", i+1) }
