package explorer

import (
	"fmt"
	"image"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
	"ldx/tui/box"
	"ldx/tui/termimg"
	"ldx/tui/timeline"
)

// refresh hands the pictures of the step at the cursor to the terminal.
func (m *Model) refresh() {
	at := m.work.run.At()
	if at == nil {
		for _, s := range m.screens.all() {
			s.Submit(nil)
		}
		return
	}
	v := m.album.views[at]
	if marked := m.marked(); marked != nil {
		m.screens.latent.SetSampling(termimg.Smooth)
		submit(m.screens.latent, m.picture(marked))
		submit(m.screens.channels, difference(v.original, m.album.views[marked].original))
	} else {
		m.screens.latent.SetSampling(termimg.Nearest)
		submit(m.screens.latent, v.latent)
		submit(m.screens.channels, v.channels)
	}
	sampling, img := termimg.Nearest, v.latent
	switch {
	case m.sweep != nil:
		sampling, img = termimg.Smooth, m.sweep.picture()
	case m.show == showComing:
		img = v.coming
	case m.show == showChannels:
		img = v.channels
	case m.show == showOriginal:
		sampling, img = termimg.Smooth, m.picture(m.large(at))
	}
	m.screens.main.SetSampling(sampling)
	submit(m.screens.main, img)
	if m.layout.extra.strip > 0 {
		submit(m.screens.strip, m.strip(m.thumbs()))
	}
}

// marked is the step that is compared with, nil for none.
func (m *Model) marked() *pipeline.Step {
	if !m.compare {
		return nil
	}
	return m.work.run.Marked()
}

// large is the step whose picture is shown large: where there is no room beside, the
// marked one while comparing.
func (m *Model) large(at *pipeline.Step) *pipeline.Step {
	if marked := m.marked(); marked != nil && !m.layout.beside() {
		return marked
	}
	return at
}

// thumbs is how many thumbnails there is room for.
func (m *Model) thumbs() int {
	r := m.layout.strip()
	return min(max(r.W/max(2*r.H, 1), 1), m.work.run.Tip().End()+1)
}

// picture is the best there is of a step's x0: decoded, else by the matrix.
func (m *Model) picture(s *pipeline.Step) *image.RGBA {
	if p := m.album.decoded[s]; p.img != nil {
		return p.img
	}
	return m.album.views[s].original
}

// submit keeps a nil picture a nil image.Image.
func submit(s *termimg.Surface, img *image.RGBA) {
	if img == nil {
		s.Submit(nil)
		return
	}
	s.Submit(img)
}

// HidePictures takes the pictures off the screen, for what is drawn instead.
func (m *Model) HidePictures() {
	for _, s := range m.screens.all() {
		s.Hide()
	}
}

// View draws the screen without its header and help line, h-2 rows. loading is
// drawn in place of the picture while there is no model.
func (m *Model) View(loading string) string {
	l := m.layout
	pictures := m.pane(m.screens.main, l.main, m.mainTitle())
	if m.work.model == nil {
		m.HidePictures()
		pictures = box.Draw(m.theme.Muted.Render("x0"), loading, l.main.W, l.main.H, m.theme.Border)
	}
	if l.beside() {
		latent, channels := "x_t", "channels"
		if s := m.marked(); s != nil {
			latent, channels = fmt.Sprintf("◆ marked, step %d", s.Number()), "difference ×4"
		}
		side := m.pane(m.screens.latent, l.latent, m.theme.Muted.Render(latent)) + "\n" +
			m.pane(m.screens.channels, l.channels, m.theme.Muted.Render(channels))
		pictures = box.Beside(pictures, side)
	} else {
		m.screens.latent.Hide()
		m.screens.channels.Hide()
	}
	return box.Beside(pictures+"\n"+m.stepsPane(), m.settingsPane())
}

// pane frames a surface and tells it where it is.
func (m *Model) pane(s *termimg.Surface, r box.Rect, title string) string {
	inner := r.Inner()
	s.Place(inner.X, inner.Y)
	return box.Around(title, s.View(inner.W, inner.H), r.W, r.H, m.theme.Border)
}

// tabsFrom is how wide the large picture's pane must be to name all that it can show.
const tabsFrom = 48

// mainTitle names what the large picture shows, as tabs.
func (m *Model) mainTitle() string {
	if m.sweep != nil {
		return m.theme.Accent.Render(m.sweep.title(m.layout.main.W - 6))
	}
	names := []string{showOriginal: "x0", showLatent: "x_t", showComing: "x_t−1", showChannels: "channels"}
	for i, n := range names {
		if shows(i) == m.show {
			names[i] = m.theme.Accent.Render("[" + n + "]")
		} else {
			names[i] = m.theme.Faint.Render(n)
		}
	}
	title := strings.Join(names, " ")
	if m.layout.main.W < tabsFrom {
		title = names[m.show]
	}
	at := m.work.run.At()
	if at == nil {
		return title
	}
	if s := m.large(at); s != at {
		return title + m.theme.Accent.Render(fmt.Sprintf(" ◆ marked, step %d", s.Number()))
	}
	how := "latent→RGB"
	if m.album.decoded[at].img != nil {
		how = "decoded"
	}
	if m.show != showOriginal {
		how = "latent"
	}
	return title + m.theme.Muted.Render(fmt.Sprintf(" step %d, %s", at.Number(), how))
}

