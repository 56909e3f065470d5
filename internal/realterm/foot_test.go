package realterm

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is a user without rights of its own: cage refuses to run as root.
const nobody = 65534

// footScreen returns the size of the screen that wlroots' headless backend makes.
func footScreen() image.Point { return image.Pt(1280, 720) }

// footTitle is the height of the title that foot draws itself, in pixels. Without
// one, cage shows foot's buffer as it is and screenshots come from another one,
// which is out of date.
const footTitle = 20

// foot is a foot that fills the screen of a cage of its own.
type foot struct {
	cage *process
	env  []string // for clients
	size image.Point
}

// startFoot starts a command in a foot as large as its screen: cage has no way
// to change that.
func startFoot(t testing.TB, env []string, command ...string) terminal {
	t.Helper()
	runtime := filepath.Join(shared(t), "runtime")
	if err := os.Mkdir(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	f := &foot{env: append(env, "XDG_RUNTIME_DIR="+runtime), size: footScreen()}
	args := []string{"cage", "--", "foot", "-c", "/dev/null",
		"-o", "font=" + font + ":size=9", "-o", "pad=0x0", "-o", "csd.size=" + itoa(footTitle), "-o", "csd.button-width=0",
		"-o", "colors.background=000000", "-o", "colors.foreground=0000ff", "-o", "cursor.color=000000 0000ff"}
	if os.Geteuid() == 0 {
		if err := os.Chown(runtime, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		user := itoa(nobody)
		args = append([]string{"setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups"}, args...)
	}
	// cage cleans up when foot ends, which is the parent of what runs in it.
	pid := filepath.Join(filepath.Dir(runtime), "foot.pid")
	args = append(append(args, "sh", "-c", `echo $PPID >"$0" && exec "$@"`, pid), command...)
	f.cage = start(t, append(f.env, "WLR_BACKENDS=headless", "WLR_RENDERER=pixman", "WLR_LIBINPUT_NO_DEVICES=1"),
		nil, args[0], args[1:]...)
	t.Cleanup(func() { f.end(pid) })
	await(t, "cage has a socket", f.cage, func() bool {
		sockets, err := filepath.Glob(filepath.Join(runtime, "wayland-?"))
		if err != nil || len(sockets) == 0 {
			return false
		}
		f.env = append(f.env, "WAYLAND_DISPLAY="+filepath.Base(sockets[0]))
		return true
	})
	await(t, "cage has a screen", f.cage, func() bool {
		_, err := f.grim(image.Rect(0, 0, 1, 1))
		return err == nil
	})
	return f
}

// end ends foot, whose number is in a file, and waits a while for cage to end too.
func (f *foot) end(file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		return // foot has not started
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return
	}
	if foot, err := os.FindProcess(pid); err == nil && !f.cage.ended() {
		_ = foot.Signal(syscall.SIGTERM) // it may just have ended
	}
	select {
	case <-f.cage.done:
	case <-time.After(time.Second):
	}
}

// grim returns the pixels of a rectangle as a PNG.
func (f *foot) grim(r image.Rectangle) ([]byte, error) {
	cmd := exec.Command("grim", "-l", "0", "-g", fmt.Sprintf("%d,%d %dx%d", r.Min.X, r.Min.Y, r.Dx(), r.Dy()), "-")
	cmd.Env = f.env
	data, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(failed.Stderr))
	}
	return data, err
}

// shot implements terminal.
func (f *foot) shot(t testing.TB, r image.Rectangle) *image.RGBA {
	t.Helper()
	r = r.Intersect(f.screen())
	data, err := f.grim(r)
	if err != nil {
		t.Fatalf("grim: %v", err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("grim's picture: %v", err)
	}
	img := image.NewRGBA(r)
	draw.Draw(img, r, got, got.Bounds().Min, draw.Src)
	return img
}

// screen implements terminal.
func (f *foot) screen() image.Rectangle { return image.Rectangle{Max: f.size} }

// window implements terminal.
func (f *foot) window() image.Point { return f.size.Sub(image.Pt(0, footTitle)) }

// host implements terminal.
func (f *foot) host() *process { return f.cage }

// itoa is strconv.Itoa.
func itoa(n int) string { return strconv.Itoa(n) }
