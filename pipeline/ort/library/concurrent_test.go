//go:build unix

package library

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestEnsureConcurrently(t *testing.T) {
	const callers = 6
	gate := fifo(t)
	npm, log := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": "read line < '" + gate + "'; " + npm})
	cache := t.TempDir()

	var waiting, done sync.WaitGroup
	waiting.Add(callers - 1)
	var fetched atomic.Int32
	for range callers {
		l := testLocator(cache)
		l.opts.Progress = func(p Progress) {
			if strings.HasPrefix(p.What, "waiting") {
				waiting.Done()
			}
		}
		done.Go(func() {
			loc, err := l.ensure(t.Context())
			if err != nil {
				t.Error(err)
			}
			if strings.HasPrefix(loc.Source, sourceFetched) {
				fetched.Add(1)
			}
		})
	}
	waiting.Wait()
	must(t, os.WriteFile(gate, []byte("go\n"), 0))
	done.Wait()
	if got := fetched.Load(); got != 1 || runs(t, log) != 1 {
		t.Errorf("%d callers fetched in %d runs of npm, want 1 in 1", got, runs(t, log))
	}
	l := testLocator(cache)
	checkInstalled(t, l, l.published.npm)
}

func TestEnsureCancelKillsTools(t *testing.T) {
	pipe := fifo(t)
	// The pipe's other end stays open for as long as the script or what it
	// started lives.
	fakeTools(t, map[string]string{"npm": "exec 3> '" + pipe + "'; echo x > half.tgz; sleep 600 & wait"})
	ctx, cancel := context.WithCancel(t.Context())
	l := testLocator(t.TempDir())
	ended := make(chan error, 1)
	go func() {
		_, err := l.ensure(ctx)
		ended <- err
	}()
	reader, err := os.Open(pipe) // waits for the script
	must(t, err)
	cancel()
	_, err = io.ReadAll(reader) // waits for the end of all
	must(t, both(err, reader.Close()))

	err = <-ended
	checkOneLine(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	dir, err := l.cacheDir()
	must(t, err)
	checkContents(t, dir)
}

func TestEnsureCancelWhileWaiting(t *testing.T) {
	gate := fifo(t)
	npm, _ := packNPM(t, tarGz(t, npmFiles()...))
	fakeTools(t, map[string]string{"npm": "read line < '" + gate + "'; " + npm})
	cache := t.TempDir()
	holder := make(chan error, 1)
	started := make(chan struct{})
	var once sync.Once
	go func() {
		l := testLocator(cache)
		l.opts.Progress = func(Progress) { once.Do(func() { close(started) }) }
		_, err := l.ensure(t.Context())
		holder <- err
	}()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	l := testLocator(cache)
	l.opts.Progress = func(Progress) { cancel() }
	if _, err := l.ensure(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	must(t, os.WriteFile(gate, []byte("go\n"), 0))
	must(t, <-holder)
	checkInstalled(t, l, l.published.npm)
}
