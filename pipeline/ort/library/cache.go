package library

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	stampName  = "verified.json"
	lockName   = "lock"
	tempPrefix = "fetch-"
)

// cacheDir is the folder of this version and platform in the cache. It holds
// the library, the files it loads, a stamp, the lock and, while a fetch runs,
// that fetch's own folder.
func (l *locator) cacheDir() (string, error) {
	root := l.opts.CacheDir
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache folder for this user: %w", err)
		}
		root = filepath.Join(user, "ldx", "onnxruntime")
	}
	// The loader and npm, whose working folder differs, both get paths in it.
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	return filepath.Join(root, Version+"-"+l.goos+"-"+l.goarch), nil
}

// stamp records which files were hashed, so that a start costs a stat a file
// and not 100 ms of hashing. It is no defence against someone who can write
// to the cache: they could replace the program's other files too.
type stamp struct {
	Files []stampedFile `json:"files"`
}

type stampedFile struct {
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mod_time"`
	SHA256  string    `json:"sha256"`
}

func (l *locator) findCached(tried *trail) (Location, bool) {
	dir, err := l.cacheDir()
	if err != nil {
		tried.add(sourceCache, "", err.Error())
		return Location{}, false
	}
	path := filepath.Join(dir, libraryName(l.goos))
	if err := checkCached(dir, l.published.npm, l.published.pip); err != nil {
		tried.add(sourceCache, path, err.Error())
		return Location{}, false
	}
	return Location{Path: path, Source: sourceCache, Version: Version}, true
}

// checkCached reports why dir holds none of the bundles in full; nil if it
// holds one. Files that the stamp does not vouch for are hashed and, if right,
// stamped.
func checkCached(dir string, bundles ...bundle) error {
	known := readStamp(dir)
	reason := errors.New("nothing is published for this platform")
	for _, b := range bundles {
		if len(b.members) == 0 {
			continue
		}
		fresh, changed, err := checkBundle(dir, b, known)
		if err != nil {
			reason = err
			continue
		}
		if changed {
			// Only speed is lost if a cache that is now read-only keeps its
			// old stamp: the files were found right.
			_ = writeStamp(dir, fresh)
		}
		return nil
	}
	return reason
}

// checkBundle checks each member by size, then by the stamp or else its hash.
// It returns the stamp that dir should have and whether that is a new one.
func checkBundle(dir string, b bundle, known stamp) (stamp, bool, error) {
	var fresh stamp
	changed := false
	for _, m := range b.members {
		path := filepath.Join(dir, m.name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return stamp{}, false, fmt.Errorf("%s is not there", m.name)
		}
		if err != nil {
			return stamp{}, false, err
		}
		if info.Size() != m.size {
			return stamp{}, false, fmt.Errorf("%s has %d bytes, not %d", m.name, info.Size(), m.size)
		}
		entry := stampedFile{m.name, m.size, info.ModTime().UTC(), m.sha256}
		fresh.Files = append(fresh.Files, entry)
		if known.vouches(entry) {
			continue
		}
		if err := checkHash(path, m); err != nil {
			return stamp{}, false, err
		}
		changed = true
	}
	return fresh, changed, nil
}

func (s stamp) vouches(want stampedFile) bool {
	for _, f := range s.Files {
		if f.Name == want.Name && f.Size == want.Size && f.SHA256 == want.SHA256 {
			return f.ModTime.Equal(want.ModTime)
		}
	}
	return false
}

func checkHash(path string, m member) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	if err := both(err, file.Close()); err != nil {
		return err
	}
	return m.compare(hash.Sum(nil))
}

func (m member) compare(sum []byte) error {
	if got := hex.EncodeToString(sum); got != m.sha256 {
		return fmt.Errorf("%s has SHA-256 %.12s…, not the pinned %.12s…", m.name, got, m.sha256)
	}
	return nil
}

// readStamp returns an empty stamp, which vouches for nothing, where there is
// none or it is damaged.
func readStamp(dir string) stamp {
	data, err := os.ReadFile(filepath.Join(dir, stampName))
	if err != nil {
		return stamp{}
	}
	var s stamp
	if err := json.Unmarshal(data, &s); err != nil {
		return stamp{}
	}
	return s
}

// writeStamp replaces the stamp in one step, as others may read it.
func writeStamp(dir string, s stamp) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, stampName+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	err = both(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, stampName))
	}
	if err != nil {
		return both(err, os.Remove(file.Name()))
	}
	return nil
}

// install moves a bundle's checked files from temp, in the same folder's file
// system, to dir. The library goes last, so that where it is, all of it is.
func install(temp, dir string, b bundle) error {
	for i := len(b.members) - 1; i >= 0; i-- {
		name := b.members[i].name
		if err := os.Rename(filepath.Join(temp, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// stampInstalled stamps files whose hashes were checked on their way here.
func stampInstalled(dir string, b bundle) error {
	var s stamp
	for _, m := range b.members {
		info, err := os.Stat(filepath.Join(dir, m.name))
		if err != nil {
			return err
		}
		s.Files = append(s.Files, stampedFile{m.name, m.size, info.ModTime().UTC(), m.sha256})
	}
	return writeStamp(dir, s)
}

// removeStale removes what fetches that were killed left behind. The caller
// holds the lock, so no such folder is in use.
func removeStale(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, tempPrefix) || strings.HasPrefix(name, stampName+"-") {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
