package compare

import (
	"context"
	"time"

	"ldx/pipeline"
)

// Result is what became of one run.
type Result struct {
	Run     int
	End     *pipeline.Step // nil where it failed
	Err     error
	Calls   int           // that it would have taken on its own
	Charged int           // that were made for it: what runs before it left to do
	Took    time.Duration // of these and of the sampler's arithmetic
}

// Run makes the runs in the given order and hands each to done, which must not keep its
// steps longer than it needs them. A run that fails does not stop the others; only ctx
// and done's error do. made is told of every denoiser call.
func (p *Plan) Run(ctx context.Context, m *pipeline.Model, order []int, made func(), done func(Result) error) error {
	w := &worker{plan: p, model: m, made: made}
	for _, i := range order {
		r := Result{Run: i, Err: p.runs[i].err, Calls: p.runs[i].calls}
		if r.Err == nil {
			start := time.Now()
			w.charged = 0
			r.End, r.Err = w.walk(ctx, p.runs[i].nodes)
			r.Took, r.Charged = time.Since(start), w.charged
		}
		if err := ctx.Err(); err != nil && r.Err != nil {
			return err
		}
		p.release(p.runs[i].nodes)
		if err := done(r); err != nil {
			return err
		}
	}
	return nil
}

// release lets go of what no run to come passes.
func (p *Plan) release(path []int) {
	for _, id := range path {
		n := p.nodes[id]
		if n.users--; n.users == 0 {
			n.step = nil
		}
	}
}

// keep notes that a node is computed. What only it was waiting for is let go of.
func (p *Plan) keep(n *node, step *pipeline.Step) {
	if n.users > 0 {
		n.step = step
	}
	if n.computed {
		return
	}
	n.computed = true
	if n.parent >= 0 {
		if before := p.nodes[n.parent]; before.pending > 0 {
			if before.pending--; before.pending == 0 {
				before.step = nil
			}
		}
	}
	if g := n.group; g != nil {
		if g.pending--; g.pending == 0 {
			g.held = nil
		}
	}
}

// worker computes nodes.
type worker struct {
	plan    *Plan
	model   *pipeline.Model
	made    func()
	charged int
}

// walk goes along a path from the last node that is kept and gives its last step.
func (w *worker) walk(ctx context.Context, path []int) (*pipeline.Step, error) {
	from := len(path)
	for from > 0 && w.plan.nodes[path[from-1]].step == nil {
		from--
	}
	for _, id := range path[from:] {
		n := w.plan.nodes[id]
		step, err := w.compute(ctx, n)
		if err != nil {
			return nil, err
		}
		w.plan.keep(n, step)
	}
	return w.plan.nodes[path[len(path)-1]].step, nil
}

// compute makes a node's step; the one before is there.
func (w *worker) compute(ctx context.Context, n *node) (*pipeline.Step, error) {
	if n.group == nil {
		return w.advance(ctx, w.plan.nodes[n.parent].step)
	}
	g := n.group
	if g.err != nil {
		return nil, g.err
	}
	if g.held == nil {
		held, err := w.evaluate(ctx, g.first)
		if err != nil {
			if ctx.Err() == nil {
				g.err = err
			}
			return nil, err
		}
		if n == g.first {
			if g.pending > 1 {
				g.held = held
			}
			return held, nil
		}
		g.held = held
		w.plan.keep(g.first, held)
	}
	if n.parent < 0 {
		return w.count(w.model.BeginBeside(ctx, n.settings, g.held))
	}
	return w.count(w.model.Edit(ctx, g.held, n.settings))
}

// evaluate makes the step of a group's first node with a call of the denoiser. The step
// before may be another run's, so it is seen under this one's settings first: nothing
// there differs that matters.
func (w *worker) evaluate(ctx context.Context, n *node) (*pipeline.Step, error) {
	if n.parent < 0 {
		return w.count(w.model.Begin(ctx, n.settings))
	}
	before := w.plan.nodes[n.parent].step
	if before.Settings != n.settings {
		edited, err := w.count(w.model.Edit(ctx, before, n.settings))
		if err != nil {
			return nil, err
		}
		before = edited
	}
	return w.count(w.advance(ctx, before))
}

// advance takes a step, from which those before are not to be reached unless ways are
// kept.
func (w *worker) advance(ctx context.Context, from *pipeline.Step) (*pipeline.Step, error) {
	if !w.plan.Ways {
		alone, err := from.Alone()
		if err != nil {
			return nil, err
		}
		from = alone
	}
	return w.model.Advance(ctx, from)
}

// count notes the denoiser calls that a step took.
func (w *worker) count(s *pipeline.Step, err error) (*pipeline.Step, error) {
	if err != nil {
		return nil, err
	}
	w.charged += s.Timing.Calls
	for range s.Timing.Calls {
		w.made()
	}
	return s, nil
}
