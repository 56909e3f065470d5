//go:build unix

package library

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkFiles fails unless dir holds the whole of both bundles and nothing else.
func checkFiles(t *testing.T, dir string, pins published) {
	t.Helper()
	members := append(pins.npm.members[:len(pins.npm.members):len(pins.npm.members)], pins.pip.members...)
	for _, m := range members {
		if err := checkHash(filepath.Join(dir, m.name), m); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != len(members) {
		t.Errorf("%s holds %v, want %d files", dir, entries, len(members))
	}
}

// releasePins is testPublished with a wheel that holds a licence instead.
func releasePins() published {
	pins := testPublished()
	pins.pip.members = []member{memberOf("onnxruntime/LICENSE", "LICENSE.txt", []byte("MIT"))}
	return pins
}

func TestFetchAll(t *testing.T) {
	name := libraryName(testOS)
	tests := []struct {
		name    string
		change  func(t *testing.T, dir string) // before the second time
		fetches int                            // of npm, in both times
	}{
		{"all there", func(*testing.T, string) {}, 1},
		{"licence gone", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "LICENSE.txt"))) }, 1},
		{"companion gone", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "companion.so"))) }, 2},
		{"library changed", func(t *testing.T, dir string) { writeFile(t, filepath.Join(dir, name), libraryContent(9)) }, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			npm, log := packNPM(t, tarGz(t, npmFiles()...))
			wheel := zipped(t, archived{"onnxruntime/LICENSE", []byte("MIT")})
			fakeTools(t, map[string]string{"npm": npm, "pip": fakePip(t, wheel)})
			l := testLocator("")
			l.published = releasePins()
			dir := filepath.Join(t.TempDir(), "new", "folder")
			must(t, l.fetchAll(t.Context(), dir))
			checkFiles(t, dir, l.published)

			test.change(t, dir)
			must(t, l.fetchAll(t.Context(), dir))
			checkFiles(t, dir, l.published)
			if got := runs(t, log); got != test.fetches {
				t.Errorf("npm ran %d times, want %d", got, test.fetches)
			}
		})
	}
}

func TestFetchAllIntoRelativeFolder(t *testing.T) {
	npm, _ := packNPM(t, tarGz(t, npmFiles()...))
	wheel := writeFile(t, filepath.Join(t.TempDir(), "x.whl"), zipped(t, archived{"onnxruntime/LICENSE", []byte("MIT")}))
	pip := `[ "$1" = --version ] && exit; while [ "$1" != --dest ]; do shift; done; cp '` + wheel + `' "$2/x.whl"`
	fakeTools(t, map[string]string{"npm": npm, "pip": pip})
	t.Chdir(t.TempDir())
	l := testLocator("")
	l.published = releasePins()
	must(t, l.fetchAll(t.Context(), "out"))
	checkFiles(t, "out", l.published)
}

func TestFetchAllFails(t *testing.T) {
	npm, _ := packNPM(t, tarGz(t, npmFiles()...))
	file := writeFile(t, filepath.Join(t.TempDir(), "file"), nil)
	tests := []struct {
		name, dir, wrong string
		scripts          map[string]string
	}{
		{"no npm", t.TempDir(), "with npm: not installed", nil},
		{"no pip", t.TempDir(), "with pip: not installed", map[string]string{"npm": npm}},
		{"folder below a file", filepath.Join(file, "dir"), "cannot be made", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fakeTools(t, test.scripts)
			l := testLocator("")
			l.published = releasePins()
			err := l.fetchAll(t.Context(), test.dir)
			checkOneLine(t, err)
			if !strings.Contains(err.Error(), test.wrong) || !strings.Contains(err.Error(), test.dir) {
				t.Errorf("got %v, want %q and %s in it", err, test.wrong, test.dir)
			}
		})
	}
}

func TestFetchForCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fakeTools(t, map[string]string{"npm": "exit 1"})
	if err := FetchFor(ctx, "linux", "arm64", t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestFetchForUnpublishedPlatform(t *testing.T) {
	for _, platform := range [][2]string{{"darwin", "amd64"}, {"plan9", "arm64"}, {"", ""}} {
		err := FetchFor(t.Context(), platform[0], platform[1], t.TempDir(), nil)
		checkOneLine(t, err)
		if want := platform[0] + "/" + platform[1]; !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
