package explorer

import (
	"context"
	"fmt"
	"image"
	"time"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// order is work for the model: make a first step, then go on to index until, or to
// where a breakpoint stops.
type order struct {
	first  func(context.Context) (*pipeline.Step, error)
	until  int
	aim    pipeline.Aim
	change bool // the first step is another value at a place, not the next one
	again  bool // the run is made again from its start, for a change at its end
	breaks []pipeline.Breakpoint
}

// job is an order being carried out. Its steps wait in the channel, so that the
// model never waits for the screen.
type job struct {
	order
	cancel context.CancelFunc
	events chan event
	told   bool // its first step has come
}

// event is news of a job: the steps made since the last news, with what is drawn of
// them, or the job's end.
type event struct {
	steps []*pipeline.Step
	views map[*pipeline.Step]viewSet
	done  bool
	hit   *pipeline.Breakpoint // what it stopped at
	err   error                // why it ended early
}

// tellEvery is the least time between news of a run. Painting a step takes as much
// processor time as a small model's call; on a CPU the two are in each other's
// way, and nobody sees more than a few pictures a second.
const tellEvery = 200 * time.Millisecond

// jobMsg brings an event of a job to Update.
type jobMsg struct {
	job *job
	event
}

// worker is what a job works with.
type worker struct {
	model    *pipeline.Model
	run      *pipeline.Run // for its numbers alone
	recorder Recorder
	ahead    *ahead
}

// start carries out an order in a goroutine of its own.
func (w worker) start(ctx context.Context, o order) *job {
	ctx, cancel := context.WithCancel(ctx)
	// Every step and the end fit: the goroutine can always finish.
	j := &job{order: o, cancel: cancel, events: make(chan event, max(o.until, 0)+3)}
	go func() {
		defer close(j.events)
		end := event{done: true}
		end.err = guard(func() (err error) { end.hit, err = w.work(ctx, j); return err })
		j.events <- end
	}()
	return j
}

// work makes the steps of a job. What is told is written down.
func (w worker) work(ctx context.Context, j *job) (hit *pipeline.Breakpoint, err error) {
	news, told := event{views: map[*pipeline.Step]viewSet{}}, time.Time{}
	tell := func() {
		if len(news.steps) > 0 {
			j.events <- news
			news, told = event{views: map[*pipeline.Step]viewSet{}}, time.Now()
		}
	}
	defer tell() // also what was done before an error
	at, err := j.first(ctx)
	for {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil && j.change && told.IsZero() && len(news.steps) == 0 {
			return nil, err // the change that took its place may be there already
		}
		w.run.Number(at)
		// What cannot be written is kept and tried again, and the recorder says so: a full
		// disk does not end a run.
		_ = w.recorder.Append(pipeline.Op{Do: pipeline.Take, Step: at, Aim: j.aim})
		news.steps = append(news.steps, at)
		if news.views[at], err = look(w.model, at); err != nil {
			return nil, err
		}
		if time.Since(told) >= tellEvery {
			tell()
		}
		if at.Done() || at.Index() >= j.until {
			return nil, nil
		}
		for _, b := range j.breaks {
			if b.Hit(at) {
				return &b, nil
			}
		}
		at, err = w.ahead.next(ctx, w.model, at)
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
		return jobMsg{job: j, event: e}
	}
}

// viewSet is the cheap pictures of a step.
type viewSet struct {
	original *image.RGBA // x0 by the latent→RGB matrix
	latent   *image.RGBA // x_t likewise
	coming   *image.RGBA // x_t after the next step likewise; nil at the end
	channels *image.RGBA // the channels of x_t, side by side
}

// bytes is the memory that the pictures take.
func (v viewSet) bytes() (n int) {
	for _, img := range []*image.RGBA{v.original, v.latent, v.coming, v.channels} {
		if img != nil {
			n += len(img.Pix)
		}
	}
	return n
}

// channelLimit is the latent value drawn white; latents have about unit variance.
const channelLimit = 3

// look draws a step.
func look(m *pipeline.Model, s *pipeline.Step) (v viewSet, err error) {
	x0, err := s.Original()
	if err != nil {
		return v, err
	}
	x, err := s.Latent()
	if err != nil {
		return v, err
	}
	v = viewSet{original: m.Preview(x0), latent: m.Preview(x), channels: mosaic(pipeline.Channels(x, channelLimit))}
	if s.Done() {
		return v, nil
	}
	next, err := s.Coming()
	if err != nil {
		return v, err
	}
	v.coming = m.Preview(next)
	return v, nil
}
