package realterm

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ldx/internal/screentest"
)

// tmux is the command line that runs a program in a tmux of its own.
func tmux(t testing.TB, settings string) []string {
	t.Helper()
	dir := shared(t)
	socket, config := filepath.Join(dir, "tmux"), filepath.Join(dir, "tmux.conf")
	settings = "set -g default-terminal tmux-256color\nset -g status off\n" + settings
	if err := os.WriteFile(config, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", socket, "kill-server").Run() // fails if it has ended with its program
	})
	return []string{"tmux", "-S", socket, "-f", config, "new-session"}
}

// trueColour tells tmux that the terminal around it has 24-bit colour, in the way
// that programs notice.
const trueColour = "set -as terminal-overrides ',xterm-256color:Tc'\n"

// What half blocks must reach against the picture, with 24-bit colour and with
// 256 colours: one colour stands for 8x8 pixels or so.
const minBlocksPSNR, minBlocks256PSNR = 30, 20

// minExactPSNR is what a picture must reach that is not scaled and not dithered.
const minExactPSNR = 60

// TestTmuxInXterm shows a picture in tmux in a real xterm, where only text gets
// through: as half blocks.
func TestTmuxInXterm(t *testing.T) {
	k := kinds()[0]
	need(t, append(k.programs, "tmux")...)
	s := newStage(t, k, tmux(t, trueColour)...)
	best := 0.0
	sc := scene{Stamp: 2, Picture: "warm", Cells: image.Pt(64, 34)}
	s.perform(sc, func(img *image.RGBA) string {
		r := s.block()
		outside, _ := pieces(img, r)
		best = max(best, boxPSNR(crop(img, r), warm(r.Size(), 0)))
		if best < minBlocksPSNR || !outside.Empty() {
			return fmt.Sprintf("PSNR %.1f dB in %v, want %d; pixels outside: %v", best, r, minBlocksPSNR, outside)
		}
		return ""
	})
	if s.status.Protocol != "blocks" {
		t.Errorf("protocol %s, want blocks", s.status.Protocol)
	}
	t.Logf("half blocks: %.1f dB", best)
}

// TestTmuxOnPty runs tmux on a pseudoterminal and looks at what comes through
// it to the terminal around it.
func TestTmuxOnPty(t *testing.T) {
	const passthrough = "set -g allow-passthrough on\n"
	// tmux drops what it has for a terminal that does not read as fast as tmux
	// writes, once that is 8 bytes for each cell of the screen: what goes through
	// it whole for sure is a small picture.
	large, small := image.Pt(64, 32), image.Pt(10, 5)
	for _, c := range []struct {
		name     string
		terminal screentest.Terminal
		settings string
		kind     string
		psnr     float64
		cells    image.Point // of the picture
	}{
		{"plain", screentest.Plain, trueColour, screentest.KindBlocks, minBlocksPSNR, large},
		{"plain with 256 colours", screentest.Plain, "", screentest.KindBlocks, minBlocks256PSNR, large},
		{"plain with passthrough", screentest.Plain, passthrough + trueColour, screentest.KindBlocks, minBlocksPSNR, large},
		{"kitty", screentest.Kitty, "", screentest.KindBlocks, minBlocksPSNR, large},
		{"kitty with passthrough", screentest.Kitty, passthrough, screentest.KindKitty, minExactPSNR, small},
	} {
		t.Run(c.name, func(t *testing.T) {
			need(t, "tmux")
			if c.terminal == screentest.Kitty {
				needTerminfo(t, "xterm-kitty")
			}
			var s *screentest.Screen
			l := newLink(t, func(env []string, program string) {
				command := append(tmux(t, c.settings), program)
				o := screentest.Options{Cols: 90, Rows: 40, Cell: image.Pt(8, 16), Terminal: c.terminal, Env: env}
				s = screentest.Start(t, o, command[0], command[1:]...)
			})
			// What passes through while tmux draws its screen anew, tmux 3.3a drops.
			s.WaitText("row 0")
			l.settle(t)
			sc := scene{Stamp: 2, Picture: "warm", Cells: c.cells, Size: image.Pt(8*c.cells.X, 16*c.cells.Y)}
			l.show(sc)
			var wrong string
			var psnr float64
			defer func() { t.Logf("%.1f dB %s", psnr, wrong) }()
			s.Wait("the picture", func(s *screentest.Screen) bool {
				psnr, wrong = throughTmux(s, c.kind, sc.block(l.status.Cols, l.status.Rows))
				return wrong == "" && psnr >= c.psnr
			})
		})
	}
}

// throughTmux compares the picture on a parsed screen, or says what is wrong with
// it.
func throughTmux(s *screentest.Screen, kind string, block image.Rectangle) (psnr float64, wrong string) {
	placed := s.Pictures()
	if len(placed) != 1 || placed[0].Kind != kind || placed[0].Cells != block || placed[0].Missing > 0 {
		return 0, fmt.Sprintf("pictures %v, want one of %s in %v", placed, kind, block)
	}
	got := s.Picture(block)
	return boxPSNR(got, warm(got.Rect.Size(), 0)), ""
}
