//go:build unix

package library

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// fakeTools makes a folder of shell scripts the whole PATH.
func fakeTools(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		text := "#!/bin/sh\nPATH=/bin:/usr/bin\n" + script + "\n"
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	t.Setenv("PATH", dir)
}

// packNPM is a fake npm that leaves the archive and counts its runs.
func packNPM(t *testing.T, archive []byte) (script, log string) {
	t.Helper()
	dir := t.TempDir()
	path := writeFile(t, filepath.Join(dir, "npm.tgz"), archive)
	log = writeFile(t, filepath.Join(dir, "log"), nil)
	return fmt.Sprintf("echo \"$@\" >> '%s'; cp '%s' onnxruntime-node.tgz", log, path), log
}

func runs(t *testing.T, log string) int {
	t.Helper()
	data, err := os.ReadFile(log)
	must(t, err)
	return strings.Count(string(data), "\n")
}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	return path
}

// fakePip leaves the wheel in the folder after --dest and checks the command
// line by failing on another one.
func fakePip(t *testing.T, wheel []byte) string {
	t.Helper()
	path := writeFile(t, filepath.Join(t.TempDir(), "x.whl"), wheel)
	return fmt.Sprintf(`case "$*" in
*--version) exit 0;;
*download*--no-deps*--only-binary=:all:*--platform\ manylinux_2_28_x86_64*onnxruntime==%s) cp '%s' onnxruntime.whl;;
*) echo "ERROR: unexpected: $*" >&2; exit 2;;
esac`, Version, path)
}

func TestEnsureWithTools(t *testing.T) {
	npm, _ := packNPM(t, tarGz(t, npmFiles()...))
	wrongNPM, _ := packNPM(t, tarGz(t, archived{npmRoot + "linux/x64/libonnxruntime.so.1", libraryContent(7)}))
	wheel := zipped(t, archived{wheelRoot + libraryName(testOS), libraryContent(3)})
	pip := fakePip(t, wheel)
	offline := `echo "npm error code ENOTFOUND" >&2; echo "npm error network request failed, reason: getaddrinfo ENOTFOUND x" >&2; exit 1`
	tests := []struct {
		name    string
		scripts map[string]string
		want    string // source; empty = none
		reasons []string
	}{
		{"npm", map[string]string{"npm": npm, "python3": pip}, "fetched with npm", nil},
		{"pip of python3", map[string]string{"python3": pip}, "fetched with pip", nil},
		{"pip3", map[string]string{"pip3": pip}, "fetched with pip", nil},
		{"pip", map[string]string{"pip": pip}, "fetched with pip", nil},
		{"python3 without pip", map[string]string{"python3": "echo No module named pip >&2; exit 1", "pip3": pip}, "fetched with pip", nil},
		{"npm without network", map[string]string{"npm": offline, "python3": pip}, "fetched with pip", nil},
		{"npm with a wrong library", map[string]string{"npm": wrongNPM, "python3": pip}, "fetched with pip", nil},
		{"npm leaves nothing", map[string]string{"npm": "exit 0", "python3": pip}, "fetched with pip", nil},
		{"neither works", map[string]string{"npm": offline, "python3": "echo No module named pip >&2; exit 1"}, "",
			[]string{"npm: getaddrinfo ENOTFOUND x", "pip: No module named pip", "https:"}},
		{"wrong libraries", map[string]string{"npm": wrongNPM, "pip": fakePip(t, zipped(t, archived{wheelRoot + libraryName(testOS), libraryContent(8)}))}, "",
			[]string{"npm: libonnxruntime.so.1.30.0 has SHA-256", "pip: libonnxruntime.so.1.30.0 has SHA-256"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fakeTools(t, test.scripts)
			l := testLocator(t.TempDir())
			loc, err := l.ensure(t.Context())
			if test.want == "" {
				for _, reason := range test.reasons {
					checkFailedFetch(t, l, err, reason)
				}
				return
			}
			must(t, err)
			if loc.Source != test.want || loc.Version != Version {
				t.Errorf("got %+v, want source %q", loc, test.want)
			}
			b := l.published.npm
			if test.want == "fetched with pip" {
				b = l.published.pip
			}
			checkInstalled(t, l, b)

			again, err := l.ensure(t.Context())
			must(t, err)
			if want := (Location{loc.Path, sourceCache, Version}); again != want {
				t.Errorf("the second time: got %+v, want %+v", again, want)
			}
		})
	}
}

func TestEnsureNPMCommandLine(t *testing.T) {
	npm, log := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": npm})
	_, err := testLocator(t.TempDir()).ensure(t.Context())
	must(t, err)
	line, err := os.ReadFile(log)
	must(t, err)
	for _, want := range []string{"pack onnxruntime-node@" + Version, "--ignore-scripts"} {
		if !strings.Contains(string(line), want) {
			t.Errorf("npm was run with %q, which lacks %q", line, want)
		}
	}
}

