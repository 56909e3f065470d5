package library

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxUnpacked bounds what is decompressed in search of the members, in bytes:
// twice what the npm package unpacks to.
const maxUnpacked = 1 << 30

// extractTarGz writes the members found in a gzipped tar stream into dir, by
// their cache names and nothing else, and stops reading after the last one.
// A member counts only as a regular file of its pinned size and hash.
func extractTarGz(r io.Reader, members []member, dir string) error {
	gz, err := gzip.NewReader(r)
	if errors.Is(err, gzip.ErrHeader) {
		return errors.New("archive is not gzip")
	}
	if err != nil {
		return fmt.Errorf("archive cannot be read: %w", err)
	}
	return extractTar(io.LimitReader(gz, maxUnpacked), members, dir)
}

func extractTar(r io.Reader, members []member, dir string) error {
	left := index(members)
	archive := tar.NewReader(r)
	for len(left) > 0 {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return missing(left)
		}
		if err != nil {
			return fmt.Errorf("archive cannot be read: %w", err)
		}
		m, wanted := left[header.Name]
		if !wanted || header.Typeflag != tar.TypeReg {
			continue
		}
		if header.Size != m.size {
			return fmt.Errorf("%s has %d bytes, not %d", m.path, header.Size, m.size)
		}
		if err := receive(archive, m, dir); err != nil {
			return err
		}
		delete(left, header.Name)
	}
	return nil
}

// extractZip is extractTarGz for a zip file such as a wheel.
func extractZip(path string, members []member, dir string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("archive is not zip: %w", err)
	}
	return both(extractZipMembers(&archive.Reader, members, dir), archive.Close())
}

func extractZipMembers(archive *zip.Reader, members []member, dir string) error {
	left := index(members)
	for _, file := range archive.File {
		m, wanted := left[file.Name]
		if !wanted || !file.Mode().IsRegular() {
			continue
		}
		if file.UncompressedSize64 != uint64(m.size) {
			return fmt.Errorf("%s has %d bytes, not %d", m.path, file.UncompressedSize64, m.size)
		}
		if err := receiveZipped(file, m, dir); err != nil {
			return err
		}
		delete(left, file.Name)
	}
	if len(left) > 0 {
		return missing(left)
	}
	return nil
}

func receiveZipped(file *zip.File, m member, dir string) error {
	content, err := file.Open()
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", m.path, err)
	}
	return both(receive(content, m, dir), content.Close())
}

func index(members []member) map[string]member {
	byPath := make(map[string]member, len(members))
	for _, m := range members {
		byPath[m.path] = m
	}
	return byPath
}

func missing(left map[string]member) error {
	for path := range left {
		return fmt.Errorf("archive holds no %s", path)
	}
	return nil
}

// receive streams one member into dir, checks its size and hash on the way
// and syncs it to disk; on any failure the file is removed.
func receive(r io.Reader, m member, dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, m.name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return &cacheError{err}
	}
	err = copyChecked(file, r, m)
	if err == nil {
		err = cacheFailure(file.Sync())
	}
	err = both(err, cacheFailure(file.Close()))
	if err != nil {
		return both(err, cacheFailure(os.Remove(file.Name())))
	}
	return nil
}

// copyChecked copies at most one byte more than m should have, so that a
// source that never ends is noticed.
func copyChecked(w io.Writer, r io.Reader, m member) error {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(cacheWriter{w}, hash), io.LimitReader(r, m.size+1))
	if err != nil {
		return fmt.Errorf("%s cannot be unpacked: %w", m.path, err)
	}
	if n != m.size {
		return fmt.Errorf("%s does not have the pinned %d bytes", m.path, m.size)
	}
	return m.compare(hash.Sum(nil))
}

// cacheWriter tells failures to write from failures to read in a copy.
type cacheWriter struct{ w io.Writer }

func (c cacheWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	return n, cacheFailure(err)
}
