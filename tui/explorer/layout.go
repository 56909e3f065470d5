package explorer

import "ldx/tui/box"

// MinWidth and MinHeight are the smallest screen that is of use, in cells.
const (
	MinWidth  = 64
	MinHeight = 23
)

// Sizes of the parts, in cells.
const (
	settingsWidth = 40
	stepsHeight   = 5 // with its frame
	sideMin       = 18
	wideFrom      = 104 // from here on there is room for a middle column
	stepLines     = 7   // about the step, under the settings
)

// extra is what the pane of steps holds besides, by the height of the screen: rows of
// thumbnails and of the tree.
type extra struct{ strip, tree int }

func extras(w, h int, tall bool) extra {
	e := extra{}
	switch {
	case h >= 54:
		e = extra{strip: 5, tree: 8}
	case h >= 40:
		e = extra{strip: 3, tree: 5}
	case h >= 30:
		e = extra{tree: 3}
	}
	if w < wideFrom {
		e.strip = 0
	}
	if tall {
		e.tree = max(e.tree, (h-stepsHeight-e.strip)/2)
	}
	return e
}

// layout is where everything is. The first and the last row are the header and
// the help line; nothing is drawn into them here.
type layout struct {
	w, h     int
	small    bool // too small to be of use
	main     box.Rect
	latent   box.Rect // empty where there is no room beside
	channels box.Rect
	steps    box.Rect
	settings box.Rect
	extra
	tall bool // the tree has half of the screen
}

// arrange lays out a screen of w by h cells: pictures left, settings right, steps
// below the pictures.
func arrange(w, h int, tall bool) layout {
	l := layout{w: w, h: h, small: w < MinWidth || h < MinHeight, extra: extras(w, h, tall), tall: tall}
	if l.small {
		return l
	}
	top, body := 1, h-2
	left := w - settingsWidth
	steps := stepsHeight + l.extra.strip + l.tree
	pictures := body - steps
	l.settings = box.Rect{X: left, Y: top, W: settingsWidth, H: body}
	l.steps = box.Rect{X: 0, Y: top + pictures, W: left, H: steps}
	l.main = box.Rect{X: 0, Y: top, W: left, H: pictures}
	if w < wideFrom {
		return l
	}
	// A cell is about twice as high as wide: a square picture takes twice as many
	// columns as rows. What is left over goes to the middle column.
	side := min(max(left-2*pictures, sideMin), left/2)
	l.main.W = left - side
	l.latent = box.Rect{X: l.main.W, Y: top, W: side, H: (pictures + 1) / 2}
	l.channels = box.Rect{X: l.main.W, Y: top + l.latent.H, W: side, H: pictures - l.latent.H}
	return l
}

// beside reports whether the latent and its channels have panes of their own.
func (l layout) beside() bool { return l.latent.W > 0 }

// bar is where the timeline is drawn.
func (l layout) bar() box.Rect {
	r := l.steps.Padded()
	r.Y += l.extra.strip
	r.H = 1
	return r
}

// strip is where the thumbnails are, branches where the tree is.
func (l layout) strip() box.Rect {
	r := l.steps.Padded()
	r.H = l.extra.strip
	return r
}

func (l layout) branches() box.Rect {
	r := l.steps.Padded()
	r.Y += l.extra.strip + 1
	r.H = l.tree
	return r
}
