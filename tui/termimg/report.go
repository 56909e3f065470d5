package termimg

import (
	"fmt"
	"strings"
)

// Report is what is known about the terminal, and what was made of it.
type Report struct {
	// Protocol is the protocol in use, and Reason why.
	Protocol Protocol
	Reason   string
	// Glyphs is the characters that [Blocks] draws with: half blocks, quadrants or
	// sextants.
	Glyphs string
	// CellWidth and CellHeight are the size of a cell in pixels, and CellSource
	// where it is from.
	CellWidth, CellHeight int
	CellSource            string
	// Asked and Answered say what the terminal was asked, and what of it came
	// back so far, one line each.
	Asked, Answered []string
	// Settled says that no more answers are expected.
	Settled bool
}

// String returns the report on one line, for a status line.
func (r Report) String() string {
	return fmt.Sprintf("%s (%s), cell %dx%d (%s)", r.graphics(), r.Reason, r.CellWidth, r.CellHeight, r.CellSource)
}

// graphics names the protocol, and the characters of blocks.
func (r Report) graphics() string {
	if r.Protocol == Blocks && r.Glyphs != "" {
		return r.Protocol.String() + " with " + r.Glyphs
	}
	return r.Protocol.String()
}

// Lines returns the report in full.
func (r Report) Lines() []string {
	lines := []string{
		fmt.Sprintf("graphics  %s: %s", r.graphics(), r.Reason),
		fmt.Sprintf("cell      %dx%d pixels: %s", r.CellWidth, r.CellHeight, r.CellSource),
		"asked     " + list(r.Asked),
	}
	for _, a := range r.Answered {
		lines = append(lines, "answer    "+a)
	}
	if !r.Settled {
		lines = append(lines, "answer    (more may come)")
	}
	return lines
}

// list joins words for a reader.
func list(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
