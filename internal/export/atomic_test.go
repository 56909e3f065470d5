package export_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"ldx/internal/export"
)

func writeWord(w io.Writer) error {
	_, err := io.WriteString(w, "word")
	return err
}

// TestFileKeepsLinks holds that writing to a link writes the file behind it.
func TestFileKeepsLinks(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err) // a system without links
	}
	if err := export.File(link, writeWord); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	data, readErr := os.ReadFile(file)
	if err != nil || readErr != nil || info.Mode()&os.ModeSymlink == 0 || string(data) != "word" {
		t.Errorf("the link is %v and its file %q (%v, %v)", info.Mode(), data, err, readErr)
	}
}

// TestFileRefusesWhatIsNoFile holds that a socket, which stands for devices too, is not
// replaced, and neither is a link that leads nowhere.
func TestFileRefusesWhatIsNoFile(t *testing.T) {
	t.Chdir(t.TempDir()) // a socket's path is short
	l, err := net.Listen("unix", "socket")
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = l.Close() }()
	if err := os.Symlink("nowhere", "link"); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"socket", "link"} {
		if export.Writable(name) == nil || export.File(name, writeWord) == nil {
			t.Errorf("%s is written to", name)
		}
		if info, err := os.Lstat(name); err != nil || info.Mode().IsRegular() {
			t.Errorf("%s was replaced (%v)", name, err)
		}
	}
}
