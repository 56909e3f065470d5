package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ldx/internal/export"
	"ldx/pipeline"
)

// runCommand is `ldx run`: one trajectory, no screen.
type runCommand struct {
	sampling sampling
	output   string
	trace    string
	json     bool
	version  string
	stdout   io.Writer
	stderr   io.Writer
}

func newRun(version string) *cobra.Command {
	r := &runCommand{version: version, stdout: os.Stdout, stderr: os.Stderr}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Make one picture, no screen",
		Example: `ldx run -p "a red apple" --seed 42 -o apple.png
ldx run -p "a red apple" --steps 50 --eta 1 -o steps.gif
ldx run -p "a red apple" --trace t.safetensors --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context()) },
	}
	r.sampling.register(cmd.Flags())
	cmd.Flags().StringVarP(&r.output, "output", "o", "", "picture to write: .png, .gif or .apng (every step), or a folder (a PNG a step)")
	cmd.Flags().StringVar(&r.trace, "trace", "", "write every latent and prediction, .safetensors")
	cmd.Flags().BoolVar(&r.json, "json", false, "print a summary with times on standard output")
	return cmd
}

func (r *runCommand) run(ctx context.Context) error {
	start := time.Now()
	if r.sampling.typed.Sampler == samplerHelp {
		return listSamplers(r.stdout)
	}
	if r.output == "" && r.trace == "" && !r.json {
		return usage(errors.New("nothing to write: give -o FILE, --trace FILE or --json"))
	}
	folder, settings, err := r.sampling.resolve()
	if err != nil {
		return err
	}
	if err := r.sampling.sayLike(r.stderr, folder.Name); err != nil {
		return err
	}
	out, err := newOutput(r.output)
	if err != nil {
		return err
	}
	if err := r.checkTrace(); err != nil {
		return err
	}
	e, err := r.sampling.source.open(ctx, folder, r.stderr)
	if err != nil {
		return err
	}
	return errors.Join(r.sample(ctx, e, settings, out, start), e.close())
}

// checkTrace reports whether the trace could be written.
func (r *runCommand) checkTrace() error {
	if r.trace == "" {
		return nil
	}
	if r.output != "" && filepath.Clean(r.output) == filepath.Clean(r.trace) {
		return usage(fmt.Errorf("output and trace are both %s, want two names", r.trace))
	}
	return export.Writable(r.trace)
}

// sample makes the run and writes it. Interrupted, it writes the steps that are
// done and returns the interruption.
func (r *runCommand) sample(ctx context.Context, e *engine, s pipeline.Settings, out output, start time.Time) error {
	bar := newBar(r.stderr)
	last, runErr := steps(ctx, e.model, s, func(done, total int64) { bar.show("steps", done, total) })
	if last == nil {
		bar.clear()
		return runErr
	}
	path := last.Path()
	decodeStart := time.Now()
	// What is done is worth writing even when ctx has ended.
	writeErr := out.write(context.WithoutCancel(ctx), e.model, path, func(done, total int64) { bar.show("decode", done, total) })
	summary := newSummary(e, path)
	summary.DecodeMS = milliseconds(time.Since(decodeStart))
	bar.clear()
	// A trace needs no picture: one that fails does not take the other with it.
	if writeErr = errors.Join(writeErr, r.writeTrace(e.model, path)); writeErr != nil {
		return writeErr
	}
	summary.TotalMS = milliseconds(time.Since(start))
	return errors.Join(r.report(summary), runErr)
}

func (r *runCommand) writeTrace(m *pipeline.Model, path []*pipeline.Step) error {
	if r.trace == "" {
		return nil
	}
	return export.File(r.trace, func(w io.Writer) error { return export.Trace(w, m.Info().Name, path) })
}

// steps runs to the end and returns the last step that was completed, nil when
// there is none, with the error that stopped it.
func steps(ctx context.Context, m *pipeline.Model, s pipeline.Settings, progress func(done, total int64)) (*pipeline.Step, error) {
	at, err := m.Begin(ctx, s)
	if err != nil {
		return nil, err
	}
	for !at.Done() {
		next, err := m.Advance(ctx, at)
		if err != nil {
			return at, err
		}
		at = next
		progress(int64(at.Index()), int64(at.End()))
	}
	return at, nil
}

// report says what was made: JSON on standard output, a line on standard error.
func (r *runCommand) report(s summary) error {
	if r.json {
		enc := json.NewEncoder(r.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	// The picture is what was asked for: it is there, whether or not this can be said.
	_, _ = fmt.Fprintf(r.stderr, "seed %d%s, %d steps of %s, %.2f s%s\n", s.Seed, s.variationNote(), s.Done, s.Sampler, s.TotalMS/1000, s.seedNote())
	return nil
}
