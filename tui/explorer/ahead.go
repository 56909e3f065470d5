package explorer

import (
	"context"
	"sync"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// ahead keeps steps that were computed before they were asked for, each by the step it
// follows: steps of an edit follow another one, so that a stale one is never taken.
type ahead struct {
	on bool // the person wants it

	mu     sync.Mutex
	steps  map[*pipeline.Step]*pipeline.Step
	cancel context.CancelFunc // of the work under way
	turn   int                // numbers the work
}

// aheadSteps is how many steps are computed before they are asked for.
const aheadSteps = 8

// next is the step after s, from what is kept where it can be.
func (a *ahead) next(ctx context.Context, m *pipeline.Model, s *pipeline.Step) (*pipeline.Step, error) {
	a.mu.Lock()
	step, ok := a.steps[s]
	delete(a.steps, s)
	a.mu.Unlock()
	if ok {
		return step, nil
	}
	return m.Advance(ctx, s)
}

// aheadMsg says that work ahead has ended.
type aheadMsg struct {
	turn int
	err  error
}

// start computes the steps after s, unless work is under way.
func (a *ahead) start(ctx context.Context, m *pipeline.Model, s *pipeline.Step) tea.Cmd {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil || s.Done() || a.steps[s] != nil {
		return nil
	}
	a.steps = map[*pipeline.Step]*pipeline.Step{} // what nobody took is stale
	ctx, cancel := context.WithCancel(ctx)
	a.cancel = cancel
	a.turn++
	turn := a.turn
	return func() tea.Msg {
		return aheadMsg{turn, guard(func() error {
			for range aheadSteps {
				next, err := m.Advance(ctx, s)
				if err != nil || ctx.Err() != nil {
					return err
				}
				a.mu.Lock()
				a.steps[s] = next
				a.mu.Unlock()
				if s = next; s.Done() {
					break
				}
			}
			return nil
		})}
	}
}

// ended takes in that work has ended.
func (a *ahead) ended(msg aheadMsg) {
	a.mu.Lock()
	current := msg.turn == a.turn
	a.mu.Unlock()
	if current {
		a.stop()
	}
}

// stop cancels work ahead; what is done stays.
func (a *ahead) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cancel != nil {
		a.cancel()
		a.cancel = nil
	}
}
