package explorer

import (
	"context"
	"fmt"
	"image"
	"math"
	"time"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// order is work for the model: make a first step, then go on to step until.
type order struct {
	first func(context.Context) (*pipeline.Step, error)
	until int
}

// job is an order being carried out. Its steps wait in the channel, so that the
// model never waits for the screen.
type job struct {
	id     int
	cancel context.CancelFunc
	events chan event
	until  int
}

// event is news of a job: the newest step that it made, with what is drawn of all
// those since the last news, or the job's end.
type event struct {
	step  *pipeline.Step
	views map[*pipeline.Step]viewSet
	done  bool
	err   error // why it ended early
}

// tellEvery is the least time between news of a run. Painting a step takes as much
// processor time as a small model's call; on a CPU the two are in each other's
// way, and nobody sees more than a few pictures a second.
const tellEvery = 200 * time.Millisecond

// jobMsg brings an event of job id to Update.
type jobMsg struct {
	id int
	event
}

// viewSet is the cheap pictures and figures of a step.
type viewSet struct {
	original *image.RGBA // x0 by the latent→RGB matrix
	latent   *image.RGBA // x_t likewise
	channels *image.RGBA // the channels of x_t, side by side
	push     float64     // root mean square of eps_cond - eps_uncond; NaN without guidance
	change   float64     // of x0 since the step before, relative; NaN at the first
}

// start carries out an order in a goroutine of its own.
func start(ctx context.Context, id int, m *pipeline.Model, o order) *job {
	ctx, cancel := context.WithCancel(ctx)
	// Every step and the end fit: the goroutine can always finish.
	j := &job{id: id, cancel: cancel, events: make(chan event, o.until+3), until: o.until}
	go func() {
		defer close(j.events)
		err := guard(func() error { return j.work(ctx, m, o) })
		j.events <- event{done: true, err: err}
	}()
	return j
}

func (j *job) work(ctx context.Context, m *pipeline.Model, o order) error {
	at, err := o.first(ctx)
	var last *pipeline.Step
	views, told := map[*pipeline.Step]viewSet{}, time.Time{}
	tell := func() {
		if len(views) > 0 {
			j.events <- event{step: last, views: views}
			views, told = map[*pipeline.Step]viewSet{}, time.Now()
		}
	}
	defer tell() // also what was done before an error
	for {
		if err != nil {
			return err
		}
		last = at
		views[at] = look(m, at)
		if time.Since(told) >= tellEvery {
			tell()
		}
		if at.Done() || at.Index() >= o.until {
			return nil
		}
		at, err = m.Advance(ctx, at)
	}
}

// guard turns a panic into an error: a fault in one step must not take the
// terminal with it.
func guard(work func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v", r)
		}
	}()
	return work()
}

// next waits for the job's next event.
func (j *job) next() tea.Cmd {
	return func() tea.Msg {
		e, ok := <-j.events
		if !ok {
			return nil
		}
		return jobMsg{id: j.id, event: e}
	}
}

// channelLimit is the latent value drawn white; latents have about unit variance.
const channelLimit = 3

func look(m *pipeline.Model, s *pipeline.Step) viewSet {
	v := viewSet{
		original: m.Preview(s.Original()),
		latent:   m.Preview(s.Latent()),
		channels: mosaic(pipeline.Channels(s.Latent(), channelLimit)),
		push:     math.NaN(),
		change:   math.NaN(),
	}
	if s.Outputs.Uncond != nil {
		v.push = distance(s.Outputs.Cond, s.Outputs.Uncond)
	}
	if s.Parent != nil {
		v.change = distance(s.X0, s.Parent.X0) / max(distance(s.Parent.X0, nil), 1e-12)
	}
	return v
}

// distance is the root mean square of a - b; a nil b is zero.
func distance(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v)
		if b != nil {
			d -= float64(b[i])
		}
		sum += d * d
	}
	return math.Sqrt(sum / float64(max(len(a), 1)))
}

// mosaic lays pictures of one size out in a near square, a pixel apart.
func mosaic(tiles []*image.RGBA) *image.RGBA {
	if len(tiles) == 0 {
		return nil
	}
	columns := int(math.Ceil(math.Sqrt(float64(len(tiles)))))
	rows := (len(tiles) + columns - 1) / columns
	size := tiles[0].Rect.Size()
	out := image.NewRGBA(image.Rect(0, 0, columns*(size.X+1)-1, rows*(size.Y+1)-1))
	for i, t := range tiles {
		x, y := i%columns*(size.X+1), i/columns*(size.Y+1)
		for line := range size.Y {
			copy(out.Pix[out.PixOffset(x, y+line):], t.Pix[line*t.Stride:][:4*size.X])
		}
	}
	return out
}
