package library

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// filledCache is a locator whose cache holds npm's files, with a stamp.
func filledCache(t *testing.T) (*locator, string) {
	t.Helper()
	l := testLocator(t.TempDir())
	dir, err := l.cacheDir()
	must(t, err)
	for i, m := range l.published.npm.members {
		writeFile(t, filepath.Join(dir, m.name), libraryContent(byte(i+1)))
	}
	must(t, stampInstalled(dir, l.published.npm))
	return l, dir
}

func TestFindCached(t *testing.T) {
	name := libraryName(testOS)
	later := time.Now().Add(time.Hour)
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		reason string // empty = found
	}{
		{"as installed", func(*testing.T, string) {}, ""},
		{"no stamp", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, stampName))) }, ""},
		{"damaged stamp", func(t *testing.T, dir string) { writeFile(t, filepath.Join(dir, stampName), []byte("{")) }, ""},
		{"touched", func(t *testing.T, dir string) { must(t, os.Chtimes(filepath.Join(dir, name), later, later)) }, ""},
		{"cut", func(t *testing.T, dir string) { must(t, os.Truncate(filepath.Join(dir, name), 9)) }, "9 bytes, not"},
		{"changed", func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, name), libraryContent(9))
			must(t, os.Chtimes(filepath.Join(dir, name), later, later))
		}, "not the pinned"},
		{"changed without a stamp", func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, name), libraryContent(9))
			must(t, os.Remove(filepath.Join(dir, stampName)))
		}, "not the pinned"},
		{"companion gone", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "companion.so"))) }, "not the pinned"},
		{"pip's library instead", func(t *testing.T, dir string) { writeFile(t, filepath.Join(dir, name), libraryContent(3)) }, ""},
		{"empty", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, "not there"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, dir := filledCache(t)
			test.change(t, dir)
			tried := &trail{}
			_, found := l.findCached(tried)
			if found != (test.reason == "") {
				t.Fatalf("found: %v, passed over: %+v", found, tried.places)
			}
			if found {
				checkStamped(t, dir, name)
				return
			}
			if got := tried.places[0].Reason; !strings.Contains(got, test.reason) {
				t.Errorf("got reason %q, want %q in it", got, test.reason)
			}
		})
	}
}

// checkStamped fails unless the stamp vouches for the file as it is.
func checkStamped(t *testing.T, dir, name string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, name))
	must(t, err)
	for _, f := range readStamp(dir).Files {
		if f.Name == name && f.ModTime.Equal(info.ModTime()) && f.Size == info.Size() {
			return
		}
	}
	t.Errorf("the stamp does not vouch for %s", name)
}

func TestStampSparesHashing(t *testing.T) {
	l, dir := filledCache(t)
	path := filepath.Join(dir, libraryName(testOS))
	info, err := os.Stat(path)
	must(t, err)
	// Other bytes under the same size and time show whether they were read.
	writeFile(t, path, libraryContent(9))
	must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	if _, found := l.findCached(&trail{}); !found {
		t.Error("a stamped file was hashed again")
	}
}

func TestRemoveStale(t *testing.T) {
	l, dir := filledCache(t)
	writeFile(t, filepath.Join(dir, tempPrefix+"123", "work", "half.tgz"), []byte("x"))
	writeFile(t, filepath.Join(dir, stampName+"-123"), []byte("{"))
	must(t, removeStale(dir))
	checkInstalled(t, l, l.published.npm)
}

func TestExplain(t *testing.T) {
	l := testLocator(t.TempDir())
	denied := &fs.PathError{Op: "mkdir", Path: "x", Err: fs.ErrPermission}
	err := l.explain("the/cache", &cacheError{denied})
	checkOneLine(t, err)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "make it writable") || strings.Contains(err.Error(), "mkdir") {
		t.Errorf("got %v", err)
	}
	other := errors.New("other")
	if got := l.explain("the/cache", other); !errors.Is(got, other) {
		t.Errorf("got %v, want the error itself", got)
	}
	if got := l.explain("the/cache", nil); got != nil {
		t.Errorf("got %v, want nil", got)
	}
}
