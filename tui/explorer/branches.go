package explorer

import (
	"errors"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

func (m *Model) here() pipeline.Aim { return pipeline.Aim{Branch: m.work.run.Current().ID} }

// fork begins a branch after the step at the cursor.
func (m *Model) fork() tea.Cmd {
	if m.work.run.At() == nil {
		return nil
	}
	cmd := m.do(pipeline.Op{Do: pipeline.Fork, Aim: m.here(), To: m.work.run.Cursor()})
	m.say("branch " + m.work.run.Current().Name + " goes on from here: u undoes it")
	return cmd
}

// branch goes to the next or the previous branch, to the same step of it where it has
// that.
func (m *Model) branch(by int) tea.Cmd {
	all := m.work.run.Branches()
	if len(all) < 2 {
		m.say("there is one branch: an edit at a kept step, or f, begins another")
		return nil
	}
	i := slices.IndexFunc(all, func(b pipeline.Branch) bool { return b.ID == m.work.run.Current().ID })
	to := all[(i+by+len(all))%len(all)]
	return m.toBranch(to.ID, m.work.run.Cursor())
}

func (m *Model) toBranch(id, k int) tea.Cmd {
	m.leaveJob(id)
	return m.do(pipeline.Op{Do: pipeline.Move, Aim: pipeline.Aim{Branch: id}, To: k})
}

// leaveJob stops work on another branch than the one that is gone to. What is done of
// it stays.
func (m *Model) leaveJob(branch int) {
	if j := m.work.job; j != nil && j.aim.Branch != branch {
		m.stopJob()
	}
}

func (m *Model) deleteBranch() tea.Cmd {
	name := m.work.run.Current().Name
	m.stopJob()
	before := len(m.work.run.Branches())
	cmd := m.do(pipeline.Op{Do: pipeline.Delete, Aim: m.here()})
	if len(m.work.run.Branches()) < before {
		m.say("deleted branch " + name + ": u undoes it")
	}
	return cmd
}

// travel undoes the last change of the tree, or does it again.
func (m *Model) travel(back bool) tea.Cmd {
	if back && !m.work.run.CanUndo() || !back && !m.work.run.CanRedo() {
		m.say(map[bool]string{true: "there is nothing to undo", false: "there is nothing to do again"}[back])
		return nil
	}
	m.stopJob()
	verb := pipeline.Redo
	if back {
		verb = pipeline.Undo
	}
	cmd := m.do(pipeline.Op{Do: verb})
	m.say(fmt.Sprintf("%s: at step %d of branch %s", verb, m.work.run.At().Number(), m.work.run.Current().Name))
	return cmd
}

// mark remembers the step at the cursor, or forgets it.
func (m *Model) mark() tea.Cmd {
	at := m.work.run.At()
	if at == nil {
		return nil
	}
	if at == m.work.run.Marked() {
		m.compare = false
		m.say("no step is marked any more")
		return m.do(pipeline.Op{Do: pipeline.Mark, To: -1})
	}
	cmd := m.do(pipeline.Op{Do: pipeline.Mark, To: at.ID()})
	m.say(fmt.Sprintf("marked step %d of branch %s: c compares with it", at.Number(), m.work.run.Current().Name))
	return cmd
}

func (m *Model) toggleCompare() tea.Cmd {
	if m.work.run.Marked() == nil {
		m.complain(errors.New("no step is marked: x marks the one at the cursor"))
		return nil
	}
	m.compare = !m.compare
	m.refresh()
	return m.idle()
}

// breakHere sets a breakpoint at the step at the cursor, or takes it away.
func (m *Model) breakHere() {
	if at := m.work.run.At(); at != nil {
		m.toggleBreak(fmt.Sprintf("step %d", at.Number()))
	}
}

func (m *Model) toggleBreak(text string) {
	b, err := pipeline.ParseBreakpoint(text)
	if err != nil {
		m.complain(err)
		return
	}
	if i := slices.Index(m.breaks, b); i >= 0 {
		m.breaks = slices.Delete(slices.Clone(m.breaks), i, i+1)
		m.say("no breakpoint any more at " + b.String())
		return
	}
	m.breaks = append(slices.Clone(m.breaks), b) // jobs hold the old one
	m.say("breakpoint at " + b.String())
}

func (m *Model) toggleAhead() tea.Cmd {
	a := m.work.ahead
	if a.on = !a.on; !a.on {
		a.stop()
		m.say("steps are computed when they are asked for")
		return nil
	}
	m.say(fmt.Sprintf("up to %d steps are computed ahead while nothing else is to do", aheadSteps))
	return m.idle()
}
