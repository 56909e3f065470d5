package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ldx/internal/export"
	"ldx/pipeline"
	"ldx/pipeline/compare"
)

// compareCommand is `ldx compare`: a grid of runs, no screen.
type compareCommand struct {
	sampling  sampling
	vary      []string
	output    string
	csv       string
	reference string
	json      bool
	dryRun    bool
	stdout    io.Writer
	stderr    io.Writer
}

func newCompare() *cobra.Command {
	c := &compareCommand{stdout: os.Stdout, stderr: os.Stderr}
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Make a grid of pictures under varied settings, no screen",
		Long: "ldx compare makes a run for every combination of the values of one or two settings.\n" +
			"What runs share is computed once; each is bit for bit what ldx run would make.\n\n" +
			"VALUES are separated by commas, or by | where there is one; FROM:TO:STEP is a range of\n" +
			"numbers; a value in quotes is taken as it stands.",
		Example: `ldx compare --vary sampler=ddim,euler --vary steps=5,10,20 -o grid.png
ldx compare --vary guidance=1:9:2 --vary eta=0,1 -s 42 -o grid.apng
ldx compare --vary prompt='"a cat, blue"|"a dog"' -o cats/
ldx compare --vary steps=5:50:5 --reference ddim200 --csv t.csv`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	c.sampling.register(cmd.Flags())
	cmd.Flags().StringArrayVar(&c.vary, "vary", nil, "KEY=VALUES: the columns; given twice, the rows too. KEY is a setting's flag")
	cmd.Flags().StringVarP(&c.output, "output", "o", "", "what to write: .png, .gif or .apng (every step), or a folder (a PNG a cell)")
	cmd.Flags().StringVar(&c.csv, "csv", "", "write a table, a row a cell")
	cmd.Flags().StringVar(&c.reference, "reference", "", "what PSNR, SSIM and latent RMSE are taken against: KEY=VALUE,… of a varied setting, or ddim200")
	cmd.Flags().BoolVar(&c.json, "json", false, "print the table on standard output as JSON")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "only say what would be computed")
	return cmd
}

func (c *compareCommand) run(ctx context.Context) error {
	start := time.Now()
	if c.sampling.typed.Sampler == samplerHelp {
		return listSamplers(c.stdout)
	}
	if c.output == "" && c.csv == "" && !c.json && !c.dryRun {
		return usage(errors.New("nothing to write: give -o FILE, --csv FILE, --json or --dry-run"))
	}
	folder, g, err := c.lay()
	if err != nil {
		return err
	}
	if err := c.sampling.sayLike(c.stderr, folder.Name); err != nil {
		return err
	}
	w, err := c.writer(g)
	if err != nil {
		return err
	}
	c.announce(g)
	if c.dryRun {
		return nil
	}
	e, err := c.sampling.source.open(ctx, folder, c.stderr)
	if err != nil {
		return err
	}
	return errors.Join(c.compute(ctx, e.model, g, w, start), e.close())
}

// writer is where the cells' pictures go, checked before any work.
func (c *compareCommand) writer(g *cells) (*gridWriter, error) {
	out, err := newOutput(c.output)
	if err != nil {
		return nil, err
	}
	w := &gridWriter{output: out}
	if c.csv != "" {
		if c.output != "" && filepath.Clean(c.output) == filepath.Clean(c.csv) {
			return nil, usage(fmt.Errorf("output and csv are both %s, want two names", c.csv))
		}
		if err := export.Writable(c.csv); err != nil {
			return nil, err
		}
	}
	switch out.form {
	case formNone, formFolder:
		return w, nil
	}
	w.thumb, err = export.GridThumb(g.columns(), g.rows(), g.base.Width, g.base.Height, out.form != formPNG)
	return w, usage(err)
}

// announce says what is to be computed.
func (c *compareCommand) announce(g *cells) {
	p := g.plan
	say := func(format string, a ...any) { _, _ = fmt.Fprintf(c.stderr, format+"\n", a...) } // only told
	seed := fmt.Sprintf(", seed %d", g.base.Seed)
	if slices.ContainsFunc(g.axes, func(a compare.Axis) bool { return a.Key == "seed" }) {
		seed = ""
	}
	say("%d cells%s: %d denoiser calls, %d saved of the %d of single runs", g.count(), seed, p.Calls(), p.Single()-p.Calls(), p.Single())
	for i := range g.count() {
		if err := p.Err(i); err != nil {
			say("not run: %s: %v", g.name(i), err)
		}
	}
	if c.dryRun {
		for i := range g.settings {
			say("%s: %d calls on its own", g.name(i), p.CallsOf(i))
		}
	}
	if c.reference == "" && (c.csv != "" || c.json) {
		say("no PSNR, SSIM and latent RMSE: --reference KEY=VALUE or ddim200 says against what")
	}
}

// compute makes the runs and writes what came of them, also when it is interrupted.
func (c *compareCommand) compute(ctx context.Context, m *pipeline.Model, g *cells, w *gridWriter, start time.Time) error {
	bar := newBar(c.stderr)
	t := newTable(m, g)
	sampling := time.Now()
	progress := func() {
		left := time.Duration(float64(time.Since(sampling)) / float64(max(t.Made, 1)) * float64(g.plan.Calls()-t.Made))
		bar.show(fmt.Sprintf("%d of %d cells, %d of %d calls, %s left", t.done, g.count(), t.Made, g.plan.Calls(), left.Round(time.Second)), int64(t.Made), int64(g.plan.Calls()))
	}
	made := func() { t.Made++; progress() }
	g.plan.Ways = w.animates()
	runErr := g.plan.Run(ctx, m, g.order(), made, func(r compare.Result) error {
		err := c.cell(ctx, m, g, w, t, r)
		progress()
		return err
	})
	bar.clear()
	if t.done == 0 && runErr != nil {
		return runErr
	}
	t.TotalMS = milliseconds(time.Since(start))
	err := errors.Join(w.write(m.Info().Name, g, t), c.table(t))
	_, _ = fmt.Fprintf(c.stderr, "%d of %d cells, %d denoiser calls made, %.2f s\n", t.done, g.count(), t.Made, t.TotalMS/1000) // only told
	return errors.Join(err, runErr, t.failed())
}

// cell takes the result of a run: its picture, and its figures against its reference.
func (c *compareCommand) cell(ctx context.Context, m *pipeline.Model, g *cells, w *gridWriter, t *table, r compare.Result) error {
	o := outcome{Result: r}
	if r.Err == nil && (w.output.form != formNone || g.references != nil) {
		if o.picture, o.Err = m.Picture(ctx, r.End); o.Err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if o.Err == nil && r.Run < g.count() {
		if o.Err = w.take(ctx, m, g, o); o.Err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return t.take(g, o)
}

func (c *compareCommand) table(t *table) error {
	var errs []error
	if c.csv != "" {
		errs = append(errs, export.File(c.csv, t.csv))
	}
	if c.json {
		errs = append(errs, t.json(c.stdout))
	}
	return errors.Join(errs...)
}
