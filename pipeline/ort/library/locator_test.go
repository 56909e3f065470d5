package library

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFindOrder(t *testing.T) {
	root := t.TempDir()
	lib := elfImage(machineAMD64, "1.30.0")
	named := writeFile(t, filepath.Join(root, "flag", "any.so"), lib)
	first := writeFile(t, filepath.Join(root, "env1", "any.so"), lib)
	second := writeFile(t, filepath.Join(root, "env2", "any.so"), lib)
	beside := writeFile(t, filepath.Join(root, "bin", "libonnxruntime.so.1.30.0"), lib)
	system := writeFile(t, filepath.Join(root, "sys", "libonnxruntime.so.1"), lib)

	cache := filepath.Join(root, "cache")
	l := testLocator(cache)
	dir, err := l.cacheDir()
	must(t, err)
	cached := writeFile(t, filepath.Join(dir, libraryName(testOS)), libraryContent(3))

	env := map[string]string{envLibrary: first, envShared: second}
	l.opts.Path = named
	l.lookupEnv = func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	l.programDirs = []string{filepath.Join(root, "bin")}
	l.systemDirs = []string{filepath.Join(root, "sys")}

	steps := []struct {
		want   Location
		remove func()
	}{
		{Location{named, "flag", "1.30.0"}, func() { l.opts.Path = "" }},
		{Location{first, "environment LDX_ORT_LIBRARY", "1.30.0"}, func() { delete(env, envLibrary) }},
		{Location{second, "environment ONNXRUNTIME_SHARED_LIBRARY_PATH", "1.30.0"}, func() { delete(env, envShared) }},
		{Location{beside, "beside the program", "1.30.0"}, func() { must(t, os.Remove(beside)) }},
		{Location{system, "system", "1.30.0"}, func() { must(t, os.Remove(system)) }},
		{Location{cached, "cache", Version}, func() { must(t, os.Remove(cached)) }},
	}
	for i, step := range steps {
		got, tried, err := l.find()
		must(t, err)
		if got != step.want {
			t.Fatalf("got %+v, want %+v", got, step.want)
		}
		if len(tried) != i {
			t.Errorf("%s: %d places were passed over, want %d: %+v", got.Source, len(tried), i, tried)
		}
		step.remove()
	}
	_, tried, err := l.find()
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	checkOneLine(t, err)
	for _, place := range tried {
		if place.Source == "" || place.Reason == "" {
			t.Errorf("%+v does not say what and why", place)
		}
	}
}

func TestFindNamedRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.so"), "file does not exist"},
		{"folder", dir, "not a regular file"},
		{"text", writeFile(t, filepath.Join(dir, "t.so"), []byte("hello")), "not a shared library"},
		{"empty", writeFile(t, filepath.Join(dir, "e.so"), nil), "not a shared library"},
		{"old by headers", writeFile(t, filepath.Join(dir, "o.so"), elfImage(machineAMD64, "1.17.1")), "1.17.1 is not supported"},
		{"old by name", writeFile(t, filepath.Join(dir, "libonnxruntime.so.1.17.1"), elfImage(machineAMD64, "")), "1.17.1 is not supported"},
		{"another machine's", writeFile(t, filepath.Join(dir, "a.so"), elfImage(machineARM64, "1.30.0")), "not a library for linux/amd64"},
		{"another system's", writeFile(t, filepath.Join(dir, "m.so"), machoImage(cpuAMD64, version{1, 30, 0})), "not a library for linux/amd64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := testLocator(t.TempDir())
			l.opts.Path = test.path
			_, _, err := l.find()
			checkOneLine(t, err)
			if errors.Is(err, ErrNotFound) {
				t.Error("a named path that cannot be used must not lead to a fetch")
			}
			for _, want := range []string{"--ort-library", test.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestFindNamedTrustsUnknownVersion(t *testing.T) {
	l := testLocator(t.TempDir())
	path := writeFile(t, filepath.Join(t.TempDir(), "custom.so"), elfImage(machineAMD64, ""))
	l.opts.Path = path
	got, _, err := l.find()
	must(t, err)
	if want := (Location{path, "flag", ""}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFindNamedIsMadeAbsolute(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "custom.so"), elfImage(machineAMD64, "1.30.0"))
	t.Chdir(dir)
	l := testLocator(t.TempDir())
	l.opts.Path = "custom.so"
	got, _, err := l.find()
	must(t, err)
	if !filepath.IsAbs(got.Path) {
		t.Errorf("got %q, want an absolute path", got.Path)
	}
}

func TestFindSystem(t *testing.T) {
	tests := []struct {
		name    string
		files   map[string][]byte
		want    string // file name; empty = none
		reasons []string
	}{
		{"newest of several", map[string][]byte{
			"libonnxruntime.so.1.24.0": elfImage(machineAMD64, ""),
			"libonnxruntime.so.1.31.2": elfImage(machineAMD64, ""),
			"libonnxruntime.so.1.30.0": elfImage(machineAMD64, ""),
		}, "libonnxruntime.so.1.31.2", nil},
		{"version from headers", map[string][]byte{"libonnxruntime.so": elfImage(machineAMD64, "1.25.0")}, "libonnxruntime.so", nil},
		{"old", map[string][]byte{"libonnxruntime.so.1.23.2": elfImage(machineAMD64, "")}, "", []string{"1.23.2 is not supported"}},
		{"old by headers", map[string][]byte{"libonnxruntime.so": elfImage(machineAMD64, "1.16.3")}, "", []string{"1.16.3 is not supported"}},
		{"no version", map[string][]byte{"libonnxruntime.so": elfImage(machineAMD64, "")}, "", []string{"its version cannot be told"}},
		{"another machine's", map[string][]byte{"libonnxruntime.so.1.30.0": elfImage(machineARM64, "")}, "", []string{"not a library for"}},
		{"linker script", map[string][]byte{"libonnxruntime.so": []byte("INPUT(x)")}, "", []string{"not a shared library"}},
		{"providers only", map[string][]byte{"libonnxruntime_providers_shared.so": elfImage(machineAMD64, "1.30.0")}, "",
			[]string{"no ONNX Runtime library in this folder"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range test.files {
				writeFile(t, filepath.Join(dir, name), data)
			}
			l := testLocator(t.TempDir())
			tried := &trail{}
			got, found := l.findInDirs([]string{dir}, sourceSystem, tried)
			if test.want == "" && found || test.want != "" && got.Path != filepath.Join(dir, test.want) {
				t.Errorf("got %+v, want %q", got, test.want)
			}
			checkReasons(t, tried.places, test.reasons)
		})
	}
}

func checkReasons(t *testing.T, places []Tried, want []string) {
	t.Helper()
	if len(places) != len(want) {
		t.Fatalf("got %+v, want the reasons %q", places, want)
	}
	for i, place := range places {
		if !strings.Contains(place.Reason, want[i]) {
			t.Errorf("got reason %q, want %q", place.Reason, want[i])
		}
	}
}

func TestFindSystemFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "libonnxruntime.so.1.23.0"), elfImage(machineAMD64, ""))
	link(t, "libonnxruntime.so.1.23.0", filepath.Join(dir, "libonnxruntime.so.1"))
	link(t, "libonnxruntime.so.1", filepath.Join(dir, "libonnxruntime.so"))
	l := testLocator(t.TempDir())
	tried := &trail{}
	if got, found := l.findInDirs([]string{dir}, sourceSystem, tried); found {
		t.Errorf("got %+v for a link to 1.23.0", got)
	}
	checkReasons(t, tried.places, []string{"1.23.0 is not supported"})

	link(t, "gone", filepath.Join(dir, "libonnxruntime.so.1.40.0"))
	tried = &trail{}
	if got, found := l.findInDirs([]string{dir}, sourceSystem, tried); found {
		t.Errorf("got %+v for a link to nothing", got)
	}
	checkReasons(t, tried.places, []string{"1.23.0 is not supported", "file does not exist"})
}

