package scenario

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"ldx/pipeline/ort/library"
)

// TestBrokenLibrary names a library that is none.
func TestBrokenLibrary(t *testing.T) {
	p := newPlace(t)
	p.write("notes.txt", "no library\n")
	real, err := os.ReadFile(libraryPath(t))
	p.must(err)
	p.write("cut.so", string(real[:1<<16]))
	p.write("empty.so", "")
	for name, want := range map[string]string{
		"notes.txt": "not a shared library",
		"cut.so":    "",
		"empty.so":  "not a shared library",
		"nowhere":   "does not exist",
		".":         "not a regular file",
	} {
		t.Run(name, func(t *testing.T) {
			p := *p
			p.t = t
			p.run("run", "--ort-library", name, "-o", "a.png").fails(t, 1, "--ort-library", name, want)
			p.env = append(p.env, "LDX_ORT_LIBRARY="+name)
			p.run("run", "-o", "a.png").fails(t, 1, "LDX_ORT_LIBRARY", name, want)
		})
	}
	p.holds("cut.so", "empty.so", "notes.txt")
}

// TestLibraryDoesNotLoad names a file that is a library to all looks, but whose
// body is damaged.
func TestLibraryDoesNotLoad(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("damages an ELF file")
	}
	p := newPlace(t)
	data, err := os.ReadFile(libraryPath(t))
	p.must(err)
	p.write("cut.so", string(data[:len(data)/2]))
	p.run("run", "--ort-library", "cut.so", "-o", "a.png").fails(t, 1, "cut.so")
	p.holds("cut.so")
}

// TestNoLibrary has no library, no package manager and no network.
func TestNoLibrary(t *testing.T) {
	p := newPlace(t)
	home := t.TempDir()
	cmd := p.command("run", "-o", "a.png")
	cmd.Env = []string{"HOME=" + home, "PATH=" + t.TempDir(), "LD_LIBRARY_PATH=", "DYLD_LIBRARY_PATH="}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		cmd.Env = append(cmd.Env, name+"=http://127.0.0.1:1", strings.ToLower(name)+"=http://127.0.0.1:1")
	}
	o := p.wait(cmd)
	if o.status == 0 {
		t.Skip("the system has a library of its own")
	}
	o.fails(t, 1, "no ONNX Runtime library found", "npm", "pip", "--ort-library", "LDX_ORT_LIBRARY", library.Version)
	p.holds()
	p.dir = home
	for _, name := range p.list() {
		if !strings.HasSuffix(name, "/lock") {
			t.Errorf("%s is left behind", name)
		}
	}
}
