package explorer

import (
	"context"
	"image"
	"time"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// album keeps what was drawn of each step, and decoded pictures within a budget.
type album struct {
	views   map[*pipeline.Step]viewSet
	decoded map[*pipeline.Step]picture
	order   []*pipeline.Step // decoded ones, oldest first
	bytes   int

	broken   bool           // decoding failed: it is not tried again
	decoding *pipeline.Step // under way, nil when idle
	cancel   context.CancelFunc
}

// picture is a decoded picture and how long decoding took.
type picture struct {
	img  *image.RGBA
	took time.Duration
}

// albumBudget bounds the memory of decoded pictures, in bytes.
const albumBudget = 256 << 20

func newAlbum() *album {
	return &album{views: map[*pipeline.Step]viewSet{}, decoded: map[*pipeline.Step]picture{}}
}

// decodedMsg brings a decoded picture to Update.
type decodedMsg struct {
	album *album // whose it is: another model's is dropped
	step  *pipeline.Step
	picture
	err error
}

// decode starts decoding a step, unless that is under way; any other decoding is
// cancelled first.
func (a *album) decode(ctx context.Context, m *pipeline.Model, s *pipeline.Step) tea.Cmd {
	if a.decoding == s {
		return nil
	}
	a.stop()
	ctx, a.cancel = context.WithCancel(ctx)
	a.decoding = s
	return func() tea.Msg {
		msg := decodedMsg{album: a, step: s}
		start := time.Now()
		msg.err = guard(func() (err error) {
			msg.img, err = m.Picture(ctx, s)
			return err
		})
		msg.took = time.Since(start)
		return msg
	}
}

// stop cancels the decoding under way.
func (a *album) stop() {
	if a.cancel != nil {
		a.cancel()
		a.cancel, a.decoding = nil, nil
	}
}

// add keeps a decoded picture and lets go of the oldest ones over the budget.
func (a *album) add(msg decodedMsg) {
	if a.decoding == msg.step {
		a.stop()
	}
	a.broken = a.broken || msg.err != nil && !pipeline.Cancelled(msg.err)
	if msg.err != nil || a.decoded[msg.step].img != nil {
		return
	}
	a.decoded[msg.step] = msg.picture
	a.order = append(a.order, msg.step)
	a.bytes += len(msg.img.Pix)
	for a.bytes > albumBudget && len(a.order) > 1 {
		oldest := a.order[0]
		a.bytes -= len(a.decoded[oldest].img.Pix)
		delete(a.decoded, oldest)
		a.order = a.order[1:]
	}
}

// keep lets go of everything that is not of one of the steps.
func (a *album) keep(steps []*pipeline.Step) {
	views, decoded := a.views, a.decoded
	a.views, a.decoded = make(map[*pipeline.Step]viewSet, len(steps)), map[*pipeline.Step]picture{}
	a.order, a.bytes = nil, 0
	for _, s := range steps {
		if v, ok := views[s]; ok {
			a.views[s] = v
		}
		if p, ok := decoded[s]; ok {
			a.decoded[s] = p
			a.order = append(a.order, s)
			a.bytes += len(p.img.Pix)
		}
	}
}

// wanted is the step to decode next while nothing else is to do: the one looked
// at, then its neighbours, nearest first. nil when all are there or the budget is
// spent.
func (a *album) wanted(t *track) *pipeline.Step {
	if t.at() == nil || a.broken {
		return nil
	}
	for d := 0; d <= len(t.path); d++ {
		for _, k := range []int{t.cursor - d, t.cursor + d} {
			if k < 0 || k >= len(t.path) {
				continue
			}
			if a.decoded[t.path[k]].img == nil {
				if d > 0 && a.bytes > albumBudget/2 {
					return nil
				}
				return t.path[k]
			}
		}
	}
	return nil
}
