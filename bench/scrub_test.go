package bench

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/pipeline/session"
	"ldx/tui"
	"ldx/tui/termimg"
)

// Keys as a terminal sends them.
const (
	left  = "\x1b[D"
	right = "\x1b[C"
)

// BenchmarkScrub holds the time from a key to the last byte of the frame that it leads
// to, on a local pseudoterminal, while the cursor goes along kept steps whose pictures
// are decoded. p50-ms, p99-ms and max-ms are of b.N keys. The budget is 16 ms at the
// 99th percentile.
func BenchmarkScrub(b *testing.B) {
	for _, p := range []termimg.Protocol{termimg.Kitty, termimg.Sixel, termimg.Blocks} {
		b.Run(p.String(), func(b *testing.B) {
			benchmarkScrub(b, p, func(s *pipeline.Settings) { s.Steps = 20 })
		})
	}
	b.Run("512x512", func(b *testing.B) {
		benchmarkScrub(b, termimg.Kitty, func(s *pipeline.Settings) { s.Steps, s.Width, s.Height = 8, 512, 512 })
	})
}

func benchmarkScrub(b *testing.B, p termimg.Protocol, change func(*pipeline.Settings)) {
	b.Helper()
	m := testlib.Model(b)
	s := m.Settings()
	s.Seed = 42
	change(&s)
	e := newExplorer(b, p)
	e.start(b, m, s, e.record(b, ""))
	e.wait(s.Steps)
	last := s.Steps - 1 // moves: the first key goes there from the end
	e.keys(b, strings.Split(strings.Repeat(left+" ", last)+strings.TrimSpace(strings.Repeat(right+" ", last)), " "))
}

// treeSteps and treeNodes are of the tree that is on the screen in BenchmarkScrubTree.
const (
	treeSteps = 20
	treeNodes = 1000
)

// BenchmarkScrubTree is BenchmarkScrub with a tree of 1,000 steps on nearly as many
// branches, opened from a session, along and between branches.
func BenchmarkScrubTree(b *testing.B) {
	for _, p := range []termimg.Protocol{termimg.Kitty, termimg.Blocks} {
		b.Run(p.String(), func(b *testing.B) {
			m := testlib.Model(b)
			dir := filepath.Join(b.TempDir(), "tree")
			growTree(b, m, dir)
			e := newExplorer(b, p)
			e.start(b, m, m.Settings(), e.record(b, dir))
			e.output.settle(b, time.Time{}, decodedOver)
			if _, err := e.terminal.WriteString("]"); err != nil { // from the last branch to the trunk
				b.Fatal(err)
			}
			// The next branches are longer than the cursor comes: every key shows something else.
			e.keys(b, []string{left, "]", left, "]", right, "]", right, "[", left, "[", right, "["})
		})
	}
}

// growTree writes a session: a run, and branches of one step each, under another
// guidance, which takes no call.
func growTree(b *testing.B, m *pipeline.Model, dir string) {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	s, err := session.Create(dir, benchHeader(m))
	must(err)
	run := pipeline.NewRun()
	take := func(step *pipeline.Step, aim pipeline.Aim) {
		run.Number(step)
		op := pipeline.Op{Do: pipeline.Take, Step: step, Aim: aim}
		must(run.Apply(op))
		must(s.Append(op))
	}
	settings := m.Settings()
	settings.Steps, settings.Seed = treeSteps, 42
	at, err := m.Begin(b.Context(), settings)
	must(err)
	take(at, run.AimOn())
	for !at.Done() {
		at, err = m.Advance(b.Context(), at)
		must(err)
		take(at, run.AimOn())
	}
	trunk := run.Path()
	for n := 0; run.Len() < treeNodes; n++ {
		k := treeSteps - 1 - n%(treeSteps-1)
		to := trunk[k].Settings
		to.Guidance = 1.5 + float64(n)/100
		edited, err := m.Edit(b.Context(), trunk[k], to)
		must(err)
		take(edited, pipeline.Aim{Branch: run.NextBranch(), From: 0, At: k})
	}
	must(s.Close())
}

func benchHeader(m *pipeline.Model) session.Header {
	return session.Header{Model: m.Info().Name, Latent: m.Info().Latent, Device: m.Device(), Created: time.Now()}
}

