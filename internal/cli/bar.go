package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// bar is a line of progress on a terminal; anywhere else it shows nothing.
type bar struct {
	w    io.Writer // nil when not a terminal
	mu   sync.Mutex
	last string
}

func newBar(w io.Writer) *bar {
	if f, ok := w.(*os.File); ok && term.IsTerminal(f.Fd()) {
		return &bar{w: w}
	}
	return &bar{}
}

// barCells is the bar's width in character cells.
const barCells = 24

// show draws done of total; a total of 0 is unknown.
func (b *bar) show(what string, done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := what
	if total > 0 {
		full := int(barCells * min(done, total) / total)
		line = fmt.Sprintf("%s%s %3d%% %s", strings.Repeat("█", full), strings.Repeat("░", barCells-full), 100*min(done, total)/total, what)
	}
	if b.w == nil || line == b.last {
		return
	}
	b.last = line
	_, _ = fmt.Fprint(b.w, "\r"+ansi.EraseEntireLine+ansi.Truncate(line, 78, "…"))
}

// clear takes the line away.
func (b *bar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.w != nil && b.last != "" {
		_, _ = fmt.Fprint(b.w, "\r"+ansi.EraseEntireLine)
		b.last = ""
	}
}
