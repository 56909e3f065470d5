// Package library finds the ONNX Runtime shared library on this machine and,
// where there is none, fetches the pinned release once into a cache.
//
// It looks at a named path first (the flag, then the environment), then beside
// the program, in the system's library folders and in the cache. A library is
// judged by its name and its headers alone: nothing here loads it, so a broken
// or foreign one cannot harm the process.
//
// Fetching goes through the package managers' ordinary clients (npm, then
// pip), then through an archive of the project's own release. Whatever the
// way, each file's SHA-256 is pinned in this package and checked while it
// streams into the cache.
package library

import (
	"context"
	"errors"
)

// Version is the pinned ONNX Runtime version: the one that Ensure fetches.
const Version = "1.30.0"

// The environment variables that name a library file, the first one first.
const (
	envLibrary = "LDX_ORT_LIBRARY"
	envShared  = "ONNXRUNTIME_SHARED_LIBRARY_PATH"
)

// The values of Location.Source and Tried.Source, but for "environment NAME"
// and the "fetched with npm" kind that Ensure gives.
const (
	sourceFlag    = "flag"
	sourceBeside  = "beside the program"
	sourceSystem  = "system"
	sourceCache   = "cache"
	sourceFetched = "fetched with "
)

// ErrNotFound says that no usable library is installed. Find wraps it, and so
// does Ensure when fetching failed as well.
var ErrNotFound = errors.New("no ONNX Runtime library found")

// Location is a usable ONNX Runtime library.
type Location struct {
	// Path is the library file's absolute path, ready to be loaded.
	Path string
	// Source says where it came from: "flag", "environment LDX_ORT_LIBRARY",
	// "environment ONNXRUNTIME_SHARED_LIBRARY_PATH", "beside the program",
	// "system", "cache", or, when Ensure has just fetched it, "fetched with
	// npm", "fetched with pip" or "fetched with https".
	Source string
	// Version is the library's version, such as "1.30.0"; empty for a named
	// library that does not say.
	Version string
}

// Options says where to look and how to fetch. The zero value looks
// everywhere and may fetch into the user's cache folder.
type Options struct {
	// Path is the library file named by --ort-library; empty means look.
	Path string
	// CacheDir holds fetched libraries; empty means ldx/onnxruntime in
	// os.UserCacheDir.
	CacheDir string
	// Offline keeps Ensure from fetching.
	Offline bool
	// Progress, if set, hears of a fetch's progress. It is called on Ensure's
	// own goroutine, so it must return quickly.
	Progress func(Progress)
}

// Progress is one report on a fetch.
type Progress struct {
	// What is being done, such as "fetching ONNX Runtime 1.30.0 with npm".
	What string
	// Done and Total are bytes; a Total of 0 means unknown.
	Done, Total int64
}

// Tried is one place that was looked at and passed over.
type Tried struct {
	// Path is a file or folder; empty for a variable or flag that is not set.
	Path string
	// Source is the kind of place, as in Location.Source.
	Source string
	// Reason says why it was passed over, such as "not set" or "version
	// 1.17.1 is too old".
	Reason string
}

// Find looks for a library and never fetches. The places passed over on the
// way are returned in the order they were looked at, also on success. A named
// path (Options.Path or the environment) that cannot be used is an error
// rather than a reason to look on; when nothing is found the error wraps
// ErrNotFound.
func Find(opts Options) (Location, []Tried, error) {
	return newLocator(opts).find()
}

// Ensure returns what Find finds, else fetches the pinned release into the
// cache: with npm, pip or over HTTPS, the first that works. Any number of
// goroutines and processes may call it at once on one cache; one fetches and
// the others wait for it. Cancelling ctx stops a fetch, ends its child
// processes and leaves nothing half done; the error then wraps ctx.Err().
// When every way fails the error wraps ErrNotFound and says why each did.
func Ensure(ctx context.Context, opts Options) (Location, error) {
	return newLocator(opts).ensure(ctx)
}
