package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ldx/pipeline"
)

func newModels() *cobra.Command {
	return &cobra.Command{
		Use:   "models [DIR]",
		Short: "List the models that are installed, or say what a folder holds",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(fmt.Errorf("ldx models takes one folder, but %d are given", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f, err := (&source{model: args[0]}).folder()
				if err != nil {
					return err
				}
				return describe(cmd.OutOrStdout(), f)
			}
			return listModels(cmd.OutOrStdout())
		},
	}
}

// installed lists the embedded model and those under modelsHome.
func installed() ([]pipeline.Folder, error) {
	folders := []pipeline.Folder{embedded()}
	entries, err := os.ReadDir(modelsHome())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return folders, err
	}
	for _, e := range entries {
		f, err := pipeline.OpenFolder(filepath.Join(modelsHome(), e.Name()))
		if err == nil {
			folders = append(folders, f)
		}
	}
	return folders, nil
}

func listModels(w io.Writer) error {
	folders, err := installed()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "NAME\tPIXELS\tSIZE\tWHERE")
	for _, f := range folders {
		where := f.Dir
		if where == "" {
			where = "embedded"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Name, pixels(f), megabytes(totalBytes(f)), where)
	}
	_, _ = fmt.Fprintf(t, "\nMore are looked for in %s\n", modelsHome())
	return t.Flush()
}

func pixels(f pipeline.Folder) string {
	info, err := pipeline.ReadInfo(f)
	if err != nil {
		return "?"
	}
	s := info.Settings()
	return fmt.Sprintf("%dx%d", s.Width, s.Height)
}

func totalBytes(f pipeline.Folder) (total int64) {
	parts, err := f.Parts()
	if err != nil {
		return 0
	}
	for _, p := range parts {
		total += p.Bytes
	}
	return total
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// describe says what a folder holds, part by part, and what it lacks.
func describe(w io.Writer, f pipeline.Folder) error {
	parts, err := f.Parts()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", f.Name)
	if info, err := pipeline.ReadInfo(f); err != nil {
		fmt.Fprintf(&b, "  %v\n", err)
	} else {
		s := info.Settings()
		fmt.Fprintf(&b, "  %dx%d pixels, latents of %d channels at 1/%d, %s\n", s.Width, s.Height, info.Latent.Channels, info.Latent.Factor, info.Scheduler.Class())
		fmt.Fprintf(&b, "  defaults: %d steps, guidance %g\n", s.Steps, s.Guidance)
	}
	for _, p := range parts {
		fmt.Fprintf(&b, "  %s  %s\n", p.Name, megabytes(p.Bytes))
		if p.Err != nil {
			fmt.Fprintf(&b, "    %v\n", p.Err)
		}
		for _, in := range p.Inputs {
			fmt.Fprintf(&b, "    in   %v\n", in)
		}
		for _, out := range p.Outputs {
			fmt.Fprintf(&b, "    out  %v\n", out)
		}
	}
	for _, m := range f.Missing() {
		fmt.Fprintf(&b, "  missing: %s\n", m)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