// record has the explorer write a session, a new one or, with a path, what is there.
func (e *explorer) record(b *testing.B, dir string) record {
	b.Helper()
	fresh := filepath.Join(b.TempDir(), "session")
	return func(m *pipeline.Model) (tui.Recorder, *pipeline.Run, error) {
		if dir == "" {
			s, err := session.Create(fresh, benchHeader(m))
			return s, nil, err
		}
		s, run, err := session.Open(dir, m.Info(), benchHeader(m))
		if err != nil {
			return nil, nil, err // and not a Recorder that is a nil *Session
		}
		return s, run, nil
	}
}

// output is what has come from the program.
type output struct {
	mu   sync.Mutex
	last time.Time // when the last bytes were read
}

// drain reads all that the program writes, and answers as the terminal would.
func (o *output) drain(terminal io.ReadWriter, answers func([]byte) []byte) {
	buffer := make([]byte, 1<<20)
	for {
		n, err := terminal.Read(buffer)
		o.mu.Lock()
		o.last = time.Now()
		o.mu.Unlock()
		if a := answers(buffer[:n]); len(a) > 0 {
			_, _ = terminal.Write(a) // without it the program goes on with less
		}
		if err != nil {
			return
		}
	}
}

var kittyQuestion = regexp.MustCompile(`\x1b_G(?:i=(\d+),[^;]*a=q|a=q,[^;]*i=(\d+))`)

// kittyAnswers are those of a kitty on this machine, which reads pictures from files.
func kittyAnswers(asked []byte) (answers []byte) {
	if bytes.Contains(asked, []byte(ansi.RequestNameVersion)) {
		answers = append(answers, "\x1bP>|kitty(0.41.1)\x1b\\"...)
	}
	for _, m := range kittyQuestion.FindAllSubmatch(asked, -1) {
		answers = fmt.Appendf(answers, "\x1b_Gi=%s%s;OK\x1b\\", m[1], m[2])
	}
	if bytes.Contains(asked, []byte(ansi.RequestPrimaryDeviceAttributes)) {
		answers = append(answers, "\x1b[?62;52;c"...)
	}
	return answers
}

// noAnswers are those of a terminal that is told which protocol to take.
func noAnswers([]byte) []byte { return nil }

func (o *output) lastRead() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// How long nothing must come for a frame to be whole, and for all pictures to be
// decoded; and what is too long.
const (
	frameOver   = 30 * time.Millisecond
	decodedOver = 1500 * time.Millisecond
	deadline    = 2 * time.Minute
	watching    = time.Millisecond
)

// settle waits until something has come after start and then nothing for a while, and
// returns when the last of it came.
func (o *output) settle(b *testing.B, start time.Time, quiet time.Duration) time.Time {
	b.Helper()
	for begun := time.Now(); time.Since(begun) < deadline; {
		if last := o.lastRead(); last.After(start) && time.Since(last) > quiet {
			return last
		}
		time.Sleep(watching)
	}
	b.Fatalf("the explorer is not done within %s", deadline)
	return time.Time{}
}

// keys presses a cycle of keys over and over, once beforehand so that every picture is
// there, and reports how long their frames take.
func (e *explorer) keys(b *testing.B, cycle []string) {
	b.Helper()
	press := func(key string, quiet time.Duration) time.Duration {
		start := time.Now()
		if _, err := e.terminal.WriteString(key); err != nil {
			b.Fatal(err)
		}
		return e.output.settle(b, start, quiet).Sub(start)
	}
	e.output.settle(b, time.Time{}, decodedOver)
	for _, key := range cycle {
		press(key, 4*frameOver)
	}
	e.output.settle(b, time.Time{}, decodedOver)
	random := rand.New(rand.NewPCG(1, 1))
	var took []float64 // milliseconds
	for i := 0; b.Loop(); i++ {
		time.Sleep(time.Duration(random.Int64N(int64(frameOver)))) // not in step with the frames
		took = append(took, press(cycle[i%len(cycle)], frameOver).Seconds()*1000)
	}
	b.ReportMetric(0, "ns/op") // mostly waiting
	for name, q := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
		b.ReportMetric(quantile(took, q), name)
	}
}
