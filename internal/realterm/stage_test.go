package realterm

import (
	"image"
	"image/color"
	"testing"
	"time"
)

// stage is the demo in a real terminal.
type stage struct {
	terminal
	*link
	grid grid
}

// newStage starts the demo in a terminal, and waits until it knows what the
// terminal can do. The command, if any, goes before the demo's.
func newStage(t testing.TB, k kind, command ...string) *stage {
	t.Helper()
	s := &stage{}
	s.link = newLink(t, func(env []string, program string) {
		s.terminal = k.start(t, env, append(command, program)...)
	})
	s.settle(t)
	s.waitSize()
	return s
}

// waitSize waits until the demo knows the size of the terminal's window.
func (s *stage) waitSize() {
	s.t.Helper()
	await(s.t, "the demo knows the window's size", s.host(), func() bool {
		s.show(s.scene)
		return s.fills()
	})
}

// fills says whether the demo knows the terminal's window as it is.
func (s *stage) fills() bool {
	rest := s.window().Sub(image.Pt(s.status.Cols*s.status.Cell.X, s.status.Rows*s.status.Cell.Y))
	return rest.In(image.Rectangle{Max: s.status.Cell})
}

// grid is where a terminal's cells are on its screen.
type grid struct {
	origin, cell image.Point // pixels
}

// rect returns the pixels of a rectangle of cells.
func (g grid) rect(r image.Rectangle) image.Rectangle {
	return image.Rect(r.Min.X*g.cell.X, r.Min.Y*g.cell.Y, r.Max.X*g.cell.X, r.Max.Y*g.cell.Y).Add(g.origin)
}

// findGrid finds the demo's first and last cell on the screen.
func findGrid(img *image.RGBA, cols, rows int) (grid, bool) {
	first := boundsOf(img, color.RGBA{0, 255, 0, 255})
	last := boundsOf(img, color.RGBA{0, 255, 255, 255})
	g := grid{first.Min, first.Size()}
	return g, !first.Empty() && last == g.rect(image.Rect(cols-2, rows-1, cols-1, rows))
}

// boundsOf returns the smallest rectangle with all pixels of a colour in it.
func boundsOf(img *image.RGBA, c color.RGBA) (r image.Rectangle) {
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			if img.RGBAAt(x, y) == c {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// stampOf reads the stamp of the scene that is on the screen.
func stampOf(img *image.RGBA, g grid, rows int) (stamp int) {
	for bit := range stampBits {
		r := g.rect(image.Rect(bit, rows-1, bit+1, rows))
		if img.RGBAAt((r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2).B > 200 {
			stamp |= 1 << bit
		}
	}
	return stamp
}

// block returns the pixels of the picture's block.
func (s *stage) block() image.Rectangle {
	return s.grid.rect(s.scene.block(s.status.Cols, s.status.Rows))
}

// perform shows a scene and waits until the screen passes a check, which says
// what is wrong with it.
func (s *stage) perform(sc scene, check func(img *image.RGBA) string) {
	s.t.Helper()
	s.show(sc)
	s.until(check)
}

// until waits until the screen shows the scene and passes a check.
func (s *stage) until(check func(img *image.RGBA) string) {
	s.t.Helper()
	wrong := ""
	var img *image.RGBA
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(poll) {
		img = s.shot(s.t, s.screen())
		if wrong = s.onScreen(img); wrong == "" {
			if wrong = check(img); wrong == "" {
				return
			}
		}
		if s.host().ended() {
			break
		}
	}
	s.t.Fatalf("scene %+v on %+v: %s%s", s.scene, s.status, wrong, keepShot(s.t, img))
}

// onScreen says what is wrong with the text on the screen, "" if it is the
// scene's.
func (s *stage) onScreen(img *image.RGBA) string {
	g, ok := findGrid(img, s.status.Cols, s.status.Rows)
	if !ok {
		s.show(s.scene) // the terminal may have another size by now
		return "the cells are not where they should be"
	}
	s.grid = g
	if got := stampOf(img, g, s.status.Rows); got != s.scene.Stamp {
		return "the screen shows scene " + itoa(got)
	}
	return ""
}
