// Package theme holds the colours and styles of the interface: a palette, then
// styles by what they mean. It is passed in; nothing here is global.
package theme

import (
	"fmt"
	"image/color"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Choice is which theme to take.
type Choice string

// The choices; the zero value is Auto.
const (
	Auto  Choice = "" // by the terminal's background
	Light Choice = "light"
	Dark  Choice = "dark"
)

// Choices lists what [ParseChoice] takes.
func Choices() []string { return []string{auto, string(Light), string(Dark)} }

const auto = "auto"

// ParseChoice reads a choice by its name.
func ParseChoice(name string) (Choice, error) {
	switch c := Choice(name); c {
	case Auto, auto:
		return Auto, nil
	case Light, Dark:
		return c, nil
	}
	return Auto, fmt.Errorf("theme is %q, want auto, light or dark", name)
}

// palette is a set of colours by role.
type palette struct {
	text, muted, faint, accent, warn, bad, border color.Color
}

// Theme is the styles that panes draw with. Colour is never the only sign: what
// it marks is marked by a glyph or weight too.
type Theme struct {
	Text     lipgloss.Style // what is read
	Muted    lipgloss.Style // labels
	Faint    lipgloss.Style // what is not there yet
	Accent   lipgloss.Style // where one is
	Selected lipgloss.Style // the field keys act on
	Warn     lipgloss.Style
	Bad      lipgloss.Style
	Border   lipgloss.Style
	Focus    lipgloss.Style // the border of what has the focus
	Key      lipgloss.Style // a key in the help line
	Dark     bool
}

// New makes the theme for a dark or a light background, in the colours that the
// terminal has. The sixteen are named, not matched: their shades are the user's.
func New(dark bool, profile colorprofile.Profile) Theme {
	pick, complete := lipgloss.LightDark(dark), lipgloss.Complete(profile)
	shade := func(basic, light, darkHex string) color.Color {
		exact := pick(lipgloss.Color(light), lipgloss.Color(darkHex))
		return complete(lipgloss.Color(basic), exact, exact)
	}
	front := "0"
	if dark {
		front = "15"
	}
	p := palette{
		text:   shade(front, "#24292f", "#dfe3e8"),
		muted:  shade("6", "#57606a", "#9aa4af"),
		faint:  shade("8", "#8c959f", "#717b87"),
		accent: shade("5", "#8250df", "#c297ff"),
		warn:   shade("3", "#9a6700", "#e3b341"),
		bad:    shade("1", "#cf222e", "#ff7b72"),
		border: shade("8", "#8c959f", "#5b6673"),
	}
	style := lipgloss.NewStyle
	return Theme{
		Text:     style().Foreground(p.text),
		Muted:    style().Foreground(p.muted),
		Faint:    style().Foreground(p.faint),
		Accent:   style().Foreground(p.accent).Bold(true),
		Selected: style().Foreground(p.accent).Bold(true).Underline(true),
		Warn:     style().Foreground(p.warn),
		Bad:      style().Foreground(p.bad).Bold(true),
		Border:   style().Foreground(p.border),
		Focus:    style().Foreground(p.accent),
		Key:      style().Foreground(p.text).Bold(true),
		Dark:     dark,
	}
}
