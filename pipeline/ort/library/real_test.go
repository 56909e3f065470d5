package library

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// envNetwork, set to 1, lets tests download from the package registries.
const envNetwork = "LDX_NETWORK_TESTS"

func skipWithoutNetwork(t *testing.T) {
	t.Helper()
	if os.Getenv(envNetwork) != "1" {
		t.Skipf("downloads more than 100 MB: set %s=1 to run it", envNetwork)
	}
}

// TestFetchForReal fetches the published library with each package manager
// that is installed and reaches its registry.
func TestFetchForReal(t *testing.T) {
	skipWithoutNetwork(t)
	npm := []string{"npm", "view", npmPackage, "version", "--fetch-retries=0"}
	pip := []string{"python3", "-m", "pip", "index", "versions", "onnxruntime", "--retries", "0", "--disable-pip-version-check"}
	for i, probe := range [][]string{npm, pip} {
		t.Run(probe[0], func(t *testing.T) {
			l := newLocator(Options{CacheDir: t.TempDir()})
			src := l.sources()[i]
			if len(src.bundle.members) == 0 {
				t.Skipf("no library is published for %s/%s", l.goos, l.goarch)
			}
			skipUnlessAnswers(t, probe)
			l.opts.Progress = func(p Progress) { t.Logf("%s: %d of %d", p.What, p.Done, p.Total) }
			dir, err := l.cacheDir()
			must(t, err)
			must(t, os.MkdirAll(dir, 0o755))
			start := time.Now()
			_, err = l.fetchInto(t.Context(), dir, []source{src})
			must(t, err)
			t.Logf("fetched in %v", time.Since(start).Round(time.Millisecond))
			checkInstalled(t, l, src.bundle)
			v, err := l.examine(filepath.Join(dir, libraryName(l.goos)))
			if err != nil || v.String() != Version {
				t.Errorf("the library says it is %v: %v", v, err)
			}
		})
	}
}

// TestFetchOtherPlatform fetches what a release archive for Windows holds,
// wherever the test runs.
func TestFetchOtherPlatform(t *testing.T) {
	skipWithoutNetwork(t)
	for _, program := range []string{"npm", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	must(t, FetchFor(t.Context(), "windows", "amd64", dir, nil))
	l := newLocator(Options{})
	l.goos, l.goarch = "windows", "amd64"
	v, err := l.examine(filepath.Join(dir, libraryName("windows")))
	if err != nil || v.String() != Version {
		t.Errorf("the library says it is %v: %v", v, err)
	}
	for _, name := range []string{"DirectML.dll", "onnxruntime-LICENSE.txt", "onnxruntime-ThirdPartyNotices.txt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func skipUnlessAnswers(t *testing.T, probe []string) {
	t.Helper()
	path, err := exec.LookPath(probe[0])
	if err != nil {
		t.Skipf("%s is not installed", probe[0])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, path, probe[1:]...).CombinedOutput(); err != nil {
		t.Skipf("%s does not reach its registry: %v: %s", probe[0], err, oneLine(string(out)))
	}
}
