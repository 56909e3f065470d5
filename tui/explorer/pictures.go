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
	drawn   int // bytes of views
	decoded map[*pipeline.Step]picture
	order   []*pipeline.Step // decoded ones, oldest first
	bytes   int

	seeing   bool           // a step is being drawn
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

// viewBudget bounds the memory of the cheap pictures, in bytes.
const viewBudget = 256 << 20

// look keeps the cheap pictures of a step. Over the budget, those of other branches go:
// they are drawn again when they are looked at.
func (a *album) look(s *pipeline.Step, v viewSet, path []*pipeline.Step) {
	if old, ok := a.views[s]; ok {
		a.drawn -= old.bytes()
	}
	a.views[s] = v
	if a.drawn += v.bytes(); a.drawn <= viewBudget {
		return
	}
	kept := make(map[*pipeline.Step]viewSet, len(path)+1)
	kept[s] = v
	for _, s := range path {
		if v, ok := a.views[s]; ok {
			kept[s] = v
		}
	}
	a.views, a.drawn = kept, 0
	for _, v := range kept {
		a.drawn += v.bytes()
	}
}

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

// seenMsg brings the cheap pictures of a step to Update.
type seenMsg struct {
	album *album
	step  *pipeline.Step
	views viewSet
	err   error
}

// see draws a step that was not drawn yet, or whose pictures were let go of.
func (a *album) see(m *pipeline.Model, s *pipeline.Step) tea.Cmd {
	if a.seeing {
		return nil
	}
	a.seeing = true
	return func() tea.Msg {
		msg := seenMsg{album: a, step: s}
		msg.err = guard(func() (err error) { msg.views, err = look(m, s); return err })
		return msg
	}
}

// seen keeps what was drawn of a step; what cannot be drawn stays empty.
func (a *album) seen(msg seenMsg, path []*pipeline.Step) {
	a.seeing = false
	a.look(msg.step, msg.views, path)
}

// unseen is the step nearest to the cursor of which there are no pictures, nil for
// none.
func (a *album) unseen(r *pipeline.Run) *pipeline.Step {
	if a.seeing {
		return nil
	}
	return nearest(r, func(s *pipeline.Step) bool { _, ok := a.views[s]; return !ok })
}

// wanted is the step to decode next while nothing else is to do: the one looked
// at, then its neighbours, nearest first. nil when all are there or the budget is
// spent.
func (a *album) wanted(r *pipeline.Run) *pipeline.Step {
	if a.broken {
		return nil
	}
	s := nearest(r, func(s *pipeline.Step) bool { return a.decoded[s].img == nil && !a.unreadable(s) })
	if s == nil || s != r.At() && a.bytes > albumBudget/2 {
		return nil
	}
	return s
}

// unreadable reports whether a step could not be drawn: its numbers are not there.
func (a *album) unreadable(s *pipeline.Step) bool {
	v, tried := a.views[s]
	return tried && v.original == nil
}

// nearest is the step on the current branch nearest to the cursor that is as asked.
func nearest(r *pipeline.Run, is func(*pipeline.Step) bool) *pipeline.Step {
	path := r.Path()
	for d := range len(path) + 1 {
		for _, k := range []int{r.Cursor() - d, r.Cursor() + d} {
			if k >= 0 && k < len(path) && is(path[k]) {
				return path[k]
			}
		}
	}
	return nil
}
