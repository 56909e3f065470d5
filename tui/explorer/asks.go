package explorer

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
	"ldx/pipeline/named"
	"ldx/tui/ask"
)

// then is what a question's answer leads to.
func answer(act func(*Model) tea.Cmd) tea.Msg { return actMsg{act} }

func (m *Model) askStep() tea.Cmd {
	number := func(text string) (int, error) {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return 0, fmt.Errorf("step is %q, want a whole number", text)
		}
		return m.indexOf(n)
	}
	return ask.Cmd(ask.Line{
		Title: "run to step",
		Check: func(text string) error { _, err := number(text); return err },
		Then: func(text string) tea.Msg {
			return answer(func(m *Model) tea.Cmd {
				k, err := number(text)
				if err != nil {
					return m.failed(err)
				}
				return m.runTo(k)
			})
		},
	})
}

func (m *Model) askBreak() tea.Cmd {
	title := "breakpoint when (step 8, sigma 1.5, t 400, push > 0.3, change < 1%, spread > 1, peak > 4)"
	return ask.Cmd(ask.Line{
		Title: title,
		Check: func(text string) error { _, err := pipeline.ParseBreakpoint(text); return err },
		Then: func(text string) tea.Msg {
			return answer(func(m *Model) tea.Cmd { m.toggleBreak(text); return nil })
		},
	})
}

func (m *Model) askName() tea.Cmd {
	b := m.work.run.Current()
	if b.ID < 0 {
		return nil
	}
	return ask.Cmd(ask.Line{
		Title: "name of branch " + b.Name, Value: b.Name,
		Then: func(text string) tea.Msg {
			return answer(func(m *Model) tea.Cmd {
				return m.do(pipeline.Op{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: b.ID}, Name: text})
			})
		},
	})
}

func (m *Model) askHistory() tea.Cmd {
	return ask.Cmd(ask.Prompts{Then: func(prompt string) tea.Msg {
		return answer(func(m *Model) tea.Cmd {
			s := m.form.Settings()
			if s.Prompt == prompt {
				return nil
			}
			s.Prompt = prompt
			return m.edit(s)
		})
	}})
}

func (m *Model) askTokens() tea.Cmd {
	s, q := m.form.Settings(), ask.Tokens{}
	q.Text, q.Syntax = s.Prompt, s.Syntax
	if at := m.work.run.At(); at != nil && !at.Done() {
		q.Step, q.Steps = at.Number()+1, at.Steps()
	}
	return ask.Cmd(q)
}

// askExtra asks for one of the settings that have no field, and then for its value.
func (m *Model) askExtra() tea.Cmd {
	extras, now := named.Extras(), m.form.Settings()
	items := make([]ask.Item, len(extras))
	for i, x := range extras {
		items[i] = ask.Item{Name: x.Name, Detail: x.Get(now)}
	}
	return ask.Cmd(ask.Choice{
		Title: "more settings", Items: items,
		Then: func(i int) tea.Msg { return answer(func(m *Model) tea.Cmd { return m.askValue(extras[i]) }) },
	})
}

func (m *Model) askValue(x named.Setting) tea.Cmd {
	with := func(m *Model, text string) (pipeline.Settings, error) {
		s := m.form.Settings()
		if err := x.Set(&s, strings.TrimSpace(text)); err != nil {
			return s, err
		}
		return s, m.work.model.Check(s)
	}
	return ask.Cmd(ask.Line{
		Title: x.Name + ": " + x.Help, Value: x.Get(m.form.Settings()),
		Check: func(text string) error { _, err := with(m, text); return err },
		Note: func(text string) string {
			s, _ := with(m, text)
			at := m.work.run.At()
			if at == nil || s == m.form.Settings() {
				return ""
			}
			return "costs, in calls: " + m.cost(at, s)
		},
		Then: func(text string) tea.Msg {
			return answer(func(m *Model) tea.Cmd {
				s, err := with(m, text)
				if err != nil || s == m.form.Settings() {
					return m.failed(err)
				}
				return m.edit(s)
			})
		},
	})
}

// Export is something that can be written of a run.
type Export int

// What can be written.
const (
	GIF   Export = iota // the path to the cursor, every step
	APNG                // likewise
	Sheet               // a contact sheet of the tree
	Trace               // the numbers of the path to the cursor
)

func (m *Model) askExport() tea.Cmd {
	if m.work.run.At() == nil {
		return nil
	}
	return ask.Cmd(ask.Choice{
		Title: "write a file",
		Items: []ask.Item{
			GIF:   {Name: "animation, GIF", Detail: "the way to this step; 256 colours"},
			APNG:  {Name: "animation, APNG", Detail: "the way to this step; exact"},
			Sheet: {Name: "contact sheet, PNG", Detail: "all branches, a row each"},
			Trace: {Name: "trace, safetensors", Detail: "every latent and prediction to this step"},
		},
		Then: func(i int) tea.Msg { return answer(func(m *Model) tea.Cmd { return m.export(Export(i)) }) },
	})
}

func (m *Model) export(what Export) tea.Cmd {
	model, run, ctx := m.work.model, m.work.run.Snapshot(), m.ctx
	m.say("writing…")
	return func() tea.Msg {
		var path string
		err := guard(func() (err error) { path, err = m.deps.Export(ctx, what, model, run); return err })
		if err != nil {
			return noticeMsg{text: err.Error(), bad: true}
		}
		return noticeMsg{text: "wrote " + path}
	}
}