func TestIsLibraryName(t *testing.T) {
	tests := []struct {
		goos, name string
		want       bool
	}{
		{"linux", "libonnxruntime.so", true},
		{"linux", "libonnxruntime.so.1", true},
		{"linux", "libonnxruntime_providers_cuda.so", false},
		{"linux", "libonnxruntime.1.30.0.dylib", false},
		{"darwin", "libonnxruntime.dylib", true},
		{"darwin", "libonnxruntime.1.30.0.dylib", true},
		{"darwin", "libonnxruntime.so", false},
		{"windows", "OnnxRuntime.dll", true},
		{"windows", "onnxruntime_providers_shared.dll", false},
	}
	for _, test := range tests {
		if got := isLibraryName(test.goos, test.name); got != test.want {
			t.Errorf("%s on %s: got %v", test.name, test.goos, got)
		}
	}
}

func TestSystemDirs(t *testing.T) {
	none := func(string) string { return "" }
	tests := []struct {
		goos, goarch string
		want         []string
	}{
		{"linux", "amd64", []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"}},
		{"linux", "arm64", []string{"/usr/lib/aarch64-linux-gnu"}},
		{"darwin", "arm64", []string{"/opt/homebrew/lib", "/usr/local/lib"}},
		{"windows", "amd64", nil},
	}
	for _, test := range tests {
		got := systemDirs(test.goos, test.goarch, none)
		for _, want := range test.want {
			if !slices.Contains(got, want) {
				t.Errorf("%s/%s: %q lacks %s", test.goos, test.goarch, got, want)
			}
		}
	}
	if got := systemDirs("windows", "amd64", none); len(got) != 0 {
		t.Errorf("windows: got %q, want none", got)
	}
	dir := t.TempDir()
	got := systemDirs("linux", "amd64", func(string) string { return "relative" + string(os.PathListSeparator) + dir })
	if got[0] != dir {
		t.Errorf("got %q first, want %q of LD_LIBRARY_PATH", got[0], dir)
	}
}

func BenchmarkFindCached(b *testing.B) {
	l := newLocator(Options{CacheDir: b.TempDir()})
	l.published = testPublished()
	l.lookupEnv = func(string) (string, bool) { return "", false }
	dir, err := l.cacheDir()
	must(b, err)
	writeFile(b, filepath.Join(dir, libraryName(l.goos)), libraryContent(3))
	if loc, _, err := l.find(); err != nil || loc.Source != sourceCache {
		b.Skipf("this machine has a library of its own at %s: %v", loc.Path, err)
	}
	for b.Loop() {
		if _, _, err := l.find(); err != nil {
			b.Fatal(err)
		}
	}
}
