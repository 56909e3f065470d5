package library

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// locator looks for a library, and fetches it. Its fields are this machine's
// facts, so that tests can set others.
type locator struct {
	opts         Options
	goos, goarch string
	lookupEnv    func(string) (string, bool)
	programDirs  []string
	systemDirs   []string
	published    published // no members where nothing is published
	releaseURL   string    // the folder of the project's own archives
	client       *http.Client
	retryDelay   time.Duration // before the second connection; it doubles
	idleLimit    time.Duration // without a byte before a connection is dropped
}

func newLocator(opts Options) *locator {
	pins, _ := pinned(runtime.GOOS, runtime.GOARCH)
	return &locator{
		opts:        opts,
		goos:        runtime.GOOS,
		goarch:      runtime.GOARCH,
		lookupEnv:   os.LookupEnv,
		programDirs: programDirs(),
		systemDirs:  systemDirs(runtime.GOOS, runtime.GOARCH, os.Getenv),
		published:   pins,
		releaseURL:  releaseURL,
		client:      &http.Client{Transport: http.DefaultTransport},
		retryDelay:  500 * time.Millisecond,
		idleLimit:   30 * time.Second,
	}
}

// programDirs lists the program's own folder and the lib folder of its
// prefix, also for the file that a symbolic link to it leads to.
func programDirs() []string {
	program, err := os.Executable()
	if err != nil {
		return nil // then there is no such place to look
	}
	paths := []string{program}
	if target, err := filepath.EvalSymlinks(program); err == nil && target != program {
		paths = append(paths, target)
	}
	var dirs []string
	for _, path := range paths {
		dir := filepath.Dir(path)
		dirs = append(dirs, dir, filepath.Join(filepath.Dir(dir), "lib"))
	}
	return dirs
}

// systemDirs lists the folders that the loader of goos searches. Windows has
// none: the onnxruntime.dll in its system folder belongs to Windows ML.
func systemDirs(goos, goarch string, getenv func(string) string) []string {
	switch goos {
	case "darwin":
		return append(absolute(getenv("DYLD_LIBRARY_PATH")),
			"/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib")
	case "linux":
		triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[goarch]
		dirs := append(absolute(getenv("LD_LIBRARY_PATH")), "/usr/local/lib", "/usr/local/lib64")
		if triplet != "" {
			dirs = append(dirs, "/usr/lib/"+triplet)
		}
		return append(dirs, "/usr/lib64", "/usr/lib")
	}
	return nil
}

