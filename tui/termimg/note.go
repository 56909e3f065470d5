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
	for _, s := range c.surfaces {
		if p := s.current; p != nil && p.viewed && !p.written && p.over == nil {
			p.written = true
			c.wakeEncoder()
		}
	}
	return leave
}