// stepsPane shows where the run stands: thumbnails, the timeline, the tree, the place
// on the schedule and what is going on.
func (m *Model) stepsPane() string {
	r, run := m.layout.steps, m.work.run
	tip := run.Tip()
	if tip == nil {
		m.screens.strip.Hide()
		return m.frame("steps", m.status(), r)
	}
	state := timeline.State{
		Total: tip.End(), Kept: len(run.Path()) - 1, Cursor: run.Cursor(), Busy: m.work.job != nil,
		AlphaBar: func(k int) float32 { return m.alphaBar(k) },
	}
	text := timeline.View(state, m.layout.bar().W, m.theme) + "\n"
	if h := m.layout.tree; h > 0 {
		text += box.Fit(m.treeView(), m.layout.branches().W, h) + "\n"
	}
	text += m.position(run.At()) + "\n" + m.status()
	if strip := m.layout.strip(); strip.H > 0 {
		m.screens.strip.Place(strip.X, strip.Y)
		text = m.screens.strip.View(strip.W, strip.H) + "\n" + text
	} else {
		m.screens.strip.Hide()
	}
	return m.frame(m.stepsTitle(), text, r)
}

// alphaBar is the share of signal at index k of the branch, as far as its last leg
// tells.
func (m *Model) alphaBar(k int) float32 {
	if path := m.work.run.Path(); k < len(path) {
		return path[k].AlphaBar()
	}
	tip := m.work.run.Tip()
	return tip.Leg.Plan.AlphaBar(min(tip.Call()+k-tip.Index(), tip.Leg.Plan.Calls()-1))
}

// stepsTitle says on which branch the cursor is, and what is kept.
func (m *Model) stepsTitle() string {
	b, all := m.work.run.Current(), m.work.run.Branches()
	parts := []string{"steps"}
	if len(all) > 1 {
		text := "branch " + b.Name
		if from, ok := m.work.run.Branch(b.From); ok {
			text += fmt.Sprintf(" of %s@%d", from.Name, m.numberAt(b))
		}
		parts = append(parts, text, fmt.Sprintf("%d branches", len(all)))
	}
	if len(m.breaks) > 0 {
		parts = append(parts, fmt.Sprintf("%d breakpoints", len(m.breaks)))
	}
	if memory, _, spilled := m.work.recorder.Usage(); spilled > 0 {
		parts = append(parts, fmt.Sprintf("%d MiB kept, %d steps on disk", memory>>20, spilled))
	}
	return fitted(parts, m.layout.steps.W-6)
}

// numberAt is the number of the step at which a branch left another.
func (m *Model) numberAt(b pipeline.Branch) int {
	at := b.At
	if b.Forked {
		at--
	}
	for s := b.Tip; s != nil; s = s.Parent {
		if s.Index() <= at {
			return s.Number()
		}
	}
	return 0
}

// frame draws text in a frame, a column away from its sides.
func (m *Model) frame(title, text string, r box.Rect) string {
	inner := r.Padded()
	body := " " + strings.ReplaceAll(box.Fit(text, inner.W, inner.H), "\n", " \n ")
	return box.Draw(m.theme.Muted.Render(title), body, r.W, r.H, m.theme.Border)
}

// position says where the cursor is on the schedule.
func (m *Model) position(at *pipeline.Step) string {
	k := at.Index()
	parts := []string{fmt.Sprintf("step %d of %d", at.Number(), at.Steps())}
	if at.Done() {
		parts = append(parts, "the end")
	} else {
		parts = append(parts, fmt.Sprintf("t %.4g", at.Timestep()), fmt.Sprintf("ᾱ %.3f", at.AlphaBar()), fmt.Sprintf("σ %.2f", at.Sigma()))
	}
	if at.End() > at.Steps() {
		parts = append(parts, fmt.Sprintf("call %d of %d", k, at.End()))
	}
	text := fitted(parts, m.layout.steps.Padded().W)
	return m.theme.Text.Render(parts[0]) + m.theme.Muted.Render(strings.TrimPrefix(text, parts[0]))
}

// fitted joins as many parts as fit in w columns, as far apart as they can be.
func fitted(parts []string, w int) string {
	for n := len(parts); n > 1; n-- {
		for gap := 3; gap > 0; gap-- {
			if text := strings.Join(parts[:n], strings.Repeat(" ", gap)); ansi.StringWidth(text) <= w {
				return text
			}
		}
	}
	return parts[0]
}

// status is what is going on, or the notice.
func (m *Model) status() string {
	switch {
	case m.notice.text != "" && m.notice.bad:
		return m.theme.Bad.Render("✗ " + m.notice.text)
	case m.notice.text != "":
		return m.theme.Text.Render(m.notice.text)
	case m.sweep != nil:
		return m.theme.Accent.Render("↑↓←→ choose") + m.theme.Muted.Render("   enter or 1 to 9 takes a value   w next   esc leaves")
	case m.work.job != nil:
		next := 0
		if leaf := m.work.run.Tip(); leaf != nil && !leaf.Done() {
			next = leaf.Number() + 1
		}
		text := fmt.Sprintf("● step %d is being computed", next)
		if m.running() {
			text = fmt.Sprintf("● running, step %d", next)
		}
		return m.theme.Accent.Render(text) + m.theme.Muted.Render("   esc stops")
	case m.album.decoding != nil:
		return m.theme.Faint.Render("○ decoding pictures")
	}
	if at := m.work.run.At(); at != nil && at.Done() {
		return m.theme.Muted.Render("✓ done")
	}
	return m.theme.Muted.Render("○ paused")
}
