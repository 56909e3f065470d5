package export

import (
	"strings"
	"testing"

	"golang.org/x/image/font"
)

// TestLabelsAreWrapped holds lines against the width, with and without blanks to break
// at.
func TestLabelsAreWrapped(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	const width = 300
	for name, tt := range map[string]struct {
		text  string
		lines int
		cut   bool
	}{
		"none":      {"", 0, false},
		"one":       {"b, from a at step 8: guidance 3 → 7.5", 1, false},
		"two":       {strings.Repeat("word ", 14) + "end", 2, false},
		"too long":  {strings.Repeat("word ", 100), 2, true},
		"no blanks": {strings.Repeat("猫", 100), 2, true},
	} {
		lines := p.wrapped(tt.text, width)
		if len(lines) != tt.lines {
			t.Errorf("%s: %d lines, want %d", name, len(lines), tt.lines)
		}
		for _, line := range lines {
			if w := font.MeasureString(p.face, line).Ceil(); w > width {
				t.Errorf("%s: %q is %d wide", name, line, w)
			}
		}
		together := strings.Join(lines, " ")
		if !tt.cut && together != tt.text {
			t.Errorf("%s: %q, want all of %q", name, together, tt.text)
		}
		if cut := strings.HasSuffix(together, "…"); cut != tt.cut {
			t.Errorf("%s: %q, want it cut: %v", name, together, tt.cut)
		}
	}
}

func TestThinnedIsEven(t *testing.T) {
	for n := 1; n <= 60; n++ {
		for all := range 200 {
			list := make([]int, all)
			for i := range list {
				list[i] = i
			}
			some := Thinned(list, n)
			if len(some) != min(n, all) || all > 0 && some[len(some)-1] != all-1 || all > 0 && n > 1 && some[0] != 0 {
				t.Fatalf("%d of %d are %v", n, all, some)
			}
			for i := 2; i < len(some); i++ {
				if d := (some[i] - some[i-1]) - (some[1] - some[0]); d < -1 || d > 1 {
					t.Fatalf("%d of %d are %v: not even", n, all, some)
				}
			}
		}
	}
}
