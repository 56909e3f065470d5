package realterm

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

// roundsVariable is how many scenes the ghost test shows, instead of what is
// enough to find gross faults.
const roundsVariable = "LDX_REALTERM_ROUNDS"

// The size of the ghost test's pictures in pixels: they are scaled.
const ghostWidth, ghostHeight = 300, 200

// minGhostPSNR is what the scaled picture must reach, which is shown to the
// nearest pixel.
const minGhostPSNR = 35

// TestGhosts changes the screen in all ways, one after the other at random. No
// pixel of a picture is left where none should be, and none is missing.
func TestGhosts(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newStage(t, k)
		r := rand.New(rand.NewPCG(4, 4))
		rounds := count(t, roundsVariable, 40)
		sc := scene{Picture: "warm", Size: image.Pt(ghostWidth, ghostHeight)}
		resizes := 0
		for round := range rounds {
			sc.Stamp = round%(1<<stampBits-2) + 2
			resizes += s.change(r, &sc)
			s.perform(sc, s.intact)
		}
		t.Logf("%s: %d scenes, %d of them after a resize", k.name, rounds, resizes)
	})
}

// resizer is a terminal whose window can be resized.
type resizer interface {
	resize(t testing.TB, size image.Point)
}

// change makes one change to a scene, or resizes the terminal; it returns how
// often it did that.
func (s *stage) change(r *rand.Rand, sc *scene) (resizes int) {
	s.t.Helper()
	window, resizable := s.terminal.(resizer)
	switch n := r.IntN(6); {
	case n <= 2 && resizable:
		window.resize(s.t, image.Pt(300+r.IntN(600), 250+r.IntN(600)))
		s.waitSize()
		sc.Popup = image.Rectangle{}
		return 1
	case n == 3 && sc.Popup.Empty():
		block := sc.block(s.status.Cols, s.status.Rows)
		at := block.Min.Add(image.Pt(r.IntN(block.Dx()), r.IntN(block.Dy())))
		sc.Popup = image.Rectangle{Min: at, Max: at.Add(image.Pt(1+r.IntN(30), 1+r.IntN(8)))}.Intersect(block)
	case n == 4:
		sc.Shift = r.IntN(4)
		sc.Popup = image.Rectangle{}
	case n == 5:
		sc.Scroll += 1 + r.IntN(3)
	default:
		sc.Popup = image.Rectangle{}
	}
	return 0
}

// intact says what is wrong with the picture on a screen, and around it. How much
// of the picture is left beside a popup is the program's choice.
func (s *stage) intact(img *image.RGBA) string {
	where, popup := fitted(s.scene.Size, s.block()), s.grid.rect(s.scene.Popup)
	outside, missing := pieces(img, where)
	if !outside.Empty() {
		return fmt.Sprintf("pixels of a picture in %v, outside of %v", outside, where)
	}
	if !s.scene.Popup.Empty() {
		if wrong := covered(img, popup); wrong != "" || popup.Overlaps(where) {
			return wrong
		}
	}
	if !missing.Empty() {
		return fmt.Sprintf("no pixels of a picture in %v of %v", missing, where)
	}
	if psnr := boxPSNR(crop(img, where), warm(where.Size(), 0)); psnr < minGhostPSNR {
		return fmt.Sprintf("PSNR %.1f dB in %v, want %d", psnr, where, minGhostPSNR)
	}
	return ""
}

// covered says what is wrong with a popup.
func covered(img *image.RGBA, popup image.Rectangle) string {
	box := boundsOf(img, color.RGBA{0, 215, 0, 255})
	if !popup.In(box.Inset(-1)) || !box.In(popup) {
		return fmt.Sprintf("the popup is in %v, want %v", box, popup)
	}
	for y := popup.Min.Y; y < popup.Max.Y; y++ {
		for x := popup.Min.X; x < popup.Max.X; x++ {
			if img.RGBAAt(x, y).R >= minRed {
				return fmt.Sprintf("a pixel of the picture at %d,%d in the popup %v", x, y, popup)
			}
		}
	}
	return ""
}
