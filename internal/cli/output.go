package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
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
	picture := func(s *pipeline.Step) (*image.RGBA, error) { return m.Picture(ctx, s) }
	shown := export.WholeSteps(path)
	if len(shown) > 1 {
		shown = shown[1:] // the start is no step
	}
	done := int64(0)
	counted := func(s *pipeline.Step) (*image.RGBA, error) {
		img, err := picture(s)
		done++
		progress(done, int64(len(shown)))
		return img, err
	}
	parameters := func(s *pipeline.Step) string { return export.PathParameters(m.Info().Name, s.Path()) }
	last := path[len(path)-1]
	switch o.form {
	case formGIF:
		return export.File(o.path, func(w io.Writer) error { return export.Animation(w, export.FormatGIF, path, counted, "") })
	case formAPNG:
		return export.File(o.path, func(w io.Writer) error {
			return export.Animation(w, export.FormatAPNG, path, counted, parameters(last))
		})
	case formFolder:
		return writeFolder(o.path, shown, counted, parameters)
	}
	img, err := picture(last)
	if err != nil {
		return err
	}
	return export.File(o.path, func(w io.Writer) error { return export.PNG(w, img, parameters(last)) })
}

// writeFolder writes a picture a step into a new folder, or into one that exists.
func writeFolder(dir string, steps []*pipeline.Step, picture export.Pictures, parameters func(*pipeline.Step) string) (err error) {
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
	for i, s := range steps {
		img, err := picture(s)
		if err != nil {
			return err
		}
		name := filepath.Join(work, stepFile(i))
		if err := export.File(name, func(w io.Writer) error { return export.PNG(w, img, parameters(s)) }); err != nil {
			return export.CannotWrite(dir, err)
		}
	}
	if !exists {
		return errors.Join(os.Chmod(work, 0o755), os.Rename(work, dir))
	}
	for i := range steps {
		if err := os.Rename(filepath.Join(work, stepFile(i)), filepath.Join(dir, stepFile(i))); err != nil {
			return err
		}
	}
	return nil
}

// stepFile names the picture after step i+1.
func stepFile(i int) string { return fmt.Sprintf("step-%03d.png", i+1) }
