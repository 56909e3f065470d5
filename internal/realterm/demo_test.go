package realterm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"net"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/termimg"
)

// demoVariable names the socket of the test whose demo program this process is.
const demoVariable = "LDX_REALTERM_DEMO"

// settling is the stamp of the scene that is shown until the terminal is known.
const settling = 1

// scene is what the demo shows; the test sends one after the other.
type scene struct {
	// Stamp is on the screen in the last row, for the test to read.
	Stamp int
	// Picture is the name of one of pictures, or empty.
	Picture string
	// Size is the picture's in pixels; zero is that of its block.
	Size image.Point
	// Cells is the largest size of the picture's block; zero is the whole screen
	// but for the margins.
	Cells image.Point
	// Popup is a box of text over the picture, in cells of the screen.
	Popup image.Rectangle
	// Scroll is what the numbers of the rows below the picture begin with, and
	// Shift moves the picture to the right.
	Scroll, Shift int
	// Period is how often text and picture change; zero is never.
	Period time.Duration
}

// status is what the demo answers.
type status struct {
	Cols, Rows int
	Cell       image.Point // pixels
	Protocol   string
	Settled    bool
	Frame      int // times that text and picture changed by themselves
}

// Margins of the demo's picture, in cells.
const (
	demoLeft, demoRight = 6, 8
	demoTop, demoBottom = 1, 4
)

// block returns the cells that the picture is shown in on a screen of a size.
func (s scene) block(cols, rows int) image.Rectangle {
	w, h := cols-demoRight-demoLeft, rows-demoBottom-demoTop
	if s.Cells != (image.Point{}) {
		w, h = min(w, s.Cells.X), min(h, s.Cells.Y)
	}
	return image.Rect(0, 0, max(0, w), max(0, h)).Add(image.Pt(demoLeft+s.Shift, demoTop))
}

// demo is a program with a picture amid text. All its colours are without red,
// and all colours of its pictures but the gradients' have some.
type demo struct {
	scene  scene
	status status
	c      *termimg.Compositor
	s      *termimg.Surface
	shown  string // says which picture was submitted
	cycle  int    // counts the scenes with a period
}

// The demo's messages.
type (
	sceneMsg struct {
		scene scene
		reply chan<- status
	}
	demoTick int // the cycle that it belongs to
)

func (d *demo) Init() tea.Cmd { return d.c.Probe() }

func (d *demo) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	d.c.Handle(msg)
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		d.status.Cols, d.status.Rows = msg.Width, msg.Height
	case sceneMsg:
		d.scene = msg.scene
		d.cycle++
		cmd = d.tick()
		if d.scene.Stamp == settling {
			// Bubble Tea misses a resize between its start and its first frame.
			cmd = tea.RequestWindowSize
		}
		defer func() { msg.reply <- d.status }()
	case demoTick:
		if int(msg) == d.cycle {
			d.status.Frame++
			cmd = d.tick()
		}
	}
	r := d.c.Report()
	d.status.Cell, d.status.Protocol, d.status.Settled = image.Pt(r.CellWidth, r.CellHeight), r.Protocol.String(), r.Settled
	d.submit()
	return d, cmd
}

// tick returns the command that waits for the next change.
func (d *demo) tick() tea.Cmd {
	if d.scene.Period == 0 {
		return nil
	}
	cycle := demoTick(d.cycle)
	return tea.Tick(d.scene.Period, func(time.Time) tea.Msg { return cycle })
}

// submit gives the surface the scene's picture unless it has it.
func (d *demo) submit() {
	block := d.scene.block(d.status.Cols, d.status.Rows)
	size := d.scene.Size
	if size == (image.Point{}) {
		size = image.Pt(block.Dx()*d.status.Cell.X, block.Dy()*d.status.Cell.Y)
	}
	if d.scene.Picture == "" {
		size = image.Point{}
	}
	if is := fmt.Sprint(d.scene.Picture, size, d.status.Frame); is != d.shown {
		d.shown = is
		d.s.Submit(pictures()[d.scene.Picture](size, d.status.Frame))
	}
}

func (d *demo) View() tea.View {
	v := tea.NewView(d.content())
	v.AltScreen = true
	return v
}

