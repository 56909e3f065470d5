package library

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeServer serves one archive and misbehaves for as long as fault says so:
// fault answers the nth request itself and returns true, or leaves it.
func fakeServer(t *testing.T, archive []byte, fault func(n int32, w http.ResponseWriter, r *http.Request) bool) *httptest.Server {
	t.Helper()
	var requests atomic.Int32
	want := "/" + releaseName(testOS, testArch)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != want {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"one"`)
		if fault(requests.Add(1), w, r) {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(archive))
	}))
	t.Cleanup(server.Close)
	return server
}

// breakAfter promises all of data and sends the first n bytes only.
func breakAfter(w http.ResponseWriter, data []byte, n int) {
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	// The client may be gone; what it got is what the test looks at.
	_, _ = w.Write(data[:n])
	panic(http.ErrAbortHandler)
}

// releaseTest is a server's behaviour and what comes of it.
type releaseTest struct {
	name    string
	archive []byte
	wrong   string // part of the error; empty = installed
	fault   func(n int32, w http.ResponseWriter, r *http.Request) bool
}

func workingServers(t *testing.T, good []byte) []releaseTest {
	half := len(good) / 2
	return []releaseTest{
		{"at once", good, "", func(int32, http.ResponseWriter, *http.Request) bool { return false }},
		{"resumed", good, "", func(n int32, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				if got := r.Header.Get("If-Range"); got != `"one"` || r.Header.Get("Range") == "" {
					t.Errorf("request %d asks for range %q if %q", n, r.Header.Get("Range"), got)
				}
				return false
			}
			breakAfter(w, good, half)
			return true
		}},
		{"resumed without ranges", good, "", func(n int32, w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("Range")
			if n <= 2 {
				breakAfter(w, good, half*int(n)/2)
			}
			return false
		}},
		{"refused for a moment", good, "", func(n int32, w http.ResponseWriter, _ *http.Request) bool {
			if n > 2 {
				return false
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}},
		{"refused", good, "503", func(_ int32, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}},
	}
}

func failingServers(good, other []byte) []releaseTest {
	half := len(good) / 2
	return []releaseTest{
		{"always cut", good, "EOF", func(_ int32, w http.ResponseWriter, _ *http.Request) bool {
			breakAfter(w, good, half)
			return true
		}},
		{"cut without a length", good, "unexpected EOF", func(_ int32, w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write(good[:half])
			return true
		}},
		{"changed meanwhile", other, "not the pinned", func(n int32, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				w.Header().Set("ETag", `"two"`)
				return false
			}
			breakAfter(w, good, half)
			return true
		}},
		{"wrong range", good, "asked to go on", func(n int32, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				w.Header().Set("Content-Range", "bytes 0-9/10")
				w.WriteHeader(http.StatusPartialContent)
				return true
			}
			breakAfter(w, good, half)
			return true
		}},
		{"wrong hash", other, "not the pinned", func(int32, http.ResponseWriter, *http.Request) bool { return false }},
		{"not there", good, "404", func(_ int32, w http.ResponseWriter, r *http.Request) bool {
			http.NotFound(w, r)
			return true
		}},
		{"not an archive", []byte("<html>"), "archive", func(int32, http.ResponseWriter, *http.Request) bool { return false }},
	}
}

func TestFetchRelease(t *testing.T) {
	good := tarGz(t, releaseFiles()...)
	other := tarGz(t, archived{libraryName(testOS), libraryContent(7)}, archived{"companion.so", libraryContent(2)})
	tests := append(workingServers(t, good), failingServers(good, other)...)
	t.Setenv("PATH", "")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := testLocator(t.TempDir())
			l.releaseURL = fakeServer(t, test.archive, test.fault).URL
			loc, err := l.ensure(t.Context())
			if test.wrong == "" {
				must(t, err)
				if loc.Source != "fetched with https" {
					t.Errorf("got source %q", loc.Source)
				}
				checkInstalled(t, l, l.published.npm)
				return
			}
			checkFailedFetch(t, l, err, test.wrong)
		})
	}
}

// checkFailedFetch fails unless err is the one-line advice that tells why, and
// the cache is empty.
func checkFailedFetch(t *testing.T, l *locator, err error, wrong string) {
	t.Helper()
	checkOneLine(t, err)
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("%v does not wrap ErrNotFound", err)
	}
	for _, want := range []string{wrong, "npm", "pip", "--ort-library", envLibrary} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	dir, dirErr := l.cacheDir()
	must(t, dirErr)
	checkContents(t, dir)
}

func TestFetchReleaseLeavesStalledConnection(t *testing.T) {
	t.Setenv("PATH", "")
	good := tarGz(t, releaseFiles()...)
	l := testLocator(t.TempDir())
	l.idleLimit = 50 * time.Millisecond
	l.releaseURL = fakeServer(t, good, func(n int32, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(good)))
		_, _ = w.Write(good[:len(good)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // until the client has had enough
		return true
	}).URL
	_, err := l.ensure(t.Context())
	must(t, err)
	checkInstalled(t, l, l.published.npm)
}

func TestFetchReleaseCancelled(t *testing.T) {
	t.Setenv("PATH", "")
	good := tarGz(t, releaseFiles()...)
	ctx, cancel := context.WithCancel(t.Context())
	l := testLocator(t.TempDir())
	l.releaseURL = fakeServer(t, good, func(_ int32, w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(good)))
		_, _ = w.Write(good[:len(good)/2])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}).URL
	l.opts.Progress = func(p Progress) {
		if p.Done > 0 && p.Total == int64(len(good)) {
			cancel()
		}
	}
	_, err := l.ensure(ctx)
	checkOneLine(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	dir, err := l.cacheDir()
	must(t, err)
	checkContents(t, dir)
}

func TestEnsureWithoutFetch(t *testing.T) {
	t.Setenv("PATH", "")
	t.Run("offline", func(t *testing.T) {
		l := testLocator(t.TempDir())
		l.opts.Offline = true
		_, err := l.ensure(t.Context())
		checkOneLine(t, err)
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "off") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no published library", func(t *testing.T) {
		l := testLocator(t.TempDir())
		l.goos, l.goarch, l.published = "plan9", "mips", published{}
		_, err := l.ensure(t.Context())
		checkOneLine(t, err)
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "plan9/mips") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("named path", func(t *testing.T) {
		l := testLocator(t.TempDir())
		l.opts.Path = filepath.Join(t.TempDir(), "none")
		if _, err := l.ensure(t.Context()); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("got %v, want an error about the path", err)
		}
	})
	t.Run("cache below a file", func(t *testing.T) {
		file := writeFile(t, filepath.Join(t.TempDir(), "file"), nil)
		l := testLocator(filepath.Join(file, "cache"))
		_, err := l.ensure(t.Context())
		checkOneLine(t, err)
		for _, want := range []string{"cannot be written", strconv.Quote(file)[1 : len(strconv.Quote(file))-1], "--ort-library"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	})
}
