package termimg

import (
	"bytes"

	"github.com/charmbracelet/x/ansi"
)

// note follows what a frame of the program's does to the pictures, and reports
// whether it is the last one before the program gives the terminal away.
func (c *Compositor) note(frame []byte) (last bool) {
	enter := bytes.Contains(frame, []byte(ansi.SetModeAltScreenSaveCursor))
	leave := bytes.Contains(frame, []byte(ansi.ResetModeAltScreenSaveCursor))
	c.mu.Lock()
	defer c.mu.Unlock()
	if leave {
		// Pictures belong to the screen that they were sent on.
		c.forgetAll()
	}
	if enter || leave {
		c.away = leave
		c.mode.epoch++
		c.wakeEncoder()
	}
	c.frames++
	for _, s := range c.surfaces {
		if p := s.current; p != nil && p.viewed && p.frame == 0 && p.over == nil {
			p.frame = c.frames
		}
	}
	return leave
}

// passed notes that the terminal has taken so many of the program's frames, and
// with them the pictures that are part of their text.
func (c *Compositor) passed(frames int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.surfaces {
		if p := s.current; p != nil && !p.written && p.frame > 0 && p.frame <= frames {
			p.written = true
			if p.key.mode.changes {
				c.forgetOthers(s)
			}
			c.wakeEncoder()
		}
	}
}

// clearScreen is how the renderer begins to draw all of the screen.
const clearScreen = ansi.CursorHomePosition + ansi.EraseEntireScreen

// unscrolled has a frame that draws all of the screen begin without scrolling
// margins. The renderer takes for granted that there are none, but what was on its
// way when the terminal's size changed may have left those of the old size.
func unscrolled(frame []byte) []byte {
	const margins = "\x1b[r"
	return bytes.Replace(frame, []byte(clearScreen), []byte(margins+clearScreen), 1)
}
