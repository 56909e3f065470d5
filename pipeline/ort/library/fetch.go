package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockPoll is how often a process that waits for another's fetch looks again.
const lockPoll = 100 * time.Millisecond

// source is one way to get the published library.
type source struct {
	name   string // as in "fetched with NAME"
	bundle bundle
	// fetch leaves the bundle's members, checked, in out; work is an empty
	// folder for whatever else it needs.
	fetch func(ctx context.Context, b bundle, work, out string) error
}

func (l *locator) sources() []source {
	return []source{
		{"npm", l.published.npm, l.fetchNPM},
		{"pip", l.published.pip, l.fetchPip},
		{"https", l.published.npm.flat(), l.fetchRelease},
	}
}

func (l *locator) ensure(ctx context.Context) (Location, error) {
	loc, _, err := l.find()
	if err == nil || !errors.Is(err, ErrNotFound) {
		return loc, err
	}
	if l.opts.Offline {
		return Location{}, fmt.Errorf("%w and fetching is off: %s", ErrNotFound, l.remedy())
	}
	if len(l.published.npm.members) == 0 {
		return Location{}, fmt.Errorf("%w and none is published for %s/%s: build ONNX Runtime 1.%d or newer and point --ort-library or %s at it",
			ErrNotFound, l.goos, l.goarch, oldestMinor, envLibrary)
	}
	dir, err := l.cacheDir()
	if err != nil {
		return Location{}, fmt.Errorf("%w and it cannot be fetched: %w; point --ort-library or %s at one", ErrNotFound, err, envLibrary)
	}
	loc, err = l.fetchLocked(ctx, dir)
	if ctx.Err() != nil && err != nil {
		return Location{}, fmt.Errorf("fetching ONNX Runtime %s stopped: %w", Version, ctx.Err())
	}
	return loc, l.explain(dir, err)
}

// explain turns a failure to write to the cache into advice.
func (l *locator) explain(dir string, err error) error {
	var failure *cacheError
	if !errors.As(err, &failure) {
		return err
	}
	advice := "make it writable"
	if isDiskFull(failure) {
		advice = fmt.Sprintf("free %d MB there", l.published.npm.needed()/1_000_000)
	}
	return fmt.Errorf("library cache %q cannot be written: %w; %s, or point --ort-library or %s at an ONNX Runtime %s",
		dir, reasonOf(failure.err), advice, envLibrary, Version)
}

// needed estimates the bytes a fetch takes on disk at its peak: npm keeps the
// archive twice.
func (b bundle) needed() int64 {
	total := 2 * b.archiveSize
	for _, m := range b.members {
		total += m.size
	}
	return total
}

// fetchLocked fetches as the only one on this cache. Whoever waited for the
// lock looks again first: the one before may have fetched it.
func (l *locator) fetchLocked(ctx context.Context, dir string) (loc Location, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Location{}, &cacheError{err}
	}
	lock := flock.New(filepath.Join(dir, lockName))
	if err := l.acquire(ctx, lock); err != nil {
		return Location{}, err
	}
	defer func() { err = both(err, cacheFailure(lock.Close())) }()

	if loc, found := l.findCached(&trail{}); found {
		return loc, nil
	}
	if err := removeStale(dir); err != nil {
		return Location{}, &cacheError{err}
	}
	return l.fetchInto(ctx, dir, l.sources())
}

func (l *locator) acquire(ctx context.Context, lock *flock.Flock) error {
	locked, err := lock.TryLock()
	if err == nil && !locked {
		l.report("waiting for another process to fetch ONNX Runtime "+Version, 0, 0)
		_, err = lock.TryLockContext(ctx, lockPoll)
	}
	if err != nil {
		return &cacheError{err}
	}
	return nil
}

// fetchInto tries the sources in turn. It goes on to the next after any
// failure but a cancelled context and those of the cache itself; of these, a
// full disk may still hold what a thriftier source needs.
func (l *locator) fetchInto(ctx context.Context, dir string, sources []source) (Location, error) {
	var failures []string
	var full error
	for _, src := range sources {
		err := l.fetchFrom(ctx, src, dir)
		if err == nil {
			err = cacheFailure(stampInstalled(dir, src.bundle))
		}
		if err == nil {
			return Location{filepath.Join(dir, libraryName(l.goos)), sourceFetched + src.name, Version}, nil
		}
		var failure *cacheError
		unwritable := errors.As(err, &failure)
		if ctx.Err() != nil || unwritable && !isDiskFull(err) {
			return Location{}, err
		}
		if unwritable {
			full = err
		}
		failures = append(failures, src.name+": "+oneLine(err.Error()))
	}
	if full != nil {
		return Location{}, full
	}
	return Location{}, fmt.Errorf("%w and fetching failed (%s): install npm or pip, or %s",
		ErrNotFound, strings.Join(failures, "; "), l.remedy())
}

// fetchFrom puts one source's files into dir, by way of a folder in it.
func (l *locator) fetchFrom(ctx context.Context, src source, dir string) (err error) {
	temp, err := os.MkdirTemp(dir, tempPrefix+"*")
	if err != nil {
		return &cacheError{err}
	}
	// What cannot be removed now (Windows keeps files that are in use) is
	// stale for the next fetch, so a failure here is none of the caller's.
	defer func() { _ = os.RemoveAll(temp) }()

	work, out := filepath.Join(temp, "work"), filepath.Join(temp, "out")
	for _, folder := range []string{work, out} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return &cacheError{err}
		}
	}
	if err := src.fetch(ctx, src.bundle, work, out); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return cacheFailure(install(out, dir, src.bundle))
}

func (l *locator) report(what string, done, total int64) {
	if l.opts.Progress == nil {
		return
	}
	if total > 0 && done > total {
		done = total
	}
	l.opts.Progress(Progress{What: what, Done: done, Total: total})
}

// oneLine keeps a message from another program short and on one line.
func oneLine(s string) string {
	const longest = 200
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return s
}
