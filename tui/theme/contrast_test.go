package theme

import (
	"image/color"
	"math"
	"reflect"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// luminance is a colour's relative luminance, 0 to 1 (WCAG 2.2).
func luminance(c color.Color) float64 {
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// contrast is the ratio of two colours' luminances, 1 to 21 (WCAG 2.2).
func contrast(a, b color.Color) float64 {
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x, y) / min(x, y)
}

func TestContrastOfKnownColours(t *testing.T) {
	for c, want := range map[color.Color]float64{color.Black: 21, color.White: 1, color.Gray{0x77}: 4.48} {
		if got := contrast(c, color.White); math.Abs(got-want) > 0.01 {
			t.Errorf("%v on white has %.2f, want %.2f", c, got, want)
		}
	}
}

// TestEveryStyleCanBeRead holds each style against WCAG's 4.5 for text and 3 for what
// need not be read: frames, and what is not there yet. The 16 colours are the user's,
// and nothing is known of them.
func TestEveryStyleCanBeRead(t *testing.T) {
	faint := map[string]bool{"Faint": true, "Border": true}
	for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
		for dark, background := range map[bool]color.Color{true: color.Black, false: color.White} {
			v := reflect.ValueOf(New(dark, profile))
			for i := range v.NumField() {
				style, ok := v.Field(i).Interface().(lipgloss.Style)
				if !ok {
					continue
				}
				name, want := v.Type().Field(i).Name, 4.5
				if faint[name] {
					want = 3
				}
				// What the terminal is sent, in its colours.
				if got := contrast(profile.Convert(style.GetForeground()), background); got < want {
					t.Errorf("%s, dark %t, %s: contrast %.2f, want at least %g", name, dark, profile, got, want)
				}
			}
		}
	}
}

// TestStylesDifferWithoutColour checks that what is selected is marked by more.
func TestStylesDifferWithoutColour(t *testing.T) {
	s := New(true, colorprofile.TrueColor)
	if !s.Selected.GetUnderline() || !s.Accent.GetBold() || !s.Key.GetBold() || !s.Bad.GetBold() {
		t.Error("the field keys act on, where one is, keys and errors want a weight or a line")
	}
}

func TestParseChoice(t *testing.T) {
	for name, want := range map[string]Choice{"auto": Auto, "": Auto, "light": Light, "dark": Dark} {
		if got, err := ParseChoice(name); got != want || err != nil {
			t.Errorf("%q is %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := ParseChoice("Dark"); err == nil {
		t.Error("Dark is taken")
	}
	for _, name := range Choices() {
		if _, err := ParseChoice(name); err != nil {
			t.Error(err)
		}
	}
}