// Styles of the demo's text: colours that every palette of 256 has.
const (
	styleText   = "\x1b[38;2;0;0;255m"
	stylePopup  = "\x1b[38;2;0;0;0;48;2;0;215;0m"
	styleFirst  = "\x1b[48;2;0;255;0m" // the first cell of the screen
	styleLast   = "\x1b[48;2;0;255;255m"
	styleOne    = "\x1b[48;2;0;0;255m" // bits of the stamp
	styleZero   = "\x1b[48;2;0;0;135m"
	styleNormal = "\x1b[m"
)

// stampBits is the number of bits in the stamp, each a cell in the last row,
// the lowest first.
const stampBits = 12

func (d *demo) content() string {
	cols, rows := d.status.Cols, d.status.Rows
	block := d.scene.block(cols, rows)
	if block.Empty() {
		return ""
	}
	picture := strings.Split(d.s.View(block.Dx(), block.Dy()), "\n")
	d.s.Place(block.Min.X, block.Min.Y)
	turn := d.scene.Stamp + d.status.Frame
	lines := []string{styleFirst + " " + styleText + "\x1b[49m" + fmt.Sprintf(" turn %06d", turn) + styleNormal}
	for y := block.Min.Y; y < block.Max.Y; y++ {
		left, right := fmt.Sprintf("%-*d", block.Min.X, d.number(turn, y)), fmt.Sprintf(" %d", turn*y)
		lines = append(lines, styleText+left+styleNormal+d.row(picture[y-block.Min.Y], block, y)+styleText+right+styleNormal)
	}
	for y := range rows - block.Max.Y - 1 {
		lines = append(lines, styleText+fmt.Sprintf("row %d", d.scene.Scroll+y)+styleNormal)
	}
	return strings.Join(append(lines, d.stamp(cols)), "\n")
}

// number returns what is to the left of the picture in a row: something that
// changes with each turn. Where nothing changes by itself, each row's number is the
// next row's of the turn before, and the renderer may scroll the rows.
func (d *demo) number(turn, row int) int {
	if d.scene.Period == 0 {
		return turn + row
	}
	const large = 7919 // a prime: no row becomes another
	return (turn*turn + row) * large % 10000
}

// row returns a row of the picture's block, with the popup over it.
func (d *demo) row(picture string, block image.Rectangle, y int) string {
	p := d.scene.Popup.Intersect(block)
	if y < p.Min.Y || y >= p.Max.Y {
		return picture
	}
	return ansi.Cut(picture, 0, p.Min.X-block.Min.X) +
		stylePopup + strings.Repeat("p", p.Dx()) + styleNormal +
		ansi.Cut(picture, p.Max.X-block.Min.X, block.Dx())
}

// stamp returns the last row.
func (d *demo) stamp(cols int) string {
	var b strings.Builder
	for bit := range stampBits {
		b.WriteString([]string{styleZero, styleOne}[d.scene.Stamp>>bit&1] + " ")
	}
	b.WriteString(styleNormal + strings.Repeat(" ", max(0, cols-2-stampBits)) + styleLast + " " + styleNormal)
	return b.String()
}

// runDemo is the demo program; it ends when the test closes the socket.
func runDemo(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	var p *tea.Program
	c := termimg.New(os.Stdout, termimg.Options{Notify: func() { p.Send(termimg.RepaintMsg{}) }})
	p = tea.NewProgram(&demo{c: c, s: c.NewSurface()}, tea.WithOutput(c))
	go func() {
		if err := serveScenes(conn, p); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		p.Quit()
	}()
	if _, err = p.Run(); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	return conn.Close()
}

// serveScenes passes scenes on to the program, and its answers back.
func serveScenes(conn net.Conn, p *tea.Program) error {
	lines := bufio.NewScanner(conn)
	answers := json.NewEncoder(conn)
	reply := make(chan status, 1)
	for lines.Scan() {
		msg := sceneMsg{reply: reply}
		if err := json.Unmarshal(lines.Bytes(), &msg.scene); err != nil {
			return err
		}
		p.Send(msg)
		if err := answers.Encode(<-reply); err != nil {
			return err
		}
	}
	return lines.Err()
}
