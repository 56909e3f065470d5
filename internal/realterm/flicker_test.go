package realterm

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"strconv"
	"testing"
	"time"
)

// samplesVariable is how often the flicker test looks at the screen, instead of
// what is enough to find gross faults.
const samplesVariable = "LDX_REALTERM_SAMPLES"

// flickerPeriod is how often picture and text change under the flicker test.
const flickerPeriod = 50 * time.Millisecond

// tally counts what was seen in the place of a picture.
type tally struct {
	whole int // one picture
	torn  int // parts of several pictures
	blank int // background, all of it or some
	other int // colours that no picture has at its sides
	// changes counts how often the picture was another than before.
	changes int
	last    int
}

// add looks at a picture's place, at both ends of each row.
func (y *tally) add(img *image.RGBA) {
	seen := map[int]int{}
	for row := img.Rect.Min.Y; row < img.Rect.Max.Y; row++ {
		seen[signatureOf(img.RGBAAt(img.Rect.Min.X+signatureWidth/2, row))]++
		seen[signatureOf(img.RGBAAt(img.Rect.Max.X-1-signatureWidth/2, row))]++
	}
	switch {
	case seen[noPicture] > 0:
		y.blank++
	case seen[noSignature] > 0:
		y.other++
	case len(seen) > 1:
		y.torn++
	default:
		y.whole++
		for n := range seen {
			if n != y.last {
				y.changes++
			}
			y.last = n
		}
	}
}

// What signatureOf says of a colour that is none.
const noPicture, noSignature = -1, -2

// signatureOf returns the number of a signature's colour.
func signatureOf(c color.RGBA) int {
	for n, s := range signatures() {
		if s == c {
			return n
		}
	}
	if c.R < minRed {
		return noPicture
	}
	return noSignature
}

// count returns a number from the environment, or otherwise, which is less in
// short tests.
func count(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" && testing.Short() {
		return max(1, otherwise/4)
	}
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		t.Fatalf("%s is %q, want a number above 0", variable, v)
	}
	return n
}

// TestFlicker looks at a picture as often as it can while there is a new one
// every 50 ms amid text that changes too.
func TestFlicker(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newStage(t, k)
		want := count(t, samplesVariable, k.expect.samples)
		s.perform(scene{Stamp: 2, Picture: "signed", Cells: image.Pt(64, 34), Period: flickerPeriod}, func(img *image.RGBA) string {
			y := tally{}
			y.add(crop(img, s.block()))
			if y.whole == 0 {
				return fmt.Sprintf("%+v", y)
			}
			return ""
		})
		var y tally
		begin := time.Now()
		for range want {
			y.add(s.shot(t, s.block()))
		}
		t.Logf("%s: %d samples in %s: %+v", k.name, want, time.Since(begin).Round(time.Millisecond), y)
		limit := func(share float64) int { return int(share * float64(want)) }
		if y.other > 0 || y.blank > limit(k.expect.blank) || y.torn > limit(k.expect.torn) {
			t.Errorf("%+v of %d samples, want at most %g blank, %g torn and none of another colour",
				y, want, k.expect.blank, k.expect.torn)
		}
		if y.changes < want/100 {
			t.Errorf("%d changes of the picture in %d samples", y.changes, want)
		}
	})
}
