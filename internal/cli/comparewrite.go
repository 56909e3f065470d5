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

// notDone stands where an interrupted comparison has no picture.
const notDone = "not done"

// gridWriter writes the pictures of a comparison. Of a grid it keeps only what it shows.
type gridWriter struct {
	output output
	thumb  image.Point
	cells  map[int]export.GridCell
	frames int // of the longest way
}

// animates reports whether the ways to the pictures are shown too.
func (w *gridWriter) animates() bool { return w.output.form == formGIF || w.output.form == formAPNG }

// take shows or writes the picture of a cell.
func (w *gridWriter) take(ctx context.Context, m *pipeline.Model, g *cells, o outcome) error {
	switch w.output.form {
	case formNone:
		return nil
	case formFolder:
		return w.file(m.Info().Name, g, o)
	}
	var frames []*image.RGBA
	if w.animates() {
		way := export.Thinned(export.WholeSteps(o.End.Path())[1:], export.MaxGridFrames)
		for _, s := range way[:max(len(way)-1, 0)] {
			img, err := m.Picture(ctx, s)
			if err != nil {
				return err
			}
			frames = append(frames, export.Thumb(img, w.thumb))
		}
	}
	frames = append(frames, export.Thumb(o.picture, w.thumb))
	if w.cells == nil {
		w.cells = map[int]export.GridCell{}
	}
	w.cells[o.Run] = export.GridCell{Frames: frames}
	w.frames = max(w.frames, len(frames))
	return nil
}

// file writes a cell's picture into the folder.
func (w *gridWriter) file(model string, g *cells, o outcome) error {
	if err := os.MkdirAll(w.output.path, 0o755); err != nil {
		return export.CannotWrite(w.output.path, err)
	}
	name := filepath.Join(w.output.path, cellFile(o.Run, g.name(o.Run)))
	return export.File(name, func(to io.Writer) error {
		return export.PNG(to, o.picture, export.Parameters(model, g.settings[o.Run]))
	})
}

// maxCellName bounds what a file's name says of its cell.
const maxCellName = 80

// cellFile names the picture of a cell: its number, and what varies as far as that makes
// a name.
func cellFile(i int, name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '+', r == '-':
			return r
		}
		return '-'
	}, strings.ReplaceAll(name, ", ", "_"))
	return fmt.Sprintf("cell-%04d-%s.png", i+1, safe[:min(len(safe), maxCellName)])
}

// write writes the grid, if that is what is asked for.
func (w *gridWriter) write(model string, g *cells, t *table) error {
	if w.output.form == formNone || w.output.form == formFolder {
		return nil
	}
	if len(w.cells) == 0 {
		return errors.New("no cell has a picture, so none is written")
	}
	grid := export.Grid{Heading: g.heading(model), Columns: labels(g.axes[0]), Rows: []string{""}}
	vary := []export.Pair{{Name: "Columns", Value: strings.Join(grid.Columns, "; ")}}
	if len(g.axes) > 1 {
		grid.Rows = labels(g.axes[1])
		vary = append(vary, export.Pair{Name: "Rows", Value: strings.Join(grid.Rows, "; ")})
	}
	for i := range g.count() {
		cell, ok := w.cells[i]
		if cell.Note = t.Cells[i].Error; !ok && cell.Note == "" {
			cell.Note = notDone
		}
		grid.Cells = append(grid.Cells, cell)
	}
	parameters := export.GridParameters(model, g.base, vary)
	return export.File(w.output.path, func(to io.Writer) error {
		switch w.output.form {
		case formGIF:
			return export.AnimateGrid(to, export.FormatGIF, grid, w.frames, parameters)
		case formAPNG:
			return export.AnimateGrid(to, export.FormatAPNG, grid, w.frames, parameters)
		}
		return export.WriteGrid(to, grid, parameters)
	})
}
