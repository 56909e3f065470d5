// Package bench measures ldx as a whole: what a step costs over the bare UNet, and
// under peer/ a run against Python. See README.md.
package bench

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"ldx/assets"
	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/pipeline/ort"
)

// channelLimit is the latent value that the explorer draws white.
const channelLimit = 3

// BenchmarkStep holds a step, all included, against the bare run of the UNet that
// it needs in the same session, reported as step/bare. The budgets are 1.02 for
// plain, 1.05 for preview, 1.10 for vae. bare holds the bare run against itself:
// how far it is from 1 is what the method leaves uncertain.
func BenchmarkStep(b *testing.B) {
	m := testlib.Model(b)
	bare := newBareCall(b, m)
	b.Run("bare", func(b *testing.B) { compare(b, bare.run, untimed(bare.run)) })
	b.Run("plain", func(b *testing.B) { compare(b, bare.run, untimed(newWalk(b, m).advance)) })
	b.Run("preview", func(b *testing.B) { compare(b, bare.run, newWalk(b, m).preview) })
	b.Run("vae", func(b *testing.B) { compare(b, bare.run, newWalk(b, m).vae()) })
}

// bareCall is the model's own denoiser on inputs made beforehand.
type bareCall struct {
	denoiser pipeline.Denoiser
	first    *pipeline.Step
	conds    []pipeline.Conditioning
}

func newBareCall(b *testing.B, m *pipeline.Model) *bareCall {
	b.Helper()
	c := &bareCall{first: begin(b, m, m.Settings().Width)}
	m.WithDenoiser(func(d pipeline.Denoiser) pipeline.Denoiser { c.denoiser = d; return d })
	for _, prompt := range []string{c.first.Settings.Prompt, c.first.Settings.Negative} {
		cond, err := m.Encode(b.Context(), prompt)
		if err != nil {
			b.Fatal(err)
		}
		c.conds = append(c.conds, cond)
	}
	return c
}

func (c *bareCall) run(ctx context.Context) error {
	x, err := c.first.Latent()
	if err != nil {
		return err
	}
	_, err = c.denoiser.Predict(ctx, x, c.first.Timestep(), c.conds...)
	return err
}

// BenchmarkGuidance holds one run of the UNet on a batch of 2 against two runs on
// batches of 1, reported as batch/two: which is faster decides how the pipeline
// does guidance.
func BenchmarkGuidance(b *testing.B) {
	m := testlib.Model(b)
	for _, side := range []int{64, 128, 256} {
		b.Run(fmt.Sprintf("%dx%d", side, side), func(b *testing.B) {
			session := newSession(b)
			two, batch := newBareRun(b, m, session, side, false), newBareRun(b, m, session, side, true)
			race(b, [2]contender{{"two", untimed(two.run)}, {"batch", untimed(batch.run)}})
		})
	}
}

// work does something once and says how long the part that counts took.
type work func(context.Context) (time.Duration, error)

// untimed makes a work of one that counts as a whole.
func untimed(f func(context.Context) error) work {
	return func(ctx context.Context) (time.Duration, error) {
		start := time.Now()
		err := f(ctx)
		return time.Since(start), err
	}
}

// contender is work with the name that its figures get.
type contender struct {
	name string
	work work
}

// compare races a step against the bare runs that it needs.
func compare(b *testing.B, bare func(context.Context) error, step work) {
	race(b, [2]contender{{"bare", untimed(bare)}, {"step", step}})
}

