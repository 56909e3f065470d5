// Package realterm starts real terminals on virtual screens, looks at what they
// draw pixel by pixel, and holds it against what was asked for: xterm on Xvfb,
// and foot in the Wayland compositor cage. Its tests skip what a machine lacks.
package realterm
