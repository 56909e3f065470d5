// Package scenario drives the real program through a pseudoterminal and holds what
// its terminal would show against what the model makes.
package scenario

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/image/draw"

	"ldx/internal/screentest"
	"ldx/internal/testlib"
	"ldx/pipeline"
)

// program is the program under test, built once.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if runtime.GOOS == "windows" {
		fmt.Println("skipped: needs a pseudoterminal")
		return 0
	}
	dir, err := os.MkdirTemp("", "ldx-scenario")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	heedSignals()
	program = filepath.Join(dir, "ldx")
	if out, err := exec.Command("go", "build", "-o", program, "ldx").CombinedOutput(); err != nil {
		fmt.Printf("%s\n%v\n", out, err)
		return 1
	}
	return m.Run()
}

// heedSignals asks for the signals that this process ignores: the programs it
// starts would ignore them too.
func heedSignals() {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// Settings that every scenario starts on.
const (
	prompt = "a red apple"
	seed   = 42
	steps  = 6
)

// start opens the explorer on a terminal and waits for the first run's end.
func start(t *testing.T, o screentest.Options) *screentest.Screen {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	o.Env = append(o.Env, "XDG_CACHE_HOME="+cache) // the library that the tests have
	s := screentest.Start(t, o, program, "-p", prompt, "-s", fmt.Sprint(seed), "--steps", fmt.Sprint(steps), "-g", "3")
	atStep(s, steps)
	return s
}

// atStep waits until step k is shown, decoded.
func atStep(s *screentest.Screen, k int) {
	s.Wait(fmt.Sprintf("step %d, decoded", k), func(s *screentest.Screen) bool {
		return strings.Contains(s.Text(), fmt.Sprintf("step %d, decoded", k)) && len(s.Pictures()) > 0
	})
}

// shown is the large picture as the terminal has it: what is drawn in the first
// frame of the screen.
func shown(t *testing.T, s *screentest.Screen) *image.RGBA {
	t.Helper()
	_, rows := s.Size()
	right := len([]rune(strings.SplitAfterN(s.Row(1), "╮", 2)[0])) - 1
	bottom := 2
	for bottom < rows && !strings.HasPrefix(s.Row(bottom), "╰") { // there may be thumbnails below
		bottom++
	}
	pane := image.Rect(1, 2, right, bottom)
	for _, p := range s.Pictures() {
		if !p.Cells.Overlaps(pane) {
			continue
		}
		img := opaque(s.Picture(pane))
		if p.Kind == screentest.KindBlocks {
			return halfCells(img)
		}
		return img
	}
	t.Fatalf("no picture on the screen:\n%s", s.Text())
	return nil
}

// cell is the size of the terminals' cells; a half block is a square of its width.
var cell = image.Pt(10, 20)

// halfCells takes the mean of each half cell: block characters divide cells further.
func halfCells(img *image.RGBA) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx()/cell.X, img.Rect.Dy()/cell.X))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			m := mean(img, img.Rect.Min.Add(image.Pt(x*cell.X, y*cell.X)), cell.X)
			out.SetRGBA(x, y, color.RGBA{uint8(m[0] + 0.5), uint8(m[1] + 0.5), uint8(m[2] + 0.5), 255})
		}
	}
	return out
}

// opaque crops a picture to the pixels that are drawn.
func opaque(img *image.RGBA) *image.RGBA {
	var box image.Rectangle
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			if img.RGBAAt(x, y).A != 0 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return img.SubImage(box).(*image.RGBA)
}

// psnr compares a picture with the model's, scaled to the same size, over 4x4
// boxes: dithering counts for what the eye makes of it.
func psnr(got *image.RGBA, want image.Image) float64 {
	scaled := image.NewRGBA(image.Rect(0, 0, got.Rect.Dx(), got.Rect.Dy()))
	draw.CatmullRom.Scale(scaled, scaled.Rect, want, want.Bounds(), draw.Src, nil)
	const box = 4
	sum, n := 0.0, 0
	for y := 0; y+box <= scaled.Rect.Dy(); y += box {
		for x := 0; x+box <= scaled.Rect.Dx(); x += box {
			a := mean(got, got.Rect.Min.Add(image.Pt(x, y)), box)
			b := mean(scaled, image.Pt(x, y), box)
			for k := range a {
				sum += (a[k] - b[k]) * (a[k] - b[k])
				n++
			}
		}
	}
	return 10 * math.Log10(255*255/(sum/float64(n)+1e-9))
}

