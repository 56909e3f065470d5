//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// redirectStderr sends file descriptor 2 to a log file: libraries write there
// from C, and over the screen. restore undoes it.
func redirectStderr(path string) (restore func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("log %s: %w", path, err)
	}
	log, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer func() { _ = log.Close() }() // the duplicate stays open
	saved, err := unix.FcntlInt(uintptr(unix.Stderr), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if err := duplicate(int(log.Fd()), unix.Stderr); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return func() error { return errors.Join(duplicate(saved, unix.Stderr), unix.Close(saved)) }, nil
}
