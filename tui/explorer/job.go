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

// viewSet is the cheap pictures of a step.
type viewSet struct {
	original *image.RGBA // x0 by the latent→RGB matrix
	latent   *image.RGBA // x_t likewise
	channels *image.RGBA // the channels of x_t, side by side
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
		if views[at], err = look(m, at); err != nil {
			return err
		}
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

// look draws a step.
func look(m *pipeline.Model, s *pipeline.Step) (viewSet, error) {
	x0, err := s.Original()
	if err != nil {
		return viewSet{}, err
	}
	x, err := s.Latent()
	if err != nil {
		return viewSet{}, err
	}
	return viewSet{
		original: m.Preview(x0),
		latent:   m.Preview(x),
		channels: mosaic(pipeline.Channels(x, channelLimit)),
	}, nil
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
