package session

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Name is what a session's folder is called: when it began, and its model.
func Name(h Header) string {
	model := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, h.Model)
	return h.Created.Format("2006-01-02-150405") + "-" + model
}

// Summary is what a list of sessions says of one.
type Summary struct {
	Dir     string
	Header  Header
	Changed time.Time // when an operation was written last
	Steps   int
	Bytes   int64
}

// List describes the sessions in a folder, the one written to last first. Those that
// cannot be read are left out.
func List(home string) ([]Summary, error) {
	entries, err := os.ReadDir(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sessions are in %s: %w", home, err)
	}
	var all []Summary
	for _, e := range entries {
		if s, err := Describe(filepath.Join(home, e.Name())); err == nil {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Summary) int { return b.Changed.Compare(a.Changed) })
	return all, nil
}

// Describe reads what there is to say of the session at a path, without opening it.
func Describe(path string) (s Summary, err error) {
	if s.Dir, err = Find(path); err != nil {
		return s, err
	}
	f, err := os.Open(filepath.Join(s.Dir, logName))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	s.Changed, s.Bytes = info.ModTime(), info.Size()+tensorBytes(s.Dir)
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	r := &reader{path: f.Name()}
	for number := 1; lines.Scan(); number++ {
		if number == 1 {
			if err := r.readHeader(lines.Bytes()); err != nil {
				return s, r.wrong(number, err)
			}
		}
		if bytes.Contains(lines.Bytes(), []byte(`"record":{`)) {
			s.Steps++
		}
	}
	s.Header = r.header
	if s.Header.Format == "" {
		return s, fmt.Errorf("%s is empty: the session was never begun", r.path)
	}
	return s, lines.Err()
}

// maxLine bounds a line: three prompts as long as they may be, escaped.
const maxLine = 32 << 20
