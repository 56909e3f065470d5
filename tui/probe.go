package tui

import (
	"context"
	"errors"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"ldx/tui/termimg"
)

// probeTime is how long a terminal is waited for that does not answer.
const probeTime = 2 * time.Second

// Probe asks the terminal what it can do with pictures, without opening a screen.
func Probe(ctx context.Context, graphics termimg.Protocol) (termimg.Report, error) {
	if !term.IsTerminal(os.Stdout.Fd()) || !term.IsTerminal(os.Stdin.Fd()) {
		return termimg.Report{}, errors.New("standard input and output are no terminal")
	}
	images := termimg.New(os.Stdout, termimg.Options{Protocol: graphics, Notify: func() {}})
	program := tea.NewProgram(&prober{images: images}, tea.WithContext(ctx), tea.WithOutput(images))
	_, err := program.Run()
	report := images.Report()
	return report, errors.Join(err, images.Close())
}

// prober is a program that only listens for answers.
type prober struct{ images *termimg.Compositor }

type probeTimeout struct{}

func (p *prober) Init() tea.Cmd {
	return tea.Batch(p.images.Probe(), tea.Tick(probeTime, func(time.Time) tea.Msg { return probeTimeout{} }))
}

func (p *prober) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	p.images.Handle(msg)
	if _, late := msg.(probeTimeout); late || p.images.Report().Settled {
		return p, tea.Quit
	}
	return p, nil
}

func (p *prober) View() tea.View { return tea.NewView("") }
