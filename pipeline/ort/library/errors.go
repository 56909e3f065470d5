package library

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// cacheError marks a failure to write to the cache, which no other source
// would cure.
type cacheError struct{ err error }

// Error is the failure's own message.
func (e *cacheError) Error() string { return e.err.Error() }

// Unwrap gives the failure itself.
func (e *cacheError) Unwrap() error { return e.err }

// errNoSpace is a full disk as another program tells of it.
var errNoSpace = errors.New("no space left on device")

// tellsNoSpace reports whether a program's output, npm's or Python's, speaks
// of a full disk or an exhausted quota.
func tellsNoSpace(output string) bool {
	for _, words := range []string{"ENOSPC", "EDQUOT", "No space left on device", "Disk quota exceeded", "not enough space on the disk"} {
		if strings.Contains(output, words) {
			return true
		}
	}
	return false
}

func cacheFailure(err error) error {
	if err == nil {
		return nil
	}
	return &cacheError{err}
}

// both is errors.Join on one line.
func both(err, also error) error {
	if err == nil {
		return also
	}
	if also == nil {
		return err
	}
	return fmt.Errorf("%w; and %w", err, also)
}

// reasonOf drops the operation and the paths from a file error, for messages
// that name the path already, and says "does not exist" alike everywhere.
func reasonOf(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}
