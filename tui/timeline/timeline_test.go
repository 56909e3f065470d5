package timeline

import (
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/theme"
)

func TestClicksHitWhatIsDrawn(t *testing.T) {
	for w := 2; w < 150; w++ {
		for _, total := range []int{1, 2, 7, 20, 100, 1000} {
			for k := 0; k <= total; k++ {
				x := column(k, total, w)
				if x < 0 || x >= w {
					t.Fatalf("step %d of %d is drawn at column %d of %d", k, total, x, w)
				}
				if got := StepAt(x, total, w); total < w && got != k {
					t.Fatalf("width %d: a click on step %d of %d hits %d", w, k, total, got)
				}
			}
			if StepAt(0, total, w) != 0 || StepAt(w-1, total, w) != total {
				t.Fatalf("width %d: the ends are %d and %d of %d", w, StepAt(0, total, w), StepAt(w-1, total, w), total)
			}
		}
	}
}

func TestViewShowsWhereOneIs(t *testing.T) {
	alpha := func(i int) float32 { return float32(i) / 10 }
	s := State{Total: 10, Kept: 6, Cursor: 4, Busy: true, AlphaBar: alpha}
	if got, want := ansi.Strip(View(s, 11, theme.New(true, colorprofile.TrueColor))), "░▒▒▓▣▓█◌···"; got != want {
		t.Errorf("drawn as %s, want %s", got, want)
	}
	if View(s, 0, theme.Theme{}) != "" || View(State{}, 10, theme.Theme{}) != "" {
		t.Error("something is drawn where there is nothing")
	}
}
