package termimg_test

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"ldx/tui/termimg"
)

// demoVariable selects the demo program instead of the tests, and its protocol.
const demoVariable = "LDX_TERMIMG_DEMO"

// TestMain lets the test binary be the demo program that the tests start on a
// pseudoterminal.
func TestMain(m *testing.M) {
	if protocol := os.Getenv(demoVariable); protocol != "" {
		os.Exit(runDemo(protocol))
	}
	os.Exit(m.Run())
}

// Margins of the demo's picture, in cells: text to both sides that changes, a
// title above, and rows of text below.
const (
	demoLeft, demoRight = 12, 12
	demoTop, demoBottom = 2, 3
)

// demoTick is how often the demo's text changes.
const demoTick = 50 * time.Millisecond

// demo is a program with one picture amid text that changes all the time.
//
// Keys: n next picture, p pause or go on changing pictures with the text, o a
// box over the picture, h hide the picture, c clear the surface, l scroll the
// rows below, m move the picture, z suspend, e give the
// terminal to a command until Enter, q quit.
type demo struct {
	c                           *termimg.Compositor
	s                           *termimg.Surface
	w, h                        int
	frame, picture, scroll      int
	running, boxed, hidden, off bool
	shift                       int
}

// command says something and waits for a line.
type command struct {
	in  io.Reader
	out io.Writer
}

func (c *command) SetStdin(r io.Reader)  { c.in = r }
func (c *command) SetStdout(w io.Writer) { c.out = w }
func (c *command) SetStderr(io.Writer)   {}

// Run implements tea.ExecCommand.
func (c *command) Run() error {
	if _, err := io.WriteString(c.out, "a command has the terminal\n"); err != nil {
		return err
	}
	_, err := c.in.Read(make([]byte, 1))
	return err
}

type tickMsg struct{}

func tick() tea.Cmd { return tea.Tick(demoTick, func(time.Time) tea.Msg { return tickMsg{} }) }

func (d *demo) Init() tea.Cmd {
	d.s.Submit(demoPicture(0))
	return tea.Batch(d.c.Probe(), tick())
}

func (d *demo) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	d.c.Handle(msg)
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		d.w, d.h = msg.Width, msg.Height
	case tickMsg:
		d.frame++
		if d.running {
			d.next()
		}
		return d, tick()
	case tea.KeyPressMsg:
		return d, d.key(msg.String())
	}
	return d, nil
}

func (d *demo) key(key string) tea.Cmd {
	switch key {
	case "n":
		d.next()
	case "p":
		d.running = !d.running
	case "o":
		d.boxed = !d.boxed
	case "h":
		d.hidden = !d.hidden
	case "c":
		d.off = !d.off
		if d.off {
			d.s.Submit(nil)
		} else {
			d.s.Submit(demoPicture(d.picture))
		}
	case "l":
		d.scroll++
	case "m":
		d.shift = (d.shift + 1) % 3
	case "z":
		return tea.Suspend
	case "e":
		return tea.Exec(&command{}, nil)
	case "q":
		return tea.Quit
	}
	return nil
}

func (d *demo) next() {
	d.picture++
	d.s.Submit(demoPicture(d.picture))
}

func (d *demo) View() tea.View {
	v := tea.NewView(d.content())
	v.AltScreen = true
	return v
}

func (d *demo) content() string {
	cols, rows := d.w-demoLeft-demoRight, d.h-demoTop-demoBottom
	if cols <= 0 || rows <= 0 {
		return "too small"
	}
	block := strings.Split(strings.Repeat(strings.Repeat(".", cols)+"\n", rows), "\n")
	d.s.Hide()
	if !d.hidden {
		block = strings.Split(d.s.View(cols, rows), "\n")
		d.s.Place(demoLeft+d.shift, demoTop)
	}
	r := d.c.Report()
	lines := []string{
		fmt.Sprintf("protocol %s frame %06d picture %d", r.Protocol, d.frame, d.picture),
		strings.Repeat("─", d.w),
	}
	for y := range rows {
		row := block[y]
		if d.boxed && y == rows/2 {
			row = "box over the picture" + strings.Repeat("#", max(0, cols-20))
		}
		left := fmt.Sprintf("%-*s", demoLeft+d.shift, fmt.Sprintf("l %d é", d.frame+y))
		lines = append(lines, left+row+fmt.Sprintf(" r %d", d.frame*y))
	}
	for y := range demoBottom {
		lines = append(lines, fmt.Sprintf("row %d 日本", d.scroll+y))
	}
	return strings.Join(lines, "\n")
}

// runDemo runs the demo and returns its exit status.
func runDemo(name string) int {
	protocol, err := termimg.ParseProtocol(name)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var p *tea.Program
	c := termimg.New(os.Stdout, termimg.Options{
		Protocol: protocol,
		Notify:   func() { p.Send(termimg.RepaintMsg{}) },
	})
	p = tea.NewProgram(&demo{c: c, s: c.NewSurface()}, tea.WithOutput(c))
	_, err = p.Run()
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := io.WriteString(os.Stdout, "bye\n"); err != nil {
		return 1
	}
	return 0
}

// The size of the demo's pictures in pixels.
const demoWidth, demoHeight = 96, 64

// demoPicture returns the demo's n-th picture: gradients from 0 to 255 in red
// and green that differ in blue.
func demoPicture(n int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, demoWidth, demoHeight))
	for y := range demoHeight {
		for x := range demoWidth {
			img.SetRGBA(x, y, color.RGBA{
				uint8((2*x + 1) * 255 / (2 * demoWidth)), uint8((2*y + 1) * 255 / (2 * demoHeight)), demoBlue(n), 255,
			})
		}
	}
	return img
}

// demoPictures is how many different pictures the demo shows in turn.
const demoPictures = 6

// demoBlue returns the blue of the demo's n-th picture.
func demoBlue(n int) uint8 { return uint8(n % demoPictures * 255 / (demoPictures - 1)) }
