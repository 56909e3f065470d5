//go:build unix

package library

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childCache, in the environment, makes the test binary call Ensure on that
// cache and print its progress and result as JSON lines.
const childCache = "LDX_TEST_LIBRARY_CACHE"

type childLine struct {
	What     string   `json:"what,omitempty"`
	Location Location `json:"location"`
	Err      string   `json:"err,omitempty"`
}

func TestMain(m *testing.M) {
	cache, child := os.LookupEnv(childCache)
	if !child {
		os.Exit(m.Run())
	}
	out := json.NewEncoder(os.Stdout)
	say := func(line childLine) {
		if err := out.Encode(line); err != nil {
			os.Exit(3)
		}
	}
	l := testLocator(cache)
	l.opts.Progress = func(p Progress) { say(childLine{What: p.What}) }
	loc, err := l.ensure(context.Background())
	line := childLine{Location: loc}
	if err != nil {
		line.Err = err.Error()
	}
	say(line)
}

// startChild runs ensure in another process and returns its lines.
func startChild(t *testing.T, cache string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childCache+"="+cache)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		// A child that has ended well makes both fail, which is as it should be.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewScanner(out)
}

func nextLine(t *testing.T, lines *bufio.Scanner) childLine {
	t.Helper()
	var line childLine
	if !lines.Scan() {
		t.Fatalf("the child ended without a result: %v", lines.Err())
	}
	must(t, json.Unmarshal(lines.Bytes(), &line))
	if line.Err != "" {
		t.Fatal(line.Err)
	}
	return line
}

// result skips progress up to the location.
func result(t *testing.T, lines *bufio.Scanner) Location {
	t.Helper()
	for {
		if line := nextLine(t, lines); line.What == "" {
			return line.Location
		}
	}
}

func TestEnsureInProcesses(t *testing.T) {
	gate := fifo(t)
	npm, log := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": "read line < '" + gate + "'; " + npm})
	cache := t.TempDir()

	_, first := startChild(t, cache)
	if line := nextLine(t, first); !strings.Contains(line.What, "npm") {
		t.Fatalf("the first process reports %q", line.What)
	}
	others := make([]*bufio.Scanner, 3)
	for i := range others {
		_, others[i] = startChild(t, cache)
		if line := nextLine(t, others[i]); !strings.HasPrefix(line.What, "waiting") {
			t.Fatalf("another process reports %q", line.What)
		}
	}
	must(t, os.WriteFile(gate, []byte("go\n"), 0))

	loc := result(t, first)
	if loc.Source != "fetched with npm" {
		t.Errorf("the first process got %+v", loc)
	}
	for _, lines := range others {
		if got, want := result(t, lines), (Location{loc.Path, sourceCache, Version}); got != want {
			t.Errorf("another process got %+v, want %+v", got, want)
		}
	}
	if got := runs(t, log); got != 1 {
		t.Errorf("npm ran %d times", got)
	}
	l := testLocator(cache)
	checkInstalled(t, l, l.published.npm)
}

func TestEnsureAfterKilledProcess(t *testing.T) {
	gate := fifo(t)
	fakeTools(t, map[string]string{"npm": "echo x > half.tgz; read line < '" + gate + "'"})
	cache := t.TempDir()
	child, lines := startChild(t, cache)
	nextLine(t, lines)
	must(t, child.Process.Kill())
	// The orphaned npm waits at the gate; opening both ends never blocks.
	release, err := os.OpenFile(gate, os.O_RDWR, 0)
	must(t, err)
	_, err = release.WriteString("go\n")
	must(t, err)
	defer func() { must(t, release.Close()) }()
	if err := child.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}

	l := testLocator(cache)
	dir, err := l.cacheDir()
	must(t, err)
	left, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	must(t, err)
	if len(left) != 1 {
		t.Fatalf("the killed process left %q, want one folder", left)
	}
	npm, _ := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": npm})
	_, err = l.ensure(t.Context())
	must(t, err)
	checkInstalled(t, l, l.published.npm)
}
