package library

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The tests play one platform, whatever the machine is.
const (
	testOS   = "linux"
	testArch = "amd64"
)

// libraryContent stands in for the library: more than a copy buffer of bytes
// that do not compress, so that broken downloads break inside it.
func libraryContent(seed byte) []byte {
	content := make([]byte, 0, 128<<10)
	sum := sha256.Sum256([]byte{seed})
	for len(content) < cap(content) {
		content = append(content, sum[:]...)
		sum = sha256.Sum256(sum[:])
	}
	return content
}

func memberOf(path, name string, content []byte) member {
	sum := sha256.Sum256(content)
	return member{path: path, name: name, size: int64(len(content)), sha256: hex.EncodeToString(sum[:])}
}

// testPublished pins two small files per source, of which the npm ones are
// libraryContent(1) and (2) and pip's libraryContent(3).
func testPublished() published {
	name := libraryName(testOS)
	return published{
		npm: bundle{archiveSize: 256 << 10, members: []member{
			memberOf(npmRoot+"linux/x64/libonnxruntime.so.1", name, libraryContent(1)),
			memberOf(npmRoot+"linux/x64/companion.so", "companion.so", libraryContent(2)),
		}},
		pip:      bundle{members: []member{memberOf(wheelRoot+name, name, libraryContent(3))}},
		wheelTag: "manylinux_2_28_x86_64",
	}
}

// testLocator looks nowhere but in the cache and downloads from nowhere.
func testLocator(cache string) *locator {
	return &locator{
		opts:       Options{CacheDir: cache},
		goos:       testOS,
		goarch:     testArch,
		lookupEnv:  func(string) (string, bool) { return "", false },
		published:  testPublished(),
		releaseURL: "http://127.0.0.1:0",
		client:     &http.Client{},
		retryDelay: time.Nanosecond,
		idleLimit:  time.Minute,
	}
}

type archived struct {
	path    string
	content []byte
}

// npmFiles is what the fake npm package holds.
func npmFiles() []archived {
	p := testPublished()
	return []archived{
		{"package/package.json", []byte("{}")},
		{p.npm.members[0].path, libraryContent(1)},
		{p.npm.members[1].path, libraryContent(2)},
	}
}

// releaseFiles is what the fake release archive holds.
func releaseFiles() []archived {
	return []archived{{libraryName(testOS), libraryContent(1)}, {"companion.so", libraryContent(2)}}
}

func tarGz(t testing.TB, files ...archived) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	w := tar.NewWriter(gz)
	for _, f := range files {
		must(t, w.WriteHeader(&tar.Header{Name: f.path, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.content))}))
		_, err := w.Write(f.content)
		must(t, err)
	}
	must(t, w.Close())
	must(t, gz.Close())
	return out.Bytes()
}

func zipped(t testing.TB, files ...archived) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		entry, err := w.Create(f.path)
		must(t, err)
		_, err = entry.Write(f.content)
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t testing.TB, path string, content []byte) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, content, 0o644))
	return path
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skipf("symbolic links cannot be made here: %v", err)
	}
}

// checkContents fails unless dir holds exactly these names besides the lock
// and, with a library, the stamp.
func checkContents(t *testing.T, dir string, want ...string) {
	t.Helper()
	wanted := map[string]bool{}
	for _, name := range want {
		wanted[name] = true
	}
	if len(want) > 0 {
		wanted[stampName] = true
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		if name := entry.Name(); !wanted[name] && name != lockName {
			t.Errorf("the cache holds %s", name)
		}
		delete(wanted, entry.Name())
	}
	for name := range wanted {
		t.Errorf("the cache lacks %s", name)
	}
}

// checkInstalled fails unless the cache holds the whole of bundle b.
func checkInstalled(t *testing.T, l *locator, b bundle) {
	t.Helper()
	dir, err := l.cacheDir()
	must(t, err)
	var names []string
	for _, m := range b.members {
		names = append(names, m.name)
		if err := checkHash(filepath.Join(dir, m.name), m); err != nil {
			t.Error(err)
		}
	}
	checkContents(t, dir, names...)
}

func checkOneLine(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error has several lines: %v", err)
	}
}

// elfImage builds a 64-bit shared library that defines the symbol version
// VERS_number, or none.
func elfImage(machine uint16, number string) []byte {
	const header, section = 64, 64
	strings := "\x00VERS_" + number + "\x00"
	verdef := binary.LittleEndian.AppendUint16(nil, 1)       // format
	verdef = append(verdef, 0, 0, 2, 0, 1, 0)                // flags, index, names
	verdef = append(verdef, 0, 0, 0, 0, 20, 0, 0, 0)         // hash, offset of the name
	verdef = append(verdef, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) // no next; name at 1
	verdef = append(verdef, 0)                               // no next name
	blobs := []struct {
		kind, link uint32
		data       []byte
	}{
		{0, 0, nil},
		{11, 2, make([]byte, 48)},        // .dynsym
		{3, 0, []byte(strings)},          // .dynstr
		{0x6fffffff, 1, make([]byte, 4)}, // .gnu.version
		{0x6ffffffd, 2, verdef},          // .gnu.version_d
		{3, 0, []byte{0}},                // .shstrtab
	}
	if number == "" {
		blobs[4].kind = 1
	}
	out := []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	out = binary.LittleEndian.AppendUint16(out, 3) // ET_DYN
	out = binary.LittleEndian.AppendUint16(out, machine)
	out = binary.LittleEndian.AppendUint32(out, 1)
	out = append(out, make([]byte, 16)...)              // entry, program headers
	out = binary.LittleEndian.AppendUint64(out, header) // section headers
	out = append(out, 0, 0, 0, 0, header, 0, 56, 0, 0, 0, section, 0, byte(len(blobs)), 0, 5, 0)
	offset := uint64(header + section*len(blobs))
	var data []byte
	for _, b := range blobs {
		s := make([]byte, section)
		binary.LittleEndian.PutUint32(s[4:], b.kind)
		binary.LittleEndian.PutUint64(s[24:], offset+uint64(len(data)))
		binary.LittleEndian.PutUint64(s[32:], uint64(len(b.data)))
		binary.LittleEndian.PutUint32(s[40:], b.link)
		out = append(out, s...)
		data = append(data, b.data...)
	}
	return append(out, data...)
}

const (
	machineAMD64 = 62
	machineARM64 = 183
)
