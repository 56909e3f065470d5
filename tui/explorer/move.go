package explorer

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// goTo moves the cursor along kept steps and decodes what is there.
func (m *Model) goTo(k int) tea.Cmd {
	run := m.work.run
	k = min(max(k, 0), len(run.Path())-1)
	if k < 0 || k == run.Cursor() {
		return nil
	}
	return m.do(pipeline.Op{Do: pipeline.Move, Aim: pipeline.Aim{Branch: run.Current().ID}, To: k})
}

// step goes one step on, all its calls: along what is kept, else by the model. While
// the model is at work, one more is remembered.
func (m *Model) step() tea.Cmd {
	tip := m.work.run.Tip()
	switch {
	case m.work.job != nil:
		m.work.then = oneStep
		return nil
	case tip == nil:
		return m.begin(m.form.Settings(), false)
	case !m.work.run.AtTip():
		return m.goTo(m.work.run.At().NextStep())
	case tip.Done():
		return m.ended()
	}
	return m.advance(tip.NextStep())
}

func (m *Model) ended() tea.Cmd {
	m.say("the run has ended: change a setting to run again, R starts from noise")
	return nil
}

// runOrPause goes on to the end from the tip, or stops a run. While a single step is
// under way the run follows it.
func (m *Model) runOrPause() tea.Cmd {
	if m.running() {
		return m.cancel()
	}
	if m.work.job != nil {
		m.work.then = toTheEnd
		return nil
	}
	tip := m.work.run.Tip()
	if tip == nil {
		return m.begin(m.form.Settings(), true)
	}
	if tip.Done() && m.work.run.AtTip() {
		return m.ended()
	}
	if tip.Done() {
		return m.goTo(tip.Index())
	}
	return tea.Batch(m.goTo(len(m.work.run.Path())-1), m.advance(tip.End()))
}

// restart goes to pure noise under the settings at the cursor: there, where the branch
// began under them, else on a branch of its own.
func (m *Model) restart() tea.Cmd {
	s := m.form.Settings()
	if m.loose {
		s.Seed = pipeline.RandomSeed()
		return m.begin(s, true)
	}
	if path := m.work.run.Path(); len(path) > 0 && path[0].Settings == s {
		if m.work.job == nil {
			return m.goTo(0)
		}
	}
	return m.begin(s, false)
}

// cancel stops the step under way; all kept ones stay.
func (m *Model) cancel() tea.Cmd {
	if m.work.job == nil {
		return nil
	}
	m.work.job.cancel() // what it has done is told with its end
	m.work.then = rest
	m.say("stopped: r goes on, space steps")
	return nil
}

// runTo goes to index k, computing as far as it must.
func (m *Model) runTo(k int) tea.Cmd {
	tip := m.work.run.Tip()
	if tip == nil || k <= tip.Index() {
		return m.goTo(k)
	}
	return tea.Batch(m.goTo(tip.Index()), m.advance(k))
}

// indexOf is the place on the branch, as far as it is or will be, where n steps are
// complete.
func (m *Model) indexOf(n int) (int, error) {
	tip := m.work.run.Tip()
	if tip == nil {
		return 0, errors.New("there are no steps yet")
	}
	path := m.work.run.Path()
	if first := path[0].Number(); n < first || n > tip.Steps() {
		return 0, fmt.Errorf("step is %d, want %d to %d", n, first, tip.Steps())
	}
	for _, s := range path {
		if s.Number() == n && s.Whole() {
			return s.Index(), nil
		}
	}
	plan := tip.Leg.Plan
	for call := tip.Call(); call < plan.Calls(); call++ {
		if tip.Leg.Before+plan.StepOf(call) == n {
			return tip.Index() + call - tip.Call(), nil
		}
	}
	return tip.End(), nil
}
