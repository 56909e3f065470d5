package session

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// disk is what a session writes to.
type disk interface {
	// Folder makes a folder that is not there yet, and its parents.
	Folder(path string) error
	// WriteFile makes a file that is there whole or not at all.
	WriteFile(path string, data []byte) error
	// OpenLog opens a file to be written to.
	OpenLog(path string) (logFile, error)
	// Sync has a file on the disk when it returns.
	Sync(path string) error
}

// logFile is a file that grows at its end.
type logFile interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// osDisk is the system's.
type osDisk struct{}

// Folder implements disk.
func (osDisk) Folder(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Mkdir(path, 0o755)
}

// WriteFile implements disk.
func (osDisk) WriteFile(path string, data []byte) (err error) {
	temporary := path + ".part" // one goroutine writes, and what a killed program left is overwritten
	defer func() {
		if err != nil {
			_ = os.Remove(temporary) // the first error tells more
		}
	}()
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// OpenLog implements disk.
func (osDisk) OpenLog(path string) (logFile, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
}

// Sync implements disk.
func (osDisk) Sync(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // Windows flushes only what may be written to
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
