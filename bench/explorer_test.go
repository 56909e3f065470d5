package bench

import (
	"context"
	"image"
	"io"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"gorgonia.org/tensor"

	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/tui"
	"ldx/tui/termimg"
)

// explorerSteps is the length of the runs that are measured in the explorer.
const explorerSteps = 50

// BenchmarkExplorerStep holds the steps of a run in the explorer, on the screen of
// a terminal that takes everything, against bare runs of the UNet. Each iteration
// is a run of 50 steps; the time counts from the end of the first call, when the
// run key is pressed, to the end of the last. The budget is 1.05.
func BenchmarkExplorerStep(b *testing.B) {
	for _, p := range []termimg.Protocol{termimg.Kitty, termimg.Sixel, termimg.Blocks} {
		b.Run(p.String(), func(b *testing.B) {
			m := testlib.Model(b)
			bare := newBareCall(b, m)
			e := startExplorer(b, m, p)
			compare(b, func(ctx context.Context) error {
				for range explorerSteps - 1 {
					if err := bare.run(ctx); err != nil {
						return err
					}
				}
				return nil
			}, e.run)
		})
	}
}

// explorer is the program on a pseudoterminal, with a denoiser that reports.
type explorer struct {
	terminal *os.File
	calls    chan time.Time // the end of each call
}

// reporting is a denoiser that says when its calls end.
type reporting struct {
	pipeline.Denoiser
	calls chan<- time.Time
}

func (r reporting) Predict(ctx context.Context, x *tensor.Dense, t float32, conds ...pipeline.Conditioning) ([]*tensor.Dense, error) {
	out, err := r.Denoiser.Predict(ctx, x, t, conds...)
	r.calls <- time.Now()
	return out, err
}

func startExplorer(b *testing.B, m *pipeline.Model, p termimg.Protocol) *explorer {
	b.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		b.Skipf("no pseudoterminal: %v", err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 120, Rows: 34, X: 1200, Y: 680}); err != nil {
		b.Fatal(err)
	}
	e := &explorer{terminal: terminal, calls: make(chan time.Time, 4*explorerSteps)}
	go func() { _, _ = io.Copy(io.Discard, terminal) }() // ends when the terminal closes
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := tui.Run(ctx, e.options(m, tty, p)); !pipeline.Cancelled(err) {
			b.Error(err)
		}
	}()
	b.Cleanup(func() {
		cancel()
		<-done
		_ = tty.Close()
		_ = terminal.Close()
	})
	e.wait(explorerSteps) // the first run starts by itself
	return e
}

func (e *explorer) options(m *pipeline.Model, tty *os.File, p termimg.Protocol) tui.Options {
	return tui.Options{
		In: tty, Out: tty, Graphics: p, Model: "bench",
		Load: func(context.Context, string, func(tui.Progress)) (*pipeline.Model, pipeline.Settings, error) {
			s := m.Settings()
			s.Steps, s.Seed = explorerSteps, 42
			reported := m.WithDenoiser(func(d pipeline.Denoiser) pipeline.Denoiser { return reporting{d, e.calls} })
			return reported, s, nil
		},
		Models:   func() ([]tui.Choice, error) { return nil, nil },
		Save:     func(*pipeline.Model, *pipeline.Step, *image.RGBA) (string, error) { return "", nil },
		Command:  func(*pipeline.Model, []*pipeline.Step) (command, but string) { return "", "" },
		Remember: func(*pipeline.Model, pipeline.Settings) error { return nil },
	}
}

// wait reads the ends of n calls and returns the last.
func (e *explorer) wait(n int) (last time.Time) {
	for range n {
		last = <-e.calls
	}
	return last
}

// run restarts, and times the run from the second call on.
func (e *explorer) run(context.Context) (time.Duration, error) {
	if _, err := e.terminal.WriteString("R"); err != nil {
		return 0, err
	}
	e.wait(1)
	start := time.Now()
	if _, err := e.terminal.WriteString("r"); err != nil {
		return 0, err
	}
	took := e.wait(explorerSteps - 1).Sub(start)
	return took, e.rest()
}

// settling is longer than decoding one picture takes.
const settling = 300 * time.Millisecond

// rest starts a run and leaves it at its first step, so that the explorer does not
// decode a run's pictures while bare runs are timed.
func (e *explorer) rest() error {
	_, err := e.terminal.WriteString("R")
	e.wait(1)
	time.Sleep(settling)
	return err
}
