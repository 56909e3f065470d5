package session

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gofrs/flock"
)

// writer is the writing end of a session's folder.
type writer struct {
	disk   disk
	dir    string // "" before the folder is made
	lock   *flock.Flock
	log    logFile  // nil before the first operation
	end    int64    // of the log's whole lines
	torn   bool     // there may be more in the log
	behind []string // files that a loss of power might take
}

// maxSuffix bounds the numbers added to a folder's name.
const maxSuffix = 1000

// begin makes the session's folder, dir or near it, takes its lock and writes the
// header. It goes on where an earlier attempt failed.
func (w *writer) begin(dir string, h Header) error {
	if err := w.folder(dir); err != nil {
		return err
	}
	if err := w.disk.Folder(filepath.Join(w.dir, tensorsName)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if w.lock == nil {
		lock, err := takeLock(w.dir)
		if err != nil {
			return err
		}
		w.lock = lock
	}
	data, err := h.bytes()
	if err != nil {
		return err
	}
	log, err := w.disk.OpenLog(filepath.Join(w.dir, logName))
	if err != nil {
		return err
	}
	if _, err := log.WriteAt(data, 0); err != nil {
		return errors.Join(err, log.Close())
	}
	w.log, w.end = log, int64(len(data))
	return nil
}

// folder makes a folder of its own.
func (w *writer) folder(dir string) error {
	if w.dir != "" {
		return nil
	}
	try := dir
	err := w.disk.Folder(try)
	for n := 2; errors.Is(err, fs.ErrExist) && n < maxSuffix; n++ {
		try = fmt.Sprintf("%s-%d", dir, n)
		err = w.disk.Folder(try)
	}
	if err == nil {
		w.dir = try
	}
	return err
}

// line adds a line to the log. What a failed attempt left there is cut off first.
func (w *writer) line(l line) (n int, err error) {
	data, err := l.bytes()
	if err != nil {
		return 0, err
	}
	if w.torn {
		if err := w.log.Truncate(w.end); err != nil {
			return 0, err
		}
	}
	w.torn = true
	if _, err := w.log.WriteAt(data, w.end); err != nil {
		return 0, err
	}
	w.torn = false
	w.end += int64(len(data))
	return len(data), nil
}

// tensors writes a step's tensor file.
func (w *writer) tensors(step int, data []byte) error {
	path := tensorFile(w.dir, step)
	if err := w.disk.WriteFile(path, data); err != nil {
		return err
	}
	w.behind = append(w.behind, path)
	return nil
}

// sync forces the files written since the last time onto the disk, the log last.
func (w *writer) sync() error {
	if len(w.behind) == 0 {
		return nil
	}
	var err error
	for _, path := range w.behind {
		err = errors.Join(err, w.disk.Sync(path))
	}
	w.behind = w.behind[:0]
	return errors.Join(err, w.log.Sync())
}

// close ends writing and gives up the lock.
func (w *writer) close() (err error) {
	if w.log != nil {
		err = errors.Join(w.log.Sync(), w.log.Close())
	}
	if w.lock != nil {
		err = errors.Join(err, w.lock.Close())
	}
	return err
}
