package export

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// temporary is what files are called that are being written: no longer for a long
// name than for a short one.
const temporary = ".ldx.*"

// File writes path through a temporary file beside it that takes its name once
// everything is on the disk. On any error nothing is left behind and what stood
// at path stays. A link stays too: the file that it leads to is written. There is no
// temporary file before the first byte is written: a program that is ended while it
// still makes a picture leaves nothing either.
func File(path string, write func(io.Writer) error) error {
	path, err := behindLink(path)
	if err != nil {
		return err
	}
	t := &late{dir: filepath.Dir(path)}
	err = write(t)
	if err == nil {
		_, err = t.Write(nil) // of an empty file, too
	}
	if err == nil {
		err = errors.Join(t.f.Chmod(0o644), t.f.Sync())
	}
	if t.f != nil {
		err = errors.Join(err, t.f.Close())
	}
	if err == nil {
		err = os.Rename(t.f.Name(), path)
	}
	switch {
	case err == nil:
		return nil
	case t.f == nil:
		return CannotWrite(path, err)
	}
	return errors.Join(CannotWrite(path, err), ignoreMissing(os.Remove(t.f.Name())))
}

// late is a temporary file that begins with the first write.
type late struct {
	dir string
	f   *os.File
}

func (t *late) Write(p []byte) (n int, err error) {
	if t.f == nil {
		if t.f, err = os.CreateTemp(t.dir, temporary); err != nil {
			t.f = nil
			return 0, err
		}
	}
	return t.f.Write(p)
}

// Writable reports whether a file could be written at path, before the work that
// fills it.
func Writable(path string) error {
	path, err := behindLink(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return fmt.Errorf("cannot write %s: it is a folder", path)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return CannotWrite(path, err) // a name too long, for one
	}
	f, err := os.CreateTemp(filepath.Dir(path), temporary)
	if err != nil {
		return CannotWrite(path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// behindLink is the file that path leads to. What is neither file nor folder, such as a
// device, is an error: a file of its name would take its place, which for /dev/stdout
// would be everybody's loss.
func behindLink(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return path, nil // nothing there, or the writing will tell
	}
	if info.Mode()&os.ModeSymlink != 0 {
		to, err := filepath.EvalSymlinks(path)
		if err != nil {
			return path, CannotWrite(path, err)
		}
		if info, err = os.Stat(to); err != nil {
			return path, CannotWrite(path, err)
		}
		path = to
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return path, fmt.Errorf("cannot write %s: it is a device or a pipe, want a file", path)
	}
	return path, nil
}

// CannotWrite says that the file or folder path could not be written, by the name
// that was meant and not that of a temporary one.
func CannotWrite(path string, err error) error {
	var errno syscall.Errno
	var pathErr *os.PathError
	switch {
	case errors.As(err, &errno):
		err = errno
	case errors.As(err, &pathErr):
		err = pathErr.Err
	}
	return fmt.Errorf("cannot write %s: %w", path, err)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
