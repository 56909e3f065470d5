package ort

import (
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	onnx "github.com/yalue/onnxruntime_go"
	"golang.org/x/sys/cpu"
)

// Optimising a graph is half of the time it takes to load one (for the embedded
// UNet 250 of 500 ms), and gives the same every time. graphCache keeps what came
// out of it. A cached graph is only used by the library version and kind of
// processor that made it: the layouts chosen depend on both.
//
// A file is called KEY-CHECKSUM.onnx: the key says what it was made of, the
// checksum is its own, so that a damaged file is never used.
type graphCache struct {
	dir string
	key string // "" where the graph is not cached
}

// maxCached is the largest graph that is cached, in bytes: beyond, reading the
// weights outweighs optimising, and the disk is the user's.
const maxCached = 128 << 20

func newGraphCache(dir string, g Graph, version string) graphCache {
	c := graphCache{dir: dir}
	if dir == "" {
		return c
	}
	if size, sum, err := g.digest(); err == nil {
		c.key = fmt.Sprintf("%s-%s-%d-%s", version, processor(), size, sum)
	}
	return c
}

// digest gives the size and the checksum of what a graph is made of: a graph on
// disk may have weights beside it, so its whole folder counts. One that is larger
// than maxCached is an error.
func (g Graph) digest() (size int64, sum string, err error) {
	if g.File != nil {
		if g.Size > maxCached {
			return 0, "", errTooLarge
		}
		sum, err = checksum(io.NewSectionReader(g.File, 0, g.Size))
		return g.Size, sum, err
	}
	entries, err := os.ReadDir(filepath.Dir(g.Path)) // sorted by name
	if err != nil {
		return 0, "", err
	}
	var files []string
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(filepath.Dir(g.Path), e.Name())) // through links
		if err != nil {
			return 0, "", err
		}
		if info.Mode().IsRegular() {
			size += info.Size()
			files = append(files, e.Name())
		}
	}
	if size > maxCached {
		return 0, "", errTooLarge
	}
	sum, err = filesChecksum(filepath.Dir(g.Path), files)
	return size, sum, err
}

var errTooLarge = errors.New("too large for the cache of graphs")

// checksum is a CRC-32C, which processors compute in hardware.
func checksum(r io.Reader) (string, error) {
	h := newChecksum()
	_, err := io.Copy(h, r)
	return fmt.Sprintf("%08x", h.Sum32()), err
}

func newChecksum() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// filesChecksum is the checksum of files' names and contents.
func filesChecksum(dir string, names []string) (string, error) {
	h := newChecksum()
	for _, name := range names {
		sum, err := fileChecksum(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, "%q %s\n", name, sum) // a hash takes everything
	}
	return fmt.Sprintf("%08x", h.Sum32()), nil
}

// processor names the instruction sets that ONNX Runtime's layouts depend on.
func processor() string {
	switch {
	case cpu.X86.HasAVX512F:
		return runtime.GOARCH + "-avx512"
	case cpu.X86.HasAVX2:
		return runtime.GOARCH + "-avx2"
	}
	return runtime.GOARCH
}

// find gives the cached graph's path, or "" where there is none that is whole.
func (c graphCache) find() string {
	if c.key == "" {
		return ""
	}
	matches, err := filepath.Glob(filepath.Join(c.dir, c.key+"-*.onnx"))
	if err != nil {
		return ""
	}
	for _, path := range matches {
		if sum, err := fileChecksum(path); err == nil && path == c.path(sum) {
			return path
		}
		_ = os.Remove(path) // damaged: it is made again
	}
	return ""
}

func (c graphCache) path(sum string) string { return filepath.Join(c.dir, c.key+"-"+sum+".onnx") }

func fileChecksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	return checksum(f)
}

// keep makes options save the optimised graph; the function it returns puts it
// in its place once the session is made. A cache that cannot be written is done
// without: loading does not depend on it.
func (c graphCache) keep(so *onnx.SessionOptions) (finish func(), err error) {
	nothing := func() {}
	if c.key == "" || os.MkdirAll(c.dir, 0o755) != nil {
		return nothing, nil
	}
	c.removeStale()
	tmp, err := os.CreateTemp(c.dir, ".graph.*")
	if err != nil {
		return nothing, nil
	}
	remove := func() { _ = os.Remove(tmp.Name()) } // it is gone already where all went well
	if err := errors.Join(tmp.Close(), so.SetOptimizedModelFilePath(tmp.Name())); err != nil {
		remove()
		return nothing, err
	}
	return func() {
		defer remove()
		info, err := os.Stat(tmp.Name())
		if err != nil || info.Size() == 0 {
			return // the session was not made
		}
		if sum, err := fileChecksum(tmp.Name()); err == nil {
			_ = os.Rename(tmp.Name(), c.path(sum)) // the next start tries again
		}
	}, nil
}

// stale is the age at which an unfinished file was left by a process that is gone.
const stale = 10 * time.Minute

func (c graphCache) removeStale() {
	left, err := filepath.Glob(filepath.Join(c.dir, ".graph.*"))
	if err != nil {
		return
	}
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > stale {
			_ = os.Remove(path) // another process may have been quicker
		}
	}
}
