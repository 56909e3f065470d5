package termimg_test

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"

	"ldx/internal/screentest"
)

// demoCase is a terminal and what the demo should show on it.
type demoCase struct {
	terminal screentest.Terminal
	protocol string // the option
	kind     string // of the picture
	psnr     float64
	colours  string // COLORTERM; "" is truecolor
	remote   bool   // the terminal is on another machine
	rate     int    // bytes a second that it takes; 0 is all
}

// demoCases returns the kinds of terminals to test with.
func demoCases() map[string]demoCase {
	return map[string]demoCase{
		"sixel":      {terminal: screentest.Xterm, protocol: "auto", kind: screentest.KindSixel, psnr: 30},
		"kitty":      {terminal: screentest.Kitty, protocol: "auto", kind: screentest.KindKitty, psnr: 35},
		"iterm2":     {terminal: screentest.ITerm2, protocol: "auto", kind: screentest.KindITerm2, psnr: 35},
		"placements": {terminal: screentest.Konsole, protocol: "auto", kind: screentest.KindPlacement, psnr: 35},
		"blocks":     {terminal: screentest.Plain, protocol: "auto", kind: screentest.KindBlocks, psnr: 20},
		"sextants":   {terminal: screentest.Kitty, protocol: "blocks", kind: screentest.KindBlocks, psnr: 20},
		"256 colours": {
			terminal: screentest.Plain, protocol: "auto", kind: screentest.KindBlocks, psnr: 20, colours: "256color",
		},
	}
}

// startDemo starts the demo program.
func startDemo(t *testing.T, c demoCase, env ...string) *screentest.Screen {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return screentest.Start(t, screentest.Options{
		Cols: 80, Rows: 24, Terminal: c.terminal, Remote: c.remote, Rate: c.rate,
		Env: append([]string{demoVariable + "=" + c.protocol, "COLORTERM=" + cmp.Or(c.colours, "truecolor")}, env...),
	}, exe)
}

var demoStatus = regexp.MustCompile(`frame (\d+) picture (\d+)`)

// demoState reads the demo's title.
func demoState(s *screentest.Screen) (frame, picture int) {
	m := demoStatus.FindStringSubmatch(s.Row(0))
	if m == nil {
		return -1, -1
	}
	frame, err := strconv.Atoi(m[1])
	if err != nil {
		return -1, -1
	}
	picture, err = strconv.Atoi(m[2])
	if err != nil {
		return -1, -1
	}
	return frame, picture
}

// demoBlock returns the cells of the demo's block.
func demoBlock(s *screentest.Screen, shift int) image.Rectangle {
	cols, rows := s.Size()
	return image.Rect(demoLeft+shift, demoTop, cols-demoRight+shift, rows-demoBottom)
}

// demoBox is the side of the squares that are compared, in pixels: dithering
// averages out over them.
const demoBox = 20

// demoPSNR compares what block shows with the demo's n-th picture, centred and
// with its aspect kept, by the means of small squares. The result is in
// decibels.
func demoPSNR(s *screentest.Screen, block image.Rectangle, n int) float64 {
	got := s.Picture(block)
	box := got.Rect.Max
	size := image.Pt(box.X, box.X*demoHeight/demoWidth)
	if size.Y > box.Y {
		size = image.Pt(box.Y*demoWidth/demoHeight, box.Y)
	}
	at := box.Sub(size).Div(2)
	var sum, count float64
	for y := at.Y; y+demoBox <= at.Y+size.Y; y += demoBox {
		for x := at.X; x+demoBox <= at.X+size.X; x += demoBox {
			mean := boxMean(got, image.Rect(x, y, x+demoBox, y+demoBox))
			u := float64(x+demoBox/2-at.X) / float64(size.X)
			v := float64(y+demoBox/2-at.Y) / float64(size.Y)
			want := [3]float64{255 * u, 255 * v, float64(demoBlue(n))}
			for c := range want {
				sum += (mean[c] - want[c]) * (mean[c] - want[c])
				count++
			}
		}
	}
	return 10 * math.Log10(255*255*count/max(sum, 1e-9))
}

// boxMean returns the mean colour of a rectangle of pixels.
func boxMean(img *image.RGBA, r image.Rectangle) (mean [3]float64) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			i := img.PixOffset(x, y)
			for c := range mean {
				mean[c] += float64(img.Pix[i+c])
			}
		}
	}
	for c := range mean {
		mean[c] /= float64(r.Dx() * r.Dy())
	}
	return mean
}

// shown says what is wrong with the demo's picture, or "".
func shown(s *screentest.Screen, c demoCase, shift, picture int) string {
	block := demoBlock(s, shift)
	pictures := s.Pictures()
	if len(pictures) != 1 || pictures[0].Kind != c.kind {
		return fmt.Sprintf("pictures %v, want one %s", pictures, c.kind)
	}
	p := pictures[0]
	if p.Missing != 0 || !p.Cells.In(block) || p.Cells.Dx() < block.Dx()-1 && p.Cells.Dy() < block.Dy()-1 {
		return fmt.Sprintf("picture %v, want all of %v in one direction", p, block)
	}
	if got := demoPSNR(s, block, picture); got < c.psnr {
		return fmt.Sprintf("PSNR %.1f dB of picture %d, want %.1f", got, picture, c.psnr)
	}
	return ""
}

// waitShown waits until the demo shows what its title says.
func waitShown(t *testing.T, s *screentest.Screen, c demoCase, shift int) {
	t.Helper()
	wrong := "nothing shown"
	defer func() {
		if wrong != "" {
			t.Log(wrong)
		}
	}()
	s.Wait("the picture", func(s *screentest.Screen) bool {
		_, picture := demoState(s)
		cols, _ := s.Size()
		if got := len([]rune(s.Row(1))); got != cols {
			wrong = fmt.Sprintf("title is %d wide, want %d", got, cols)
			return false
		}
		wrong = shown(s, c, shift, picture)
		return wrong == ""
	})
}

// TestPicturesSurviveText is the question everything rests on: does a picture
// stay whole in every frame while the text around it changes at 20 Hz, through
// Bubble Tea's real renderer, and at every size?
func TestPicturesSurviveText(t *testing.T) {
	for name, c := range demoCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startDemo(t, c)
			waitShown(t, s, c, 0)
			watch(t, s, c, 30)
			for _, size := range []image.Point{{100, 30}, {60, 20}, {61, 21}, {120, 40}, {80, 24}} {
				s.Resize(size.X, size.Y)
				waitShown(t, s, c, 0)
				watch(t, s, c, 5)
			}
			s.Type("q")
			if code := s.Exit(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		})
	}
}

// watch looks at every frame until the text has changed so often, and fails if
// the picture is damaged in one.
func watch(t *testing.T, s *screentest.Screen, c demoCase, frames int) {
	t.Helper()
	first, _ := demoState(s)
	s.Wait("more frames", func(s *screentest.Screen) bool {
		frame, picture := demoState(s)
		if wrong := shown(s, c, 0, picture); wrong != "" {
			t.Errorf("frame %d: %s", frame, wrong)
			return true
		}
		return frame >= first+frames
	})
}
