package tui

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"ldx/pipeline"
	"ldx/tui/explorer"
	"ldx/tui/history"
	"ldx/tui/keys"
	"ldx/tui/termimg"
	"ldx/tui/theme"
)

// Progress tells how far loading is; a Total of 0 is unknown.
type Progress struct {
	What        string
	Done, Total int64
}

// Choice is a model that can be loaded.
type Choice struct {
	Name   string
	Detail string
}

// Options are what the interface is started with. The functions are called in
// commands, never from Update.
type Options struct {
	// In and Out are the terminal; nil is the process's own.
	In, Out  *os.File
	Graphics termimg.Protocol
	Model    string         // the name of the one to load first
	Keys     *keys.Map      // nil for the default ones
	Theme    theme.Choice   // the zero value asks the terminal
	History  *history.Store // of prompts, nil for none
	// Load gets a model by name, with the settings to start it on.
	Load func(ctx context.Context, name string, progress func(Progress)) (*pipeline.Model, pipeline.Settings, error)
	// Models lists what can be loaded.
	Models func() ([]Choice, error)
	// Save writes a picture made at a step and returns its path.
	Save func(m *pipeline.Model, s *pipeline.Step, img *image.RGBA) (string, error)
	// Export writes something else than a picture of a run and returns its path.
	Export func(ctx context.Context, what explorer.Export, m *pipeline.Model, run *pipeline.Run) (string, error)
	// Ahead has steps computed before they are asked for.
	Ahead bool
	// Command is the command line that repeats a path, and what it does otherwise.
	Command func(m *pipeline.Model, path []*pipeline.Step) (command, but string)
	// Remember keeps settings for the next start.
	Remember func(m *pipeline.Model, s pipeline.Settings) error
	// Record says, once a model is loaded, where its run is written, and the run to go
	// on with, nil for a new one.
	Record func(m *pipeline.Model) (Recorder, *pipeline.Run, error)
}

// Recorder is where a run is written as it happens.
type Recorder interface {
	explorer.Recorder
	// OnTrouble has f called when writing begins to fail, and with nil when it works
	// again, by any goroutine.
	OnTrouble(f func(error))
	// Close writes what is left.
	Close() error
}

// ErrInternal is a fault of the program's own; where it happened is on standard
// error.
var ErrInternal = errors.New("internal error")

// frameRate is how many frames a second there are at most, twice Bubble Tea's own: a
// key's frame waits for the next one, and so does the picture that it leads to.
const frameRate = 120

// Run shows the interface on the terminal until the person quits or ctx ends. The
// terminal is restored whatever happens.
func Run(ctx context.Context, o Options) error {
	if o.In == nil {
		o.In = os.Stdin
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if !term.IsTerminal(o.In.Fd()) || !term.IsTerminal(o.Out.Fd()) {
		return errors.New("the explorer needs a terminal on standard input and output; ldx run works without one")
	}
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	var program *tea.Program
	images := termimg.New(o.Out, termimg.Options{
		Protocol: o.Graphics,
		Notify:   func() { program.Send(termimg.RepaintMsg{}) },
	})
	program = tea.NewProgram(newRoot(work, o, images), tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(images),
		tea.WithoutSignalHandler(), tea.WithFPS(frameRate))
	final, err := program.Run()
	cancel()
	err = errors.Join(finish(ctx, err), images.Close())
	if root, ok := final.(*root); ok {
		err = errors.Join(err, root.close())
	}
	return err
}

// finish words why the program ended.
func finish(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, tea.ErrInterrupted):
		return context.Canceled
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("%w: %w", ErrInternal, err)
	}
	return err
}
