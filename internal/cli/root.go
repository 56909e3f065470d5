package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ldx/pipeline"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// Main runs the command line and returns the exit status. The first interrupt,
// hang-up or termination signal asks the work to stop and write what is done; a
// second one ends the program at once.
func Main(version string, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), heeded(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)...)
	context.AfterFunc(ctx, stop)
	root := newRoot(version)
	root.SetArgs(args)
	var failed error
	keepErrors(root, &failed)
	err := fang.Execute(ctx, root, fang.WithVersion(version), fang.WithoutManpage(), fang.WithErrorHandler(printError))
	if failed != nil {
		printError(os.Stderr, fang.Styles{}, failed)
		return exitStatus(failed)
	}
	return exitStatus(err)
}

// keepErrors keeps the errors of the command line and of the command that runs
// from fang, which asks the terminal for its colours before it prints one: that
// takes seconds where none answers, and a terminal that has hung up never does.
func keepErrors(cmd *cobra.Command, failed *error) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		*failed = flagError(cmd, err)
		return nil // which ends cobra's work here
	})
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			*failed = check(cmd, args)
			return nil
		}
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if *failed == nil {
				*failed = run(cmd, args)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		keepErrors(sub, failed)
	}
}

// heeded leaves out the signals that the parent had ignored, as nohup does with
// the hang-up: asking for them would undo that. With none left, SIGTERM stays: a
// context that is told of no signal in particular would be told of all.
func heeded(signals ...os.Signal) []os.Signal {
	left := slices.DeleteFunc(signals, signal.Ignored)
	if len(left) == 0 {
		return []os.Signal{syscall.SIGTERM}
	}
	return left
}

// usageError marks an error of the command line itself.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

func exitStatus(err error) int {
	var u usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &u):
		return exitUsage
	case pipeline.Cancelled(err):
		return exitInterrupted
	}
	return exitFailed
}

// printError writes one line: what is wrong and what would be right.
func printError(w io.Writer, _ fang.Styles, err error) {
	if pipeline.Cancelled(err) {
		err = errors.New("interrupted")
	}
	// Joined errors come a line each.
	_, _ = fmt.Fprintf(w, "ldx: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
}

func newRoot(version string) *cobra.Command {
	x := &explore{version: version}
	root := &cobra.Command{
		Use:   "ldx",
		Short: "A step debugger for latent diffusion in the terminal",
		Long: "ldx steps through DDIM sampling of a latent diffusion model, shows what the model\n" +
			"sees and predicts at each step, and lets you change the prompt, guidance, eta and\n" +
			"seed there. Without arguments it opens the explorer on the embedded model.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("unknown command %q; ldx --help lists them", args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return x.run(cmd.Context()) },
	}
	x.register(root.Flags())
	root.AddCommand(newRun(version), newCompare(), newOpen(version), newModels(), newDoctor(version), newVersion(version))
	return root
}

// flagError says where the flags are listed, unless err is about a value.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		return usage(fmt.Errorf("%w; %s --help lists them", err, cmd.CommandPath()))
	}
	return usage(err)
}

// noArgs is cobra.NoArgs with this package's exit status.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no argument, but %q is given", cmd.CommandPath(), args[0]))
	}
	return nil
}