func mean(img *image.RGBA, at image.Point, box int) (rgb [3]float64) {
	for y := range box {
		for x := range box {
			i := img.PixOffset(at.X+x, at.Y+y)
			for k := range rgb {
				rgb[k] += float64(img.Pix[i+k]) / float64(box*box)
			}
		}
	}
	return rgb
}

// model makes the pictures that the screen should show.
type model struct {
	*pipeline.Model
	t *testing.T
}

func newModel(t *testing.T) model { return model{testlib.Model(t), t} }

func (m model) settings() pipeline.Settings {
	s := m.Settings()
	s.Prompt, s.Seed, s.Steps, s.Guidance = prompt, seed, steps, 3
	return s
}

func (m model) to(at *pipeline.Step, k int) *pipeline.Step {
	m.t.Helper()
	for at.Index() < k {
		next, err := m.Advance(context.Background(), at)
		if err != nil {
			m.t.Fatal(err)
		}
		at = next
	}
	return at
}

func (m model) begin(s pipeline.Settings) *pipeline.Step {
	m.t.Helper()
	at, err := m.Begin(context.Background(), s)
	if err != nil {
		m.t.Fatal(err)
	}
	return at
}

func (m model) edit(at *pipeline.Step, s pipeline.Settings) *pipeline.Step {
	m.t.Helper()
	edited, err := m.Edit(context.Background(), at, s)
	if err != nil {
		m.t.Fatal(err)
	}
	return edited
}

// minPSNR is what the picture on the screen must reach: sixels are dithered, cells
// have two colours, the others show the exact colours.
var minPSNR = map[screentest.Terminal]float64{
	screentest.Kitty: 60, screentest.ITerm2: 60, screentest.Konsole: 60, screentest.Xterm: 40, screentest.Plain: 45,
}

// same holds the screen's picture against the model's at a step.
func (m model) same(s *screentest.Screen, terminal screentest.Terminal, at *pipeline.Step) {
	m.t.Helper()
	want, err := m.Picture(context.Background(), at)
	if err != nil {
		m.t.Fatal(err)
	}
	var got float64
	s.Wait("the model's picture", func(s *screentest.Screen) bool {
		got = psnr(shown(m.t, s), want)
		return got >= minPSNR[terminal]
	})
	m.t.Logf("step %d: %.1f dB", at.Index(), got)
}

// TestStepBackEditGoOn is the main job: step, step back, change the prompt in
// mid-run, change the guidance, and see the model's own pictures at each.
func TestStepBackEditGoOn(t *testing.T) {
	for _, terminal := range []screentest.Terminal{
		screentest.Kitty, screentest.ITerm2, screentest.Konsole, screentest.Xterm, screentest.Plain,
	} {
		t.Run(fmt.Sprint(terminal), func(t *testing.T) {
			m := newModel(t)
			s := start(t, screentest.Options{Cols: 120, Rows: 34, Cell: cell, Terminal: terminal, Env: []string{"COLORTERM=truecolor"}})
			trunk := m.to(m.begin(m.settings()), steps).Path()
			m.same(s, terminal, trunk[steps])

			s.Type("R") // from noise, and stay there
			atStep(s, 0)
			for k := 1; k <= 3; k++ {
				s.Type(" ")
				atStep(s, k)
			}
			m.same(s, terminal, trunk[3])
			s.Type(screentest.Left)
			atStep(s, 2)
			m.same(s, terminal, trunk[2])

			s.Type("p on a blue background" + screentest.Enter)
			changed := trunk[2].Settings
			changed.Prompt += " on a blue background"
			at := m.edit(trunk[2], changed)
			m.same(s, terminal, at)

			s.Type(screentest.Tab + screentest.Tab + screentest.Up + screentest.Up)
			changed.Guidance = 4
			at = m.edit(at, changed)
			s.Wait("guidance 4", func(s *screentest.Screen) bool { return strings.Contains(s.Text(), "guidance    4.0") })
			m.same(s, terminal, at)

			s.Type("r")
			atStep(s, steps)
			m.same(s, terminal, m.to(at, steps))

			s.Resize(80, 24)
			s.Wait("the small layout", func(s *screentest.Screen) bool { return !strings.Contains(s.Text(), "╭─ x_t") })
			// It is drawn before the picture has been encoded for it.
			s.Wait("a picture in it", func(s *screentest.Screen) bool { return len(s.Pictures()) > 0 })
			m.same(s, terminal, m.to(at, steps))
			s.Type("q")
			if code := s.Exit(); code != 0 || s.AltScreen() {
				t.Errorf("exit status %d, alternate screen %v; want 0 and off", code, s.AltScreen())
			}
			for _, f := range s.Faults() {
				t.Error(f)
			}
		})
	}
}
