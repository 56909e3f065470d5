package library

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// crafted builds a gzipped tar of bare headers, for what no packer would write.
func crafted(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	w := tar.NewWriter(gz)
	for _, header := range headers {
		must(t, w.WriteHeader(&header))
	}
	// The members' content is missing, so closing the writer would fail.
	must(t, gz.Close())
	return out.Bytes()
}

func TestExtractTarGz(t *testing.T) {
	content := []byte("the library")
	m := memberOf("package/lib.so", "lib.so", content)
	good := tarGz(t, archived{"package/other", []byte("x")}, archived{m.path, content})
	tests := []struct {
		name, wrong string // wrong: part of the error; empty = extracted
		data        []byte
	}{
		{"plain", "", good},
		{"first of two", "", tarGz(t, archived{m.path, content}, archived{m.path, []byte("another one")})},
		{"nothing after the member is read", "", append(tarGz(t, archived{m.path, content}, archived{"x", libraryContent(1)}), "rubbish"...)},
		{"not gzip", "not gzip", []byte("<html>not found</html>")},
		{"empty", "cannot be read", nil},
		{"not tar", "cannot be read", gzipped(t, libraryContent(1))},
		{"missing", "holds no package/lib.so", tarGz(t, archived{"package/else", content})},
		{"not by its last part", "holds no", tarGz(t, archived{"lib.so", content}, archived{"../package/lib.so", content}, archived{"/package/lib.so", content})},
		{"too long", "12 bytes, not 11", tarGz(t, archived{m.path, append([]byte("x"), content...)})},
		{"too short", "10 bytes, not 11", tarGz(t, archived{m.path, content[1:]})},
		{"wrong hash", "not the pinned", tarGz(t, archived{m.path, []byte("the 1ibrary")})},
		{"symbolic link", "holds no", crafted(t, tar.Header{Name: m.path, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})},
		{"folder", "holds no", crafted(t, tar.Header{Name: m.path, Typeflag: tar.TypeDir})},
		{"content missing", "cannot be unpacked", crafted(t, tar.Header{Name: m.path, Typeflag: tar.TypeReg, Size: m.size})},
		{"cut", "cannot be", good[:len(good)-20]},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			err := extractTarGz(bytes.NewReader(test.data), []member{m}, dir)
			checkExtracted(t, dir, m, err, test.wrong)
		})
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	_, err := gz.Write(data)
	must(t, err)
	must(t, gz.Close())
	return out.Bytes()
}

func TestExtractZip(t *testing.T) {
	content := []byte("the library")
	m := memberOf("capi/lib.so", "lib.so", content)
	good := zipped(t, archived{"other", []byte("x")}, archived{m.path, content})
	tests := []struct {
		name, wrong string
		data        []byte
	}{
		{"plain", "", good},
		{"not zip", "not zip", []byte("<html>")},
		{"cut", "not zip", good[:len(good)-5]},
		{"missing", "holds no capi/lib.so", zipped(t, archived{"lib.so", content})},
		{"too long", "12 bytes, not 11", zipped(t, archived{m.path, append([]byte("x"), content...)})},
		{"wrong hash", "not the pinned", zipped(t, archived{m.path, []byte("the 1ibrary")})},
		{"damaged", "cannot be unpacked", bytes.Replace(storedZip(t, m.path, content), content, []byte("tHe library"), 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := writeFile(t, filepath.Join(t.TempDir(), "x.whl"), test.data)
			checkExtracted(t, dir, m, extractZip(path, []member{m}, dir), test.wrong)
		})
	}
}

func storedZip(t testing.TB, path string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	entry, err := w.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store})
	must(t, err)
	_, err = entry.Write(content)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

// checkExtracted fails unless dir holds m alone, or, after an error that says
// what is wrong, nothing.
func checkExtracted(t *testing.T, dir string, m member, err error, wrong string) {
	t.Helper()
	entries, readErr := os.ReadDir(dir)
	must(t, readErr)
	if wrong != "" {
		checkOneLine(t, err)
		if !strings.Contains(err.Error(), wrong) {
			t.Errorf("got %q, want %q in it", err, wrong)
		}
		if len(entries) != 0 {
			t.Errorf("%s was left behind", entries[0].Name())
		}
		return
	}
	must(t, err)
	if len(entries) != 1 || entries[0].Name() != m.name {
		t.Fatalf("got %v, want %s alone", entries, m.name)
	}
	must(t, checkHash(filepath.Join(dir, m.name), m))
}

// fullDisk fails as a disk without space does.
type fullDisk struct{ err error }

func (d fullDisk) Write([]byte) (int, error) { return 0, d.err }

func TestCopyCheckedTellsWriteFailures(t *testing.T) {
	content := []byte("the library")
	m := memberOf("lib.so", "lib.so", content)
	full := errors.New("disk is full")
	var failure *cacheError
	if err := copyChecked(fullDisk{full}, bytes.NewReader(content), m); !errors.As(err, &failure) || !errors.Is(err, full) {
		t.Errorf("a failed write gave %v, want a cacheError", err)
	}
	if err := copyChecked(&bytes.Buffer{}, bytes.NewReader(content[1:]), m); err == nil || errors.As(err, &failure) {
		t.Errorf("a short read gave %v, want an error that is no cacheError", err)
	}
}

func FuzzExtractTarGz(f *testing.F) {
	content := []byte("the library")
	m := memberOf("package/lib.so", "lib.so", content)
	f.Add(tarGz(f, archived{"a", []byte("x")}, archived{m.path, content}))
	f.Add(crafted(f, tar.Header{Name: m.path, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}))
	f.Add(crafted(f, tar.Header{Name: m.path, Typeflag: tar.TypeReg, Size: m.size}))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		checkFuzzed(t, dir, m, extractTarGz(bytes.NewReader(data), []member{m}, dir))
	})
}

// FuzzExtractTar fuzzes below the compression, which hides the tar from the
// fuzzer.
func FuzzExtractTar(f *testing.F) {
	content := []byte("the library")
	m := memberOf("package/lib.so", "lib.so", content)
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	must(f, w.WriteHeader(&tar.Header{Name: m.path, Typeflag: tar.TypeReg, Size: m.size, Format: tar.FormatPAX, PAXRecords: map[string]string{"a.b": "c"}}))
	_, err := w.Write(content)
	must(f, err)
	must(f, w.Close())
	f.Add(plain.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		checkFuzzed(t, dir, m, extractTar(bytes.NewReader(data), []member{m}, dir))
	})
}

func FuzzExtractZip(f *testing.F) {
	content := []byte("the library")
	m := memberOf("capi/lib.so", "lib.so", content)
	f.Add(zipped(f, archived{"a", []byte("x")}, archived{m.path, content}))
	f.Add(storedZip(f, m.path, content))
	f.Fuzz(func(t *testing.T, data []byte) {
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		dir := t.TempDir()
		checkFuzzed(t, dir, m, extractZipMembers(archive, []member{m}, dir))
	})
}

// checkFuzzed fails if dir holds anything but m in full, after success alone.
func checkFuzzed(t *testing.T, dir string, m member, err error) {
	t.Helper()
	entries, readErr := os.ReadDir(dir)
	must(t, readErr)
	if err != nil {
		if len(entries) != 0 {
			t.Errorf("%s was left behind after %v", entries[0].Name(), err)
		}
		return
	}
	if len(entries) != 1 {
		t.Fatalf("%d files after success, want 1", len(entries))
	}
	must(t, checkHash(filepath.Join(dir, m.name), m))
}
