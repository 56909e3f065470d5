package realterm

import (
	"image"
	"testing"
)

// terminal is a real terminal at the top left of a virtual screen.
type terminal interface {
	// shot returns what is on a rectangle of the screen, in its coordinates.
	shot(t testing.TB, r image.Rectangle) *image.RGBA
	// screen returns the size of the screen in pixels.
	screen() image.Rectangle
	// window returns the size of the terminal's window in pixels.
	window() image.Point
	// host returns the process that the terminal lives with.
	host() *process
}

// kind is a kind of terminal.
type kind struct {
	name     string
	programs []string // that it needs
	start    func(t testing.TB, env []string, command ...string) terminal
	expect   expectation
}

// expectation is what a kind of terminal must reach.
type expectation struct {
	protocol string
	// smooth and noisy are the PSNR of such pictures, in decibels.
	smooth, noisy float64
	// blank and torn are the shares of samples in which a picture may be so while
	// there is a new one every 50 ms, and samples is how many to take.
	blank, torn float64
	samples     int
}

// kinds returns the kinds of terminals that there are. What xterm draws can be
// seen half drawn, as it sends large pictures to the X server in parts; foot and
// kitty draw at once.
func kinds() []kind {
	sixel := expectation{protocol: "sixel", smooth: 43, noisy: 36, blank: 0.01, torn: 0.1, samples: 300}
	synchronized := sixel
	synchronized.blank, synchronized.torn, synchronized.samples = 0, 0.01, 100
	exact := expectation{protocol: "kitty", smooth: minExactPSNR, noisy: minExactPSNR, samples: 300}
	return []kind{
		{"xterm", []string{"Xvfb", "xterm"}, startXterm, sixel},
		{"foot", []string{"cage", "Xwayland", "foot", "grim", "setpriv"}, startFoot, synchronized},
		{"kitty", []string{"Xvfb", "kitty"}, startKitty, exact},
	}
}

// eachKind runs a test in each kind of terminal that is installed.
func eachKind(t *testing.T, run func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			need(t, k.programs...)
			run(t, k)
		})
	}
}

// font is what the terminals write with.
const font = "DejaVu Sans Mono"
