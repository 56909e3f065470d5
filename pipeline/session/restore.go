package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ldx/pipeline"
	"ldx/samplers"
)

// restore does all of a log's operations again. Each step is taken where its last line
// is: see [Session.Append].
func (r *reader) restore(s *store, restorer *pipeline.Restorer) (*pipeline.Run, error) {
	p := &replay{store: s, run: pipeline.NewRun()}
	last := r.lastLines()
	for i, l := range r.lines {
		var err error
		if l.Record != nil {
			err = s.restore(l, restorer)
		}
		if err == nil && l.Do != resumed && (l.Do != pipeline.Take || last[l.id()] == i) {
			err = p.apply(l)
		}
		if err != nil {
			return nil, r.wrong(i+2, err)
		}
	}
	return p.run, p.takeWaiting()
}

// id is the number of a line's step.
func (l line) id() int {
	if l.Record != nil {
		return l.Record.ID
	}
	return *l.ID
}

// lastLines is the index of the last line of each step.
func (r *reader) lastLines() map[int]int {
	last := map[int]int{}
	for i, l := range r.lines {
		if l.Do == pipeline.Take {
			last[l.id()] = i
		}
	}
	return last
}

// replay does a log's operations on a run.
type replay struct {
	store   *store
	run     *pipeline.Run
	waiting []pipeline.Op // steps that came before the ones they follow
}

// apply does one operation. Where the log has operations in another order than the
// screen did, one may have nothing to act on any more: then it is left out.
func (p *replay) apply(l line) error {
	op := l.Op
	if op.Do != pipeline.Take {
		_ = p.run.Apply(op) // it changes nothing then
		return nil
	}
	k := p.store.steps[l.id()]
	if k == nil {
		return fmt.Errorf("step %d is not above", l.id())
	}
	op.Step = k.step
	if before := op.Step.Parent; before != nil && p.run.Step(before.ID()) == nil {
		p.waiting = append(p.waiting, op)
		return nil
	}
	return p.take(op)
}

// take adds a step to the run, to a branch of its own if not where it says.
func (p *replay) take(op pipeline.Op) error {
	if p.run.Apply(op) == nil {
		return nil
	}
	op.Aim = pipeline.Aim{Branch: p.run.NextBranch(), From: p.run.Current().ID}
	return p.run.Apply(op)
}

// takeWaiting takes the steps that the run had not come to when the program ended. The
// steps that they follow are taken first.
func (p *replay) takeWaiting() error {
	aims := map[*pipeline.Step]pipeline.Op{}
	for _, op := range p.waiting {
		aims[op.Step] = op
	}
	for _, op := range p.waiting {
		var chain []pipeline.Op
		for at := op.Step; at != nil && p.run.Step(at.ID()) == nil; at = at.Parent {
			chain = append(chain, aims[at])
		}
		for _, next := range slices.Backward(chain) {
			if err := p.take(next); err != nil {
				return err
			}
		}
	}
	return nil
}

// restore makes the step of a line, without its numbers.
func (s *store) restore(l line, restorer *pipeline.Restorer) error {
	rec := *l.Record
	if s.steps[rec.ID] != nil {
		return fmt.Errorf("there are two steps %d", rec.ID)
	}
	var parent *pipeline.Step
	if rec.Parent != -1 {
		above := s.steps[rec.Parent]
		if above == nil {
			return fmt.Errorf("step %d follows step %d, which is not above", rec.ID, rec.Parent)
		}
		parent = above.step
	}
	k := &stored{call: rec.Call, draws: l.Draws, refs: l.Tensors}
	step, err := restorer.Step(rec, parent, s.loader(k))
	if err != nil {
		return err
	}
	k.step, k.shape = step, step.Shape()
	if err := s.check(k); err != nil {
		return fmt.Errorf("step %d: %w", rec.ID, err)
	}
	s.steps[rec.ID] = k
	return nil
}

// drawsACall bounds how many draws of noise a call can have used up.
const drawsACall = 8

// check reports a step that lacks tensors, or whose tensors cannot be where it says.
func (s *store) check(k *stored) error {
	if most := drawsACall * (k.step.Index() + k.call + 2); k.draws < 0 || k.draws > most {
		return fmt.Errorf("%d draws of noise, want 0 to %d", k.draws, most)
	}
	needed := []string{"x", "x0"}
	if !k.step.Done() {
		needed = append(needed, "cond", "eps")
	}
	if k.step.Served.Guided && !k.step.Done() {
		needed = append(needed, "uncond")
	}
	for _, name := range needed {
		if _, ok := k.refs[name]; !ok {
			return fmt.Errorf("there is no tensor %s", name)
		}
	}
	memory := 0
	for name, r := range k.refs {
		if !tensorName(name) {
			return fmt.Errorf("tensor %q is nothing that a step has", name)
		}
		if strings.HasPrefix(name, memoryName) {
			memory++
		}
		if err := s.checkRef(k, r); err != nil {
			return err
		}
	}
	if memory != k.memory() {
		return errors.New("what the solver remembers is not numbered from 0")
	}
	return k.trial(memory)
}

// trial takes a step with one value in place of each tensor: a solver that cannot go on
// from as many as it is said to remember would fault later, with the real ones.
func (k *stored) trial(memory int) (err error) {
	if k.step.Done() {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s cannot go on from %d remembered tensors at call %d", k.step.Leg.Sampler, memory, k.call)
		}
	}()
	one := []float32{0}
	state := samplers.State{Index: k.call, X: one, Draws: k.draws, Memory: slices.Repeat([][]float32{one}, memory)}
	_, _, _ = k.step.Leg.Plan.Step(state, one, samplers.Options{Noise: silence{}}) // an error is one of the settings', and told then
	return nil
}

// silence is noise of one value.
type silence struct{}

// Draw implements samplers.Noise.
func (silence) Draw(int) []float32 { return []float32{0} }

// checkRef reports a tensor that is not written where r says, or not in k's shape.
func (s *store) checkRef(k *stored, r ref) error {
	owner := k
	if r.step != k.step.ID() {
		owner = s.steps[r.step]
	}
	switch {
	case owner == nil:
		return fmt.Errorf("tensor %v is of a step that is not above", r)
	case owner.refs[r.name] != r:
		return fmt.Errorf("tensor %v is not written there", r)
	case !owner.shape.Eq(k.shape):
		return fmt.Errorf("tensor %v has shape %v, want %v", r, owner.shape, k.shape)
	}
	return nil
}