// absolute splits a path list and drops what depends on the working folder.
func absolute(list string) []string {
	var dirs []string
	for _, dir := range filepath.SplitList(list) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func (l *locator) find() (Location, []Tried, error) {
	tried := &trail{}
	if loc, found, err := l.findNamed(tried); found || err != nil {
		return loc, tried.places, err
	}
	if loc, found := l.findInDirs(l.programDirs, sourceBeside, tried); found {
		return loc, tried.places, nil
	}
	if loc, found := l.findInDirs(l.systemDirs, sourceSystem, tried); found {
		return loc, tried.places, nil
	}
	if loc, found := l.findCached(tried); found {
		return loc, tried.places, nil
	}
	return Location{}, tried.places, fmt.Errorf("%w in %d places: %s", ErrNotFound, len(tried.places), l.remedy())
}

// remedy says what a user can do without a fetch.
func (l *locator) remedy() string {
	return fmt.Sprintf("get ONNX Runtime %s for %s/%s and point --ort-library or %s at its %s",
		Version, l.goos, l.goarch, envLibrary, libraryName(l.goos))
}

// trail collects the places passed over.
type trail struct{ places []Tried }

func (t *trail) add(source, path, reason string) {
	t.places = append(t.places, Tried{Path: path, Source: source, Reason: reason})
}

// findNamed takes the first path that is named by the flag or the environment.
func (l *locator) findNamed(tried *trail) (Location, bool, error) {
	names := []struct{ source, label, path string }{{sourceFlag, "--ort-library", l.opts.Path}}
	for _, variable := range []string{envLibrary, envShared} {
		value, _ := l.lookupEnv(variable)
		names = append(names, struct{ source, label, path string }{"environment " + variable, variable, value})
	}
	for _, name := range names {
		if name.path == "" {
			tried.add(name.source, "", "not set")
			continue
		}
		loc, err := l.useNamed(name.path)
		if err != nil {
			return Location{}, false, fmt.Errorf("%s %q cannot be used: %w; name the file of ONNX Runtime 1.%d or newer, such as %s",
				name.label, name.path, err, oldestMinor, libraryName(l.goos))
		}
		loc.Source = name.source
		return loc, true, nil
	}
	return Location{}, false, nil
}

// useNamed checks a named library. One that does not tell its version is
// taken at its user's word.
func (l *locator) useNamed(path string) (Location, error) {
	// The loader would search its own folders for a bare file name.
	path, err := filepath.Abs(path)
	if err != nil {
		return Location{}, err
	}
	v, err := l.examine(path)
	if err != nil && !errors.Is(err, errNoVersion) {
		return Location{}, err
	}
	return Location{Path: path, Version: v.String()}, nil
}

// findInDirs takes the newest usable library of the first folder with one.
func (l *locator) findInDirs(dirs []string, source string, tried *trail) (Location, bool) {
	for _, dir := range dirs {
		paths := l.librariesIn(dir)
		if len(paths) == 0 {
			tried.add(source, dir, "no ONNX Runtime library in this folder")
		}
		var best string
		var newest version
		for _, path := range paths {
			v, err := l.examine(path)
			if err != nil {
				tried.add(source, path, err.Error())
			} else if v.newer(newest) {
				best, newest = path, v
			}
		}
		if best != "" {
			return Location{Path: best, Source: source, Version: newest.String()}, true
		}
	}
	return Location{}, false
}

// librariesIn lists the files in dir that are named like the library, each
// once though links may give it several names.
func (l *locator) librariesIn(dir string) []string {
	seen := map[string]bool{}
	var paths []string
	names := slices.DeleteFunc(namesIn(dir), func(name string) bool { return !isLibraryName(l.goos, name) })
	slices.Sort(names)
	for _, name := range names {
		path := filepath.Join(dir, name)
		if target, err := filepath.EvalSymlinks(path); err == nil {
			if seen[target] {
				continue
			}
			seen[target] = true
		}
		paths = append(paths, path)
	}
	return paths
}

// namesIn lists a folder without sorting it or looking at its files, as a
// system's library folder has thousands. One that cannot be read is empty to
// us.
func namesIn(dir string) []string {
	folder, err := os.Open(dir)
	if err != nil {
		return nil
	}
	names, err := folder.Readdirnames(-1)
	if both(err, folder.Close()) != nil {
		return nil
	}
	return names
}

// isLibraryName tells the library from its providers and bindings, whose
// names begin alike.
func isLibraryName(goos, name string) bool {
	switch goos {
	case "windows":
		return strings.EqualFold(name, "onnxruntime.dll")
	case "darwin":
		return strings.HasPrefix(name, "libonnxruntime.") && strings.HasSuffix(name, ".dylib")
	}
	return name == "libonnxruntime.so" || strings.HasPrefix(name, "libonnxruntime.so.")
}

var errNoVersion = errors.New("its version cannot be told")

// examine checks that the file at path is a library for this platform and new
// enough. The file name's version counts before the headers', as it is what
// its packager meant; errNoVersion says that neither tells.
func (l *locator) examine(path string) (version, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return version{}, reasonOf(err)
	}
	img, err := readImage(target, l.goarch)
	if err != nil {
		return version{}, err
	}
	if img.goos != l.goos || img.goarch != l.goarch {
		return version{}, fmt.Errorf("not a library for %s/%s", l.goos, l.goarch)
	}
	v, ok := versionInName(filepath.Base(target))
	if !ok {
		v = img.version
	}
	if !v.known() {
		return version{}, errNoVersion
	}
	if !v.supported() {
		return version{}, fmt.Errorf("version %s is not supported (1.%d or newer is)", v, oldestMinor)
	}
	return v, nil
}

func readImage(path, goarch string) (image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return image{}, reasonOf(err)
	}
	if !info.Mode().IsRegular() {
		return image{}, errors.New("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return image{}, reasonOf(err)
	}
	img, err := inspect(file, goarch)
	return img, both(err, file.Close())
}
