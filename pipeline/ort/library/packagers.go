package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// fetchNPM packs the npm package without installing it, so that none of its
// scripts runs, and unpacks the library. npm gets a cache of its own in work:
// its growth is the progress, and nothing is left when it is removed.
func (l *locator) fetchNPM(ctx context.Context, b bundle, work, out string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("not installed")
	}
	what := "fetching ONNX Runtime " + Version + " with npm"
	tool := tool{dir: work, tick: func(done int64) { l.report(what, done, b.archiveSize) }}
	// npm's own pauses between retries add up to more than a minute.
	err = tool.run(ctx, npm, "pack", npmPackage, "--loglevel=error", "--ignore-scripts", "--no-update-notifier",
		"--cache", filepath.Join(work, "npm-cache"),
		"--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
	if err != nil {
		return err
	}
	l.report("unpacking ONNX Runtime "+Version, 0, 0)
	return unpackTarball(work, b.members, out)
}

func unpackTarball(work string, members []member, out string) error {
	path, err := onlyMatch(work, "*.tgz")
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return both(extractTarGz(file, members, out), file.Close())
}

// onlyMatch finds the one file that a packager left in dir.
func onlyMatch(dir, pattern string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, entry := range entries {
		if ok, err := filepath.Match(pattern, entry.Name()); err != nil {
			return "", err
		} else if ok {
			found = append(found, filepath.Join(dir, entry.Name()))
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("left %d files like %s, not 1", len(found), pattern)
	}
	return found[0], nil
}

// fetchPip downloads the wheel of a fixed Python and platform, whatever the
// machine's own, and unpacks the library.
func (l *locator) fetchPip(ctx context.Context, b bundle, work, out string) error {
	pip, err := findPip(ctx, work, l.goos)
	if err != nil {
		return err
	}
	what := "fetching ONNX Runtime " + Version + " with pip"
	tool := tool{dir: work, tick: func(done int64) { l.report(what, done, b.archiveSize) }}
	args := append(pip[1:len(pip):len(pip)], "download", "--quiet", "--no-input", "--disable-pip-version-check",
		"--no-cache-dir", "--retries", "2", "--dest", work,
		"--no-deps", "--only-binary=:all:", "--platform", l.published.wheelTag,
		"--implementation", "cp", "--python-version", pythonVersion, "--abi", cpythonTag(),
		"onnxruntime=="+Version)
	if err := tool.run(ctx, pip[0], args...); err != nil {
		return err
	}
	path, err := onlyMatch(work, "*.whl")
	if err != nil {
		return err
	}
	l.report("unpacking ONNX Runtime "+Version, 0, 0)
	return extractZip(path, b.members, out)
}

// findPip returns the command line of a pip that starts: a Python may be
// there without one.
func findPip(ctx context.Context, work, goos string) ([]string, error) {
	candidates := [][]string{{"python3", "-m", "pip"}, {"pip3"}, {"pip"}}
	if goos == "windows" {
		candidates = append([][]string{{"py", "-m", "pip"}}, candidates...)
	}
	reason := errors.New("not installed")
	for _, words := range candidates {
		path, err := exec.LookPath(words[0])
		if err != nil {
			continue
		}
		command := append([]string{path}, words[1:]...)
		probe := append(command[1:len(command):len(command)], "--version")
		err = tool{dir: work}.run(ctx, path, probe...)
		if err == nil {
			return command, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		reason = err
	}
	return nil, reason
}
