package termimg

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/creack/pty"
)

// slowRate is what the terminal of BenchmarkKeyWhileSending takes, in bytes a
// second: a line of 8 megabits.
const slowRate = 1 << 20

// BenchmarkKeyWhileSending presses keys while a picture of 1024x1024 pixels, and
// then the next, is on its way to a terminal that takes 1 MB/s. It reports how long
// it takes from a key to the end of its Update.
func BenchmarkKeyWhileSending(b *testing.B) {
	for _, p := range []Protocol{Kitty, Sixel} {
		b.Run(p.String(), func(b *testing.B) {
			terminal, tty, err := pty.Open()
			if err != nil {
				b.Skipf("no pseudoterminal: %v", err)
			}
			if err := pty.Setsize(tty, &pty.Winsize{Cols: 110, Rows: 60, X: 1100, Y: 1200}); err != nil {
				b.Fatal(err)
			}
			go readSlowly(terminal)
			keys := make(chan time.Time, 1)
			end := startPainter(tty, p, keys)
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := terminal.WriteString("x"); err != nil {
					b.Fatal(err)
				}
				took = append(took, (<-keys).Sub(start))
				time.Sleep(7 * time.Millisecond)
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "ms-p99")
			b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms-max")
			if err := errors.Join(terminal.Close(), end(), tty.Close()); err != nil {
				b.Log(err) // the terminal goes first: what is queued would take seconds
			}
		})
	}
}

// readSlowly takes slowRate bytes a second.
func readSlowly(terminal io.Reader) {
	b := make([]byte, slowRate/100)
	for {
		if _, err := io.ReadFull(terminal, b); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// painter is a program that shows one picture after the other, and whose text
// changes with every key.
type painter struct {
	c        *Compositor
	s        *Surface
	pictures []image.Image
	keys     chan<- time.Time
	n        int
}

// nextMsg asks for the next picture.
type nextMsg struct{}

func next() tea.Cmd {
	return tea.Tick(50*time.Millisecond, func(time.Time) tea.Msg { return nextMsg{} })
}

func (p *painter) Init() tea.Cmd { return next() }

func (p *painter) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	p.c.Handle(msg)
	switch msg.(type) {
	case tea.KeyPressMsg:
		p.n++
		p.keys <- time.Now()
	case nextMsg:
		p.s.Submit(p.pictures[p.n%len(p.pictures)])
		return p, next()
	}
	return p, nil
}

func (p *painter) View() tea.View {
	p.s.Place(0, 1)
	v := tea.NewView(fmt.Sprintf("keys %d\n%s", p.n, p.s.View(104, 54)))
	v.AltScreen = true
	return v
}

// startPainter runs the program, and returns what ends it.
func startPainter(tty *os.File, protocol Protocol, keys chan<- time.Time) (end func() error) {
	var program *tea.Program
	c := New(tty, Options{Protocol: protocol, Environ: []string{"TERM=xterm-256color", "COLORTERM=truecolor"},
		Notify: func() { program.Send(RepaintMsg{}) }})
	m := &painter{c: c, s: c.NewSurface(), keys: keys, pictures: []image.Image{
		noisyGradient(1024, 1024, 24), noisyGradient(1024, 1024, 25),
	}}
	program = tea.NewProgram(m, tea.WithInput(tty), tea.WithOutput(c))
	done := make(chan error, 1)
	go func() {
		_, err := program.Run()
		done <- err
	}()
	return func() error {
		program.Kill()
		return errors.Join(<-done, c.Close())
	}
}
