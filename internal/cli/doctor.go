package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"

	"ldx/pipeline"
	"ldx/pipeline/ort"
	"ldx/pipeline/ort/library"
	"ldx/tui"
)

// doctor is `ldx doctor`: what was asked, what came back, what was chosen.
type doctor struct {
	version  string
	source   source
	graphics string
}

func newDoctor(version string) *cobra.Command {
	d := &doctor{version: version}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this terminal, library and devices can do",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	d.source.registerLibrary(cmd.Flags())
	registerGraphics(cmd.Flags(), &d.graphics)
	return cmd
}

func (d *doctor) run(ctx context.Context, w io.Writer) error {
	protocol, err := protocol(d.graphics)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ldx       %s, %s, %s/%s\n", d.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	memory := "unknown"
	if m, err := mem.VirtualMemory(); err == nil {
		memory = fmt.Sprintf("%.1f of %.1f GiB free", float64(m.Available)/(1<<30), float64(m.Total)/(1<<30))
	}
	fmt.Fprintf(&b, "machine   %d cores, memory %s\n\n", runtime.NumCPU(), memory)
	d.libraryReport(&b)
	fmt.Fprintf(&b, "device    cpu: used; the others are not supported yet\n\n")
	d.modelsReport(&b)
	fmt.Fprintf(&b, "config    %s\n\n", configReport(configPath()))
	report, err := tui.Probe(ctx, protocol)
	if err != nil {
		fmt.Fprintf(&b, "terminal  not asked: %v\n", err)
	} else {
		for _, line := range report.Lines() {
			fmt.Fprintln(&b, line)
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// libraryReport tells where the library is, or where it was looked for.
func (d *doctor) libraryReport(b *strings.Builder) {
	location, tried, err := library.Find(library.Options{Path: d.source.library})
	defer func() {
		for _, t := range tried {
			fmt.Fprintf(b, "          not %s: %s\n", strings.TrimSpace(t.Source+" "+t.Path), t.Reason)
		}
	}()
	if errors.Is(err, library.ErrNotFound) {
		fmt.Fprintf(b, "library   none here yet: ONNX Runtime %s is fetched when it is first needed\n", library.Version)
		return
	}
	if err != nil {
		fmt.Fprintf(b, "library   %v\n", err)
		return
	}
	rt, err := ort.Open(location.Path)
	if err != nil {
		fmt.Fprintf(b, "library   %v\n", err)
		return
	}
	fmt.Fprintf(b, "library   ONNX Runtime %s, %s (%s)\n", rt.Version(), location.Path, location.Source)
	if err := rt.Close(); err != nil {
		fmt.Fprintf(b, "library   %v\n", err)
	}
}

func (d *doctor) modelsReport(b *strings.Builder) {
	folders, err := installed()
	if err != nil {
		fmt.Fprintf(b, "models    %v\n", err)
	}
	for _, f := range folders {
		state := "complete"
		if missing := f.Missing(); len(missing) > 0 {
			state = "lacks " + strings.Join(missing, ", ")
		} else if _, err := pipeline.ReadInfo(f); err != nil {
			state = err.Error()
		}
		fmt.Fprintf(b, "model     %s: %s\n", f.Name, state)
	}
	fmt.Fprintln(b)
}
