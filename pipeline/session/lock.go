package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// takeLock makes this process the only one to have a session open. The system frees the
// lock of a process that was killed.
func takeLock(dir string) (*flock.Flock, error) {
	path := filepath.Join(dir, "lock")
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("session %s cannot be locked: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("session %s is open in another ldx%s: close it there first", dir, holder(path))
	}
	// The number only serves the message above, so failing to write it is no matter.
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644)
	return lock, nil
}

// holder names the process that holds a lock, if it can be read.
func holder(path string) string {
	data, err := os.ReadFile(path)
	pid, errNumber := strconv.Atoi(strings.TrimSpace(string(data)))
	if errors.Join(err, errNumber) != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
