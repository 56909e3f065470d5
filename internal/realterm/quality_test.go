package realterm

import (
	"fmt"
	"image"
	"testing"
)

// TestQuality compares pictures on the screen, shown in their own size, with
// what was to be shown.
func TestQuality(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newStage(t, k)
		for stamp, c := range []struct {
			picture string
			psnr    float64
		}{{"smooth", k.expect.smooth}, {"noisy", k.expect.noisy}} {
			best := 0.0
			s.perform(scene{Stamp: 2 + stamp, Picture: c.picture, Cells: image.Pt(64, 34)}, func(img *image.RGBA) string {
				r := s.block()
				want := pictures()[c.picture](r.Size(), 0).(*image.RGBA)
				best = max(best, boxPSNR(crop(img, r), want))
				if best < c.psnr {
					return fmt.Sprintf("%s picture of %v: PSNR %.1f dB, want %.0f", c.picture, r.Size(), best, c.psnr)
				}
				return ""
			})
			t.Logf("%s, %s picture: %.1f dB", k.name, c.picture, best)
		}
	})
}
