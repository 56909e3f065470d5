package bench

import (
	"context"
	"image"
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
// is a run of 50 steps, written to a session; the time counts from the end of the first
// call to the end of the last. The budget is 1.05.
func BenchmarkExplorerStep(b *testing.B) {
	for _, p := range []termimg.Protocol{termimg.Kitty, termimg.Sixel, termimg.Blocks} {
		b.Run(p.String(), func(b *testing.B) {
			m := testlib.Model(b)
			bare := newBareCall(b, m)
			s := m.Settings()
			s.Steps, s.Seed = explorerSteps, 42
			e := newExplorer(b, p)
			e.start(b, m, s, e.record(b, ""))
			e.wait(explorerSteps) // the first run starts by itself
			e.output.settle(b, time.Time{}, settling)
			compare(b, func(ctx context.Context) error {
				for range explorerSteps - 1 {
					if err := bare.run(ctx); err != nil {
						return err
					}
				}
				return nil
			}, e.runs(b))
		})
	}
}

// explorer is the program on a pseudoterminal, with a denoiser that reports.
type explorer struct {
	terminal, tty *os.File
	protocol      termimg.Protocol
	output        output
	calls         chan time.Time // the end of each call
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

// newExplorer opens a terminal that takes everything.
func newExplorer(b *testing.B, p termimg.Protocol) *explorer {
	b.Helper()
	b.Setenv("TERM", "xterm-256color") // kitty's placeholders need colours
	b.Setenv("COLORTERM", "truecolor")
	terminal, tty, err := pty.Open()
	if err != nil {
		b.Skipf("no pseudoterminal: %v", err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Cols: 120, Rows: 34, X: 1200, Y: 680}); err != nil {
		b.Fatal(err)
	}
	e := &explorer{terminal: terminal, tty: tty, protocol: p, calls: make(chan time.Time, 4*explorerSteps)}
	answers := noAnswers
	if p == termimg.Kitty {
		answers = kittyAnswers
	}
	go e.output.drain(terminal, answers) // ends when the terminal closes
	return e
}

// record is where a loaded model's run is written, as in [tui.Options].
type record func(*pipeline.Model) (tui.Recorder, *pipeline.Run, error)

// start runs the program until the benchmark ends.
func (e *explorer) start(b *testing.B, m *pipeline.Model, s pipeline.Settings, r record) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := tui.Run(ctx, e.options(m, s, r)); !pipeline.Cancelled(err) {
			b.Error(err)
		}
	}()
	b.Cleanup(func() {
		cancel()
		<-done
		_ = e.tty.Close()
		_ = e.terminal.Close()
	})
}

func (e *explorer) options(m *pipeline.Model, s pipeline.Settings, r record) tui.Options {
	return tui.Options{
		In: e.tty, Out: e.tty, Graphics: e.protocol, Model: "bench",
		Load: func(context.Context, string, func(tui.Progress)) (*pipeline.Model, pipeline.Settings, error) {
			reported := m.WithDenoiser(func(d pipeline.Denoiser) pipeline.Denoiser { return reporting{d, e.calls} })
			return reported, s, nil
		},
		Models:   func() ([]tui.Choice, error) { return nil, nil },
		Save:     func(*pipeline.Model, *pipeline.Step, *image.RGBA) (string, error) { return "", nil },
		Command:  func(*pipeline.Model, []*pipeline.Step) (command, but string) { return "", "" },
		Remember: func(*pipeline.Model, pipeline.Settings) error { return nil },
		Record:   r,
	}
}

// wait reads the ends of n calls and returns the last.
func (e *explorer) wait(n int) (last time.Time) {
	for range n {
		last = <-e.calls
	}
	return last
}

// settling is longer than decoding one picture takes.
const settling = 500 * time.Millisecond

// runs makes a run anew under another seed, which goes to its end by itself, and times
// it from the second call on. Then it waits until all pictures are decoded, which must
// not go on while bare runs are timed.
func (e *explorer) runs(b *testing.B) work {
	return func(context.Context) (time.Duration, error) {
		begun := time.Now()
		if _, err := e.terminal.WriteString("n"); err != nil {
			return 0, err
		}
		start := e.wait(1)
		took := e.wait(explorerSteps - 1).Sub(start)
		e.output.settle(b, begun, settling)
		return took, nil
	}
}
