// Command release gets what a release archive carries beside the program: the
// ONNX Runtime library of a platform, what it loads, and its licences.
//
//	go run ./internal/release -os linux -arch arm64 -o dist/onnxruntime/linux_arm64
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"

	"ldx/pipeline/ort/library"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(status)
}

// run returns the exit status: 0 done, 1 failed, 2 a wrong command line.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(stderr)
	goos := flags.String("os", runtime.GOOS, "operating system, as Go names it")
	goarch := flags.String("arch", runtime.GOARCH, "processor architecture, as Go names it")
	dir := flags.String("o", "", "folder that gets the files")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if *dir == "" || flags.NArg() > 0 {
		say(stderr, "want -o DIR and no other arguments, got %q", args)
		return 2
	}
	if err := library.FetchFor(ctx, *goos, *goarch, *dir, announce(stderr)); err != nil {
		say(stderr, "%v", err)
		return 1
	}
	return 0
}

// announce says each thing that is done once, however often it moves on.
func announce(w io.Writer) func(library.Progress) {
	last := ""
	return func(p library.Progress) {
		if p.What != last {
			last = p.What
			say(w, "%s", p.What)
		}
	}
}

func say(w io.Writer, format string, args ...any) {
	// Where nobody reads, nothing can be said.
	_, _ = fmt.Fprintf(w, "release: "+format+"\n", args...)
}
