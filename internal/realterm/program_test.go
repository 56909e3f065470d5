package realterm

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"ldx/pipeline/ort/library"
)

// minFirstPSNR is what the explorer's picture must reach on the screen against
// the file that the same settings give, scaled alike.
const minFirstPSNR = 35

// installed is ldx where every user may run it.
type installed struct {
	dir, program, library string
}

// env returns an environment with a home that no other user has written to.
func (i installed) env(t testing.TB) []string {
	t.Helper()
	return environ(shared(t), "LDX_ORT_LIBRARY="+i.library)
}

// install builds ldx, and puts the library beside it.
func install(t *testing.T) installed {
	t.Helper()
	if testing.Short() {
		t.Skip("builds ldx and runs its model")
	}
	location, err := library.Ensure(context.Background(), library.Options{})
	if err != nil {
		t.Skipf("needs the ONNX Runtime library: %v", err)
	}
	dir := shared(t)
	i := installed{dir: dir, program: filepath.Join(dir, "ldx")}
	if out, err := exec.Command("go", "build", "-o", i.program, "ldx").CombinedOutput(); err != nil {
		t.Fatalf("build ldx: %v\n%s", err, out)
	}
	i.library = copyFile(t, location.Path, filepath.Join(dir, "library.so"))
	return i
}

// settings are the flags that the picture on the screen and the file share.
func settings() []string {
	return []string{"-p", "a red apple", "-s", "42", "--steps", "6", "-g", "3"}
}

// file returns the picture that `ldx run` writes.
func (i installed) file(t *testing.T) image.Image {
	t.Helper()
	path := filepath.Join(i.dir, "want.png")
	cmd := exec.Command(i.program, append([]string{"run", "-o", path}, settings()...)...)
	cmd.Env = i.env(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ldx run: %v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestExplorer opens the explorer in real terminals: the first picture on the
// screen is the one that `ldx run` writes.
func TestExplorer(t *testing.T) {
	i := install(t)
	want := i.file(t)
	eachKind(t, func(t *testing.T, k kind) {
		s := k.start(t, i.env(t), append([]string{i.program}, settings()...)...)
		var r image.Rectangle
		best := 0.0
		defer func() { t.Logf("%s: picture in %v, %.1f dB", k.name, r, best) }()
		await(t, "the picture that ldx run writes", s.host(), func() bool {
			img := s.shot(t, s.screen())
			if r = largestPicture(img); r.Dx() < 100 || r.Dx() > r.Dy()+1 || r.Dy() > r.Dx()+1 {
				return false
			}
			scaled := image.NewRGBA(image.Rectangle{Max: r.Size()})
			draw.CatmullRom.Scale(scaled, scaled.Rect, want, want.Bounds(), draw.Src, nil)
			best = max(best, boxPSNR(crop(img, r), scaled))
			return best >= minFirstPSNR
		})
	})
}

// largestPicture returns the rectangle of the picture at the left of the screen,
// which is light all over: the longest light run in a row that crosses it, and
// the run from there up and down.
func largestPicture(img *image.RGBA) image.Rectangle {
	light := func(x, y int) bool {
		c := img.RGBAAt(x, y)
		return int(c.R)+int(c.G)+int(c.B) > 2*minRed
	}
	const row = 140 // of pixels: the picture crosses it in windows of all sizes here
	x0, x1 := longestRun(img.Rect.Dx()*2/3, func(x int) bool { return light(x, row) })
	y0, y1 := longestRun(img.Rect.Dy(), func(y int) bool { return light(x0+2, y) && light(x1-2, y) })
	return image.Rect(x0, y0, x1, y1)
}

// longestRun returns the longest run of numbers below n that are so.
func longestRun(n int, is func(int) bool) (from, to int) {
	begin := 0
	for i := range n {
		if !is(i) {
			begin = i + 1
			continue
		}
		if i+1-begin > to-from {
			from, to = begin, i+1
		}
	}
	return from, to
}

// TestDoctor asks real terminals: what the doctor says is what they can do.
func TestDoctor(t *testing.T) {
	need(t, "script")
	i := install(t)
	eachKind(t, func(t *testing.T, k kind) {
		stage := newStage(t, k)
		stage.perform(scene{Stamp: 2}, func(*image.RGBA) string { return "" })
		report := filepath.Join(i.dir, k.name)
		s := k.start(t, i.env(t), "script", "-qc", i.program+" doctor", report)
		var text string
		defer func() { t.Log(text) }()
		await(t, "the doctor's report", s.host(), func() bool {
			data, err := os.ReadFile(report)
			text = string(data)
			return err == nil && strings.Contains(text, "DA1")
		})
		cell := fmt.Sprintf("cell      %dx%d pixels", stage.grid.cell.X, stage.grid.cell.Y)
		for _, want := range []string{"graphics  " + k.expect.protocol + ":", cell} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the report lacks %q", k.name, want)
			}
		}
	})
}
