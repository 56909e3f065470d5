package explorer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
	"ldx/pipeline/named"
	"ldx/samplers"
	"ldx/tui/box"
)

// settingsPane shows the settings at the cursor, and what there is to say about its step.
func (m *Model) settingsPane() string {
	r := m.layout.settings
	if m.work.model == nil {
		return m.frame("settings", "", r)
	}
	inner := r.Padded()
	text := m.form.View()
	text += "\n" + m.fixed(inner.H-stepLines-2-strings.Count(text, "\n"))
	title, about := "this step", ""
	if at := m.work.run.At(); at != nil {
		about = m.about(at)
	}
	if p := m.form.Problem(); p != "" {
		title, about = "not applied", m.theme.Bad.Render(ansi.Wordwrap("✗ "+p, inner.W, ""))
	}
	if about != "" {
		rule := box.Rule(m.theme.Muted.Render(title), inner.W, m.theme.Border)
		text = box.Fit(text, inner.W, max(inner.H-stepLines-1, 1)) + "\n" + rule + "\n" + about
	}
	return m.frame("settings", text, r)
}

// fixed are the settings that the pane shows and does not change, in at most so many
// rows: the noise and the size, and what is not as the model has it.
func (m *Model) fixed(rows int) string {
	s := m.form.Settings()
	lines := []string{m.theme.Faint.Render(fmt.Sprintf("  %s noise, %dx%d", s.RNG, s.Width, s.Height))}
	if s.RNG == samplers.Torch && s.Seed > math.MaxUint32 {
		lines[0] = m.theme.Warn.Render(fmt.Sprintf("  ! torch keeps 32 bits: seed %d", uint32(s.Seed)))
	}
	if m.loose {
		lines = append(lines, m.theme.Muted.Render("  seed is loose: R takes a new one"))
	}
	w := m.layout.settings.Padded().W
	defaults := m.work.model.Settings()
	for _, x := range named.Extras() {
		if value := x.Get(s); value != x.Get(defaults) && x.Name != "size" && x.Name != "rng" {
			lines = append(lines, ansi.Truncate("  "+m.theme.Muted.Render(x.Name)+" "+m.theme.Text.Render(value), w, "…"))
		}
	}
	if more := len(lines) - rows; more > 0 && rows > 0 {
		lines = append(lines[:rows-1], m.theme.Muted.Render(fmt.Sprintf("  and %d more settings: o", more+1)))
	}
	return strings.Join(lines, "\n")
}

// about is what there is to know about a step, in stepLines lines.
func (m *Model) about(at *pipeline.Step) string {
	lines := []string{
		m.pair("cond − uncond", figure(at.Figures.Push, "%.3f", "guidance is off")),
		m.pair("x0 change", figure(100*at.Figures.Change, "%.1f %%", "–")),
	}
	if at.Done() {
		lines[0] = m.pair("cond − uncond", "–")
	}
	lines = append(lines, m.pair("time", m.times(at)))
	return strings.Join(append(lines, m.costs(at)...), "\n")
}

func (m *Model) pair(name, value string) string {
	return m.theme.Muted.Render(fmt.Sprintf("%-16s", name)) + m.theme.Text.Render(value)
}

func figure(v float64, format, none string) string {
	if v == 0 {
		return none
	}
	return fmt.Sprintf(format, v)
}

func (m *Model) times(at *pipeline.Step) string {
	t := at.Timing
	var parts []string
	if t.Calls > 0 {
		parts = append(parts, "unet "+ms(t.Denoise))
	}
	if p := m.album.decoded[at]; p.img != nil {
		parts = append(parts, "vae "+ms(p.took))
	}
	if len(parts) == 0 {
		return "no call"
	}
	return strings.Join(parts, ", ") + " ms"
}

func ms(d time.Duration) string {
	return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10)
}

// costs says what a change would cost before it is made: what is being typed, or
// else the two that matter most.
func (m *Model) costs(at *pipeline.Step) []string {
	title := "a change here costs, in calls"
	if at.Done() {
		title = "a change runs it again, in calls"
	}
	lines := []string{m.theme.Muted.Render(title)}
	if m.form.Editing() {
		if draft, ok := m.form.Draft(); ok && draft != at.Settings {
			lines = append(lines, m.pair("  as typed", m.cost(at, draft)))
		}
		return lines
	}
	prompt, guidance, steps := at.Settings, at.Settings, at.Settings
	prompt.Prompt += "…"
	guidance.Guidance++
	steps.Steps++
	return append(lines, m.pair("  prompt", m.cost(at, prompt)), m.pair("  guidance, eta", m.cost(at, guidance)), m.pair("  one step more", m.cost(at, steps)))
}

// cost words the denoiser calls of a change.
func (m *Model) cost(at *pipeline.Step, to pipeline.Settings) string {
	if at.Done() {
		at = m.work.run.Path()[0]
	}
	c := m.work.model.Cost(at, to)
	return fmt.Sprintf("%d now, %d to the end", c.Now, c.ToEnd)
}
