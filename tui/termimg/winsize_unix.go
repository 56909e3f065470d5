//go:build unix

package termimg

import (
	"image"
	"os"

	"golang.org/x/sys/unix"
)

// kernelCell returns the size of a cell from the kernel's window size, or zero
// if the terminal did not set it.
func kernelCell(tty *os.File) image.Point {
	ws, err := unix.IoctlGetWinsize(int(tty.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return image.Point{}
	}
	return cellOf(image.Pt(int(ws.Xpixel), int(ws.Ypixel)), image.Pt(int(ws.Col), int(ws.Row)))
}