// race runs two contenders in turn, so that a busy machine slows both, each
// first every other time, since a session's threads keep spinning for a moment
// after a run, into whatever comes next. Each pair gives a ratio, the second over
// the first. The median ratio is reported with its quartiles, and the median times
// in milliseconds.
func race(b *testing.B, pair [2]contender) {
	var took [2][]float64 // milliseconds
	var ratios []float64
	for i := 0; b.Loop(); i++ {
		var ms [2]float64
		for k := range pair {
			which := (i + k) % len(pair)
			d, err := pair[which].work(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			ms[which] = d.Seconds() * 1000
			took[which] = append(took[which], ms[which])
		}
		ratios = append(ratios, ms[1]/ms[0])
	}
	b.ReportMetric(0, "ns/op") // of a pair: it says nothing
	for i, c := range pair {
		b.ReportMetric(quantile(took[i], 0.5), c.name+"-ms")
	}
	ratio := pair[1].name + "/" + pair[0].name
	b.ReportMetric(quantile(ratios, 0.5), ratio)
	b.ReportMetric(quantile(ratios, 0.25), ratio+"-q1")
	b.ReportMetric(quantile(ratios, 0.75), ratio+"-q3")
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

// bareRun is a guided step's runs of the UNet on inputs made beforehand, in a
// session of its own.
type bareRun struct {
	session *ort.Session
	inputs  [][]*tensor.Dense // a set a run
}

// newSession loads the UNet once more.
func newSession(b *testing.B) *ort.Session {
	b.Helper()
	data, err := fs.ReadFile(assets.Model(), "unet/model.onnx")
	if err != nil {
		b.Fatal(err)
	}
	session, err := testlib.Runtime(b).Load(ort.Graph{Name: "unet/model.onnx", File: bytes.NewReader(data), Size: int64(len(data))}, ort.Options{Spin: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := session.Close(); err != nil {
			b.Error(err)
		}
	})
	return session
}

// newBareRun takes the inputs of the first step of a run at side x side pixels.
func newBareRun(b *testing.B, m *pipeline.Model, session *ort.Session, side int, batched bool) *bareRun {
	b.Helper()
	r := &bareRun{session: session}
	first := begin(b, m, side)
	var states []*tensor.Dense
	for _, prompt := range []string{first.Settings.Prompt, first.Settings.Negative} {
		text, err := m.Encode(b.Context(), prompt)
		if err != nil {
			b.Fatal(err)
		}
		states = append(states, text[pipeline.TextEmbedding])
	}
	x, err := first.Latent()
	if err != nil {
		b.Fatal(err)
	}
	if batched {
		r.add(int(first.Timestep()), concat(b, x, x), concat(b, states...))
		return r
	}
	for _, s := range states {
		r.add(int(first.Timestep()), x, s)
	}
	return r
}

// add makes a run's inputs, in the order in which the graph declares them.
func (r *bareRun) add(t int, sample, states *tensor.Dense) {
	named := map[string]*tensor.Dense{
		"sample":                sample,
		"timestep":              tensor.New(tensor.WithShape(sample.Shape()[0]), tensor.WithBacking(slices.Repeat([]int64{int64(t)}, sample.Shape()[0]))),
		"encoder_hidden_states": states,
	}
	var inputs []*tensor.Dense
	for _, in := range r.session.Inputs() {
		inputs = append(inputs, named[in.Name])
	}
	r.inputs = append(r.inputs, inputs)
}

func concat(b *testing.B, parts ...*tensor.Dense) *tensor.Dense {
	b.Helper()
	whole, err := parts[0].Concat(0, parts[1:]...)
	if err != nil {
		b.Fatal(err)
	}
	return whole
}

func (r *bareRun) run(ctx context.Context) error {
	for _, in := range r.inputs {
		if _, err := r.session.Run(ctx, in...); err != nil {
			return err
		}
	}
	return nil
}

// begin starts a run of side x side pixels, long enough that starting it anew is
// rare.
func begin(b *testing.B, m *pipeline.Model, side int) *pipeline.Step {
	b.Helper()
	s := m.Settings()
	s.Steps, s.Seed, s.Width, s.Height = 50, 42, side, side
	first, err := m.Begin(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	return first
}

// walk takes one step after another, and starts again before the last one, which
// leads to the end and so calls no denoiser.
type walk struct {
	model     *pipeline.Model
	first, at *pipeline.Step
}

func newWalk(b *testing.B, m *pipeline.Model) *walk {
	b.Helper()
	first := begin(b, m, m.Settings().Width)
	return &walk{model: m, first: first, at: first}
}

func (w *walk) advance(ctx context.Context) (err error) {
	if w.at.Index()+1 == w.at.End() {
		w.at = w.first
	}
	w.at, err = w.model.Advance(ctx, w.at)
	return err
}

// preview is a step with the pictures that the explorer draws of it while a run
// goes on: x0, the latent and its channels.
func (w *walk) preview(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	if err := w.advance(ctx); err != nil {
		return 0, err
	}
	x0, err := w.at.Original()
	if err != nil {
		return 0, err
	}
	x, err := w.at.Latent()
	if err != nil {
		return 0, err
	}
	w.model.Preview(x0)
	w.model.Preview(x)
	pipeline.Channels(x, channelLimit)
	return time.Since(start), nil
}

// vae is a step taken while the VAE decodes the one before, as it does when the
// model has nothing else to do: the decoding is cancelled, and the step is timed
// from there. It is cancelled after an eighth to all of the time it would take.
func (w *walk) vae() work {
	const parts = 8
	var whole time.Duration // of a decoding that is left in peace
	n := 0
	return func(ctx context.Context) (time.Duration, error) {
		if whole == 0 {
			start := time.Now()
			if _, err := w.model.Picture(ctx, w.at); err != nil {
				return 0, err
			}
			whole = time.Since(start)
		}
		decoding, cancel := context.WithCancel(ctx)
		decoded := make(chan error, 1)
		at := w.at
		go func() {
			_, err := w.model.Picture(decoding, at)
			decoded <- err
		}()
		n++
		time.Sleep(whole * time.Duration(n%parts+1) / parts) // the user's pause before the next key
		cancel()
		took, err := w.preview(ctx)
		if decodeErr := <-decoded; decodeErr != nil && !pipeline.Cancelled(decodeErr) {
			return 0, decodeErr
		}
		return took, err
	}
}
