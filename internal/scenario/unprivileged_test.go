//go:build unix

package scenario

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// nobody is a user without rights of its own.
const nobody = 65534

// unprivileged has a command run by a user who may not read or write everything.
func (p *place) unprivileged(cmd *exec.Cmd) *exec.Cmd {
	p.t.Helper()
	if os.Geteuid() != 0 {
		return cmd
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	// Temporary folders are their owner's alone.
	for _, dir := range []string{filepath.Dir(program), filepath.Dir(filepath.Dir(p.dir)), filepath.Dir(p.dir)} {
		p.must(os.Chmod(dir, 0o755))
	}
	for _, dir := range []string{p.dir, p.home} {
		p.must(os.Chmod(dir, 0o777))
	}
	return cmd
}

// TestPermissions reads and writes where the user may not.
func TestPermissions(t *testing.T) {
	p := newPlace(t)
	p.model(p.path("hidden"))
	for _, file := range []string{"unet/model.onnx", "text_encoder/model.onnx"} {
		p.replace("hidden", file, p.graph(file))
	}
	p.must(os.Mkdir(p.path("readonly"), 0o555))
	p.must(os.Chmod(p.path("hidden/unet/model.onnx"), 0))
	p.copyLibrary("library.so")
	before := p.list()
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"picture", []string{"-o", "readonly/a.png"}, []string{"cannot write readonly/a.png: permission denied"}},
		{"animation", []string{"-o", "readonly/a.gif"}, []string{"cannot write readonly/a.gif: permission denied"}},
		{"folder", []string{"-o", "readonly"}, []string{"cannot write readonly", "permission denied"}},
		{"new folder", []string{"-o", "readonly/steps"}, []string{"cannot write readonly/steps: permission denied"}},
		{"trace", []string{"--trace", "readonly/t.safetensors"}, []string{"cannot write readonly/t.safetensors: permission denied"}},
		{"graph", []string{"--json", "--model", "hidden"}, []string{"hidden/unet/model.onnx", "permission denied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *p
			p.t = t
			o := p.wait(p.unprivileged(p.command(append([]string{"run", "--ort-library", "library.so"}, c.args...)...)))
			o.fails(t, 1, c.want...)
			p.holds(before...)
		})
	}
}

// copyLibrary puts the library where everybody can read it.
func (p *place) copyLibrary(name string) {
	p.t.Helper()
	from, err := os.Open(libraryPath(p.t))
	p.must(err)
	defer func() { _ = from.Close() }() // only read
	to, err := os.Create(p.path(name))
	p.must(err)
	_, err = io.Copy(to, from)
	p.must(err)
	p.must(to.Close())
}
