package explorer

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
	"ldx/samplers"
)

// newSeed makes the run again from other noise.
func (m *Model) newSeed() tea.Cmd {
	s := m.form.Settings()
	s.Seed = pipeline.RandomSeed()
	return m.edit(s)
}

func (m *Model) nextSeed(by int) tea.Cmd {
	s := m.form.Settings()
	s.Seed += uint64(by) // around at both ends
	if err := m.work.model.Check(s); err != nil {
		m.complain(err)
		return nil
	}
	return m.edit(s)
}

func (m *Model) lockSeed() {
	m.loose = !m.loose
	if m.loose {
		m.say("the seed is loose: R runs with a new one each time")
		return
	}
	m.say(fmt.Sprintf("the seed is locked: R starts from the noise of %d", m.form.Settings().Seed))
}

// reseed draws other noise from the cursor on; the start noise stays.
func (m *Model) reseed() tea.Cmd {
	s, at := m.form.Settings(), m.work.run.At()
	if at == nil {
		return nil
	}
	sampler, err := samplers.ByName(s.Sampler)
	if err != nil {
		m.complain(err)
		return nil
	}
	if !at.Leg.Plan.Sampler().Stochastic && s.Eta == 0 {
		text := s.Sampler + " draws no noise after the start: a stochastic sampler does"
		if sampler.Eta {
			text = s.Sampler + " at eta 0 draws no noise after the start: raise eta first"
		}
		m.complain(fmt.Errorf("%s", text))
		return nil
	}
	s.LaterSeed = max(pipeline.RandomSeed(), 1) // 0 is none
	return m.edit(s)
}
