package realterm

import (
	"bufio"
	"image"
	"os"
	"strings"
	"testing"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// xterm is an xterm with sixels on an X server of its own.
type xterm struct {
	server *process
	conn   *xgb.Conn
	root   xproto.Window
	size   image.Point // of the screen
	asked  image.Point // size of the window
}

// xtermWindow returns the size of an xterm's window before resize.
func xtermWindow() image.Point { return image.Pt(700, 600) }

// startXterm starts a command in an xterm.
func startXterm(t testing.TB, env []string, command ...string) terminal {
	t.Helper()
	x := startX(t, image.Pt(1280, 960))
	args := []string{
		"-ti", "vt340", "-xrm", "XTerm*numColorRegisters: 256", "-b", "0", "-bw", "0", "+sb",
		"-u8", "-tn", "xterm-256color", "-fa", font, "-fs", "9", "-bg", "#000000", "-fg", "#0000ff",
		"-bc", "+ulc", "-geometry", "80x24+0+0", "-e",
	}
	env = append(env, "DISPLAY="+x.display)
	start(t, env, nil, "xterm", append(args, command...)...)
	await(t, "xterm has a window", x.server, func() bool { return x.find(t) != 0 })
	x.resize(t, xtermWindow())
	return &x.xterm
}

// xserver is an X server and a connection to it.
type xserver struct {
	xterm
	display string
}

// startX starts an X server on a display that nobody uses.
func startX(t testing.TB, size image.Point) *xserver {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }() // only read
	x := &xserver{}
	screen := itoa(size.X) + "x" + itoa(size.Y) + "x24"
	x.server = start(t, environ(t.TempDir()), []*os.File{write}, "Xvfb", "-displayfd", "3", "-screen", "0", screen, "-nolisten", "tcp", "-noreset")
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb names no display: %v\n%s", err, x.server.out.String())
	}
	x.display = ":" + strings.TrimSpace(number)
	x.conn, err = xgb.NewConnDisplay(x.display)
	if err != nil {
		t.Fatalf("connect to display %s: %v", x.display, err)
	}
	t.Cleanup(x.conn.Close)
	s := xproto.Setup(x.conn).DefaultScreen(x.conn)
	x.root, x.size = s.Root, image.Pt(int(s.WidthInPixels), int(s.HeightInPixels))
	return x
}

// find returns the one window on the screen, 0 if there is none yet.
func (x *xterm) find(t testing.TB) xproto.Window {
	t.Helper()
	tree, err := xproto.QueryTree(x.conn, x.root).Reply()
	if err != nil {
		t.Fatalf("list windows: %v", err)
	}
	for _, w := range tree.Children {
		attributes, err := xproto.GetWindowAttributes(x.conn, w).Reply()
		if err == nil && attributes.MapState == xproto.MapStateViewable {
			return w
		}
	}
	return 0
}

// shot implements terminal.
func (x *xterm) shot(t testing.TB, r image.Rectangle) *image.RGBA {
	t.Helper()
	r = r.Intersect(x.screen())
	reply, err := xproto.GetImage(x.conn, xproto.ImageFormatZPixmap, xproto.Drawable(x.root),
		int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), 0xffffffff).Reply()
	if err != nil {
		t.Fatalf("read the screen's pixels %v: %v", r, err)
	}
	img := image.NewRGBA(r)
	for i := 0; i+3 < len(img.Pix); i += 4 {
		b := reply.Data[i : i+4 : i+4] // blue, green, red, unused
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = b[2], b[1], b[0], 255
	}
	return img
}

// screen implements terminal.
func (x *xterm) screen() image.Rectangle { return image.Rectangle{Max: x.size} }

// window implements terminal.
func (x *xterm) window() image.Point { return x.asked }

// resize gives the window another size in pixels. There is no window manager to ask.
func (x *xterm) resize(t testing.TB, size image.Point) {
	t.Helper()
	const mask = xproto.ConfigWindowWidth | xproto.ConfigWindowHeight
	w := x.find(t)
	x.asked = size
	if err := xproto.ConfigureWindowChecked(x.conn, w, mask, []uint32{uint32(size.X), uint32(size.Y)}).Check(); err != nil {
		t.Fatalf("resize xterm's window to %v: %v", size, err)
	}
}

// host implements terminal.
func (x *xterm) host() *process { return x.server }
