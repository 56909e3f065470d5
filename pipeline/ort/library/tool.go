package library

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// tickEvery paces progress reports: each walks the tool's folder.
	tickEvery = 200 * time.Millisecond
	// killGrace is how long a killed tool's output may stay open.
	killGrace = 5 * time.Second
	// tailSize is how much of a tool's output is kept for its error, bytes.
	tailSize = 16 << 10
)

// tool runs another program with dir as its working and temporary folder.
type tool struct {
	dir  string
	tick func(done int64) // told the size of the largest file in dir, in bytes
}

// run waits for the program to end. When ctx is done, the program and all that
// it started are killed. A failure is told in the program's own words.
func (t tool) run(ctx context.Context, program string, args ...string) error {
	output := &tail{}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+t.dir, "TMP="+t.dir, "TEMP="+t.dir)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = killGrace
	startGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot be started: %w", err)
	}
	err := t.watch(cmd)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return toolError(err, output.String())
	}
	return nil
}

// watch reports progress, on the caller's goroutine, until cmd has ended.
func (t tool) watch(cmd *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ticker.C:
			if t.tick != nil {
				t.tick(largestFile(t.dir))
			}
		}
	}
}

// largestFile is the size of the download: packagers write it to a file of
// some name of theirs and copy it once it is complete.
func largestFile(dir string) int64 {
	var largest int64
	// Files come and go while the tool works, so errors mean nothing here.
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			largest = max(largest, info.Size())
		}
		return nil
	})
	return largest
}

// tail keeps the end of what is written to it.
type tail struct{ data []byte }

// Write takes all of p and never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if excess := len(t.data) - tailSize; excess > 0 {
		t.data = append(t.data[:0], t.data[excess:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string { return string(t.data) }

// toolError tells a full disk from other failures, of which it picks the line that
// says most in a failed tool's output: the reason of a failed request, else
// the first that speaks of an error, else the last one.
func toolError(err error, output string) error {
	if tellsNoSpace(output) {
		return &cacheError{errNoSpace}
	}
	var request, first, last string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if _, reason, ok := strings.Cut(line, "reason: "); ok && request == "" {
			request = reason
		}
		if _, reason, ok := strings.Cut(line, "new connection: "); ok && request == "" {
			request, _, _ = strings.Cut(reason, "'")
		}
		isError := strings.HasPrefix(line, "npm err") || strings.HasPrefix(line, "npm ERR!") || strings.HasPrefix(line, "ERROR:")
		if isError && first == "" {
			first = line
		}
		if line != "" {
			last = line
		}
	}
	for _, text := range []string{request, first, last} {
		if text != "" {
			return fmt.Errorf("%s (%w)", oneLine(text), err)
		}
	}
	return err
}