func TestEnsureReplacesDamaged(t *testing.T) {
	npm, log := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": npm})
	l, dir := filledCache(t)
	must(t, os.Truncate(filepath.Join(dir, libraryName(testOS)), 100))
	writeFile(t, filepath.Join(dir, tempPrefix+"1", "work", "half.tgz"), []byte("left by a killed process"))
	loc, err := l.ensure(t.Context())
	must(t, err)
	if loc.Source != "fetched with npm" || runs(t, log) != 1 {
		t.Errorf("got %+v after %d runs of npm", loc, runs(t, log))
	}
	checkInstalled(t, l, l.published.npm)
}

func TestEnsureShowsGrowth(t *testing.T) {
	gate := fifo(t)
	npm, _ := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": "echo 12345 > growing; read line < '" + gate + "'; " + npm})
	l := testLocator(t.TempDir())
	var open sync.Once
	l.opts.Progress = func(p Progress) {
		if p.Done == 6 && p.Total == l.published.npm.archiveSize && strings.Contains(p.What, "npm") {
			open.Do(func() { must(t, os.WriteFile(gate, []byte("go\n"), 0)) })
		}
	}
	// npm ends only once its 6 bytes were reported.
	_, err := l.ensure(t.Context())
	must(t, err)
}

func TestEnsureUnwritableCache(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is unwritable to root")
	}
	cache := t.TempDir()
	must(t, os.Chmod(cache, 0o555))
	fakeTools(t, nil)
	_, err := testLocator(cache).ensure(t.Context())
	checkOneLine(t, err)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "make it writable") {
		t.Errorf("got %v", err)
	}
}

func TestExplainFullDisk(t *testing.T) {
	l := testLocator(t.TempDir())
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		err := l.explain("the/cache", &cacheError{&fs.PathError{Op: "write", Path: "x", Err: cause}})
		checkOneLine(t, err)
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "MB there") {
			t.Errorf("got %v", err)
		}
	}
}

func TestEnsureFullDisk(t *testing.T) {
	full := "echo 'npm error code ENOSPC' >&2; exit 228"
	wheel := zipped(t, archived{wheelRoot + libraryName(testOS), libraryContent(3)})
	t.Run("for npm alone", func(t *testing.T) {
		fakeTools(t, map[string]string{"npm": full, "pip": fakePip(t, wheel)})
		l := testLocator(t.TempDir())
		_, err := l.ensure(t.Context())
		must(t, err)
		checkInstalled(t, l, l.published.pip)
	})
	t.Run("for all", func(t *testing.T) {
		fakeTools(t, map[string]string{"npm": full})
		l := testLocator(t.TempDir())
		_, err := l.ensure(t.Context())
		checkOneLine(t, err)
		for _, want := range []string{"no space left on device", "MB there", "--ort-library"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		dir, dirErr := l.cacheDir()
		must(t, dirErr)
		checkContents(t, dir)
	})
}

func TestToolError(t *testing.T) {
	failed := errors.New("exit status 1")
	tests := []struct{ output, want string }{
		{"", "exit status 1"},
		{"some\nlast line\n\n", "last line (exit status 1)"},
		{"npm error code ETARGET\nnpm error notarget No match\nnpm error A complete log", "npm error code ETARGET (exit status 1)"},
		{"npm ERR! code E404\nnpm ERR! 404\n", "npm ERR! code E404 (exit status 1)"},
		{"WARNING: x\nERROR: No matching distribution\n", "ERROR: No matching distribution (exit status 1)"},
		{"WARNING: broken by 'E: Failed to establish a new connection: [Errno 111] Refused')': /x/\nERROR: No match\n", "[Errno 111] Refused (exit status 1)"},
	}
	if got := toolError(failed, "OSError: [Errno 28] No space left on device"); !isDiskFull(got) {
		t.Errorf("got %v for a full disk", got)
	}
	for _, test := range tests {
		if got := toolError(failed, test.output); got.Error() != test.want || !errors.Is(got, failed) {
			t.Errorf("%q: got %q, want %q", test.output, got, test.want)
		}
	}
}

func TestTailIsBounded(t *testing.T) {
	var end tail
	for i := range 10_000 {
		if _, err := fmt.Fprintf(&end, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if len(end.String()) > tailSize || !strings.HasSuffix(end.String(), "line 9999\n") {
		t.Errorf("kept %d bytes that end in %q", len(end.String()), end.String()[len(end.String())-20:])
	}
}
