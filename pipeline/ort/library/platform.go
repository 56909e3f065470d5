package library

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// FetchFor puts the pinned release for a platform, which need not be this
// machine's, into dir: the library, what it loads, and the licences that must
// go with them, as onnxruntime-LICENSE.txt and
// onnxruntime-ThirdPartyNotices.txt. A program in that folder finds the library
// beside itself.
//
// It needs npm and pip, and checks each file as Ensure does. Files that are
// there already and right are left alone, others of the same names replaced.
// progress may be nil; it is called as Options.Progress is.
func FetchFor(ctx context.Context, goos, goarch, dir string, progress func(Progress)) error {
	pins, ok := pinnedRelease(goos, goarch)
	if !ok {
		return fmt.Errorf("no ONNX Runtime %s is published for %s/%s; there is one for linux, darwin and windows on arm64 and for linux and windows on amd64",
			Version, goos, goarch)
	}
	l := newLocator(Options{Progress: progress})
	l.published = pins
	return l.fetchAll(ctx, dir)
}

// fetchAll puts the files of both npm and pip into dir.
func (l *locator) fetchAll(ctx context.Context, dir string) error {
	// npm and pip run in a folder of their own.
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder %s cannot be made: %w", dir, reasonOf(err))
	}
	for _, src := range []source{
		{"npm", l.published.npm, l.fetchNPM},
		{"pip", l.published.pip, l.fetchPip},
	} {
		if _, _, err := checkBundle(dir, src.bundle, stamp{}); err == nil {
			continue
		}
		if err := l.fetchFrom(ctx, src, dir); err != nil {
			return fmt.Errorf("ONNX Runtime %s cannot be fetched into %s with %s: %w", Version, dir, src.name, err)
		}
	}
	return nil
}
