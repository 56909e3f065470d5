package explorer

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"gorgonia.org/tensor"

	"ldx/pipeline"
	"ldx/samplers"
)

// sweep is nine values of a setting at one step, side by side. Guidance shows what x0
// becomes, eta what the latent becomes with the next step.
type sweep struct {
	eta    bool
	at     *pipeline.Step
	values []float64
	steps  []*pipeline.Step // nil until they are made
	images []*image.RGBA
	chosen int
	busy   bool
}

// Sizes of a sweep.
const (
	sweepSide   = 3
	sweepValues = sweepSide * sweepSide
)

// sweepGuidance are values as people use them.
var sweepGuidance = [sweepValues]float64{1, 1.5, 2, 3, 4, 5.5, 7.5, 10, 14}

// newSweep takes in the value that is there in place of the nearest.
func newSweep(at *pipeline.Step, eta bool) *sweep {
	s := &sweep{eta: eta, at: at, values: slices.Clone(sweepGuidance[:]), images: make([]*image.RGBA, sweepValues)}
	now := at.Settings.Guidance
	if eta {
		now = at.Settings.Eta
		for i := range s.values {
			s.values[i] = float64(i) / (sweepValues - 1)
		}
	}
	for i, v := range s.values {
		if math.Abs(v-now) < math.Abs(s.values[s.chosen]-now) {
			s.chosen = i
		}
	}
	s.values[s.chosen] = now
	return s
}

func (s *sweep) settings(i int) pipeline.Settings {
	to := s.at.Settings
	if s.eta {
		to.Eta = s.values[i]
	} else {
		to.Guidance = s.values[i]
	}
	return to
}

func (s *sweep) name() string {
	if s.eta {
		return "eta"
	}
	return "guidance"
}

// toggleSweep shows values of guidance, then of eta where the sampler has it, then none.
func (m *Model) toggleSweep() tea.Cmd {
	at := m.work.run.At()
	switch {
	case m.sweep != nil && !m.sweep.eta && hasEta(at):
		m.sweep = newSweep(at, true)
	case m.sweep != nil:
		m.closeSweep()
		return m.idle()
	case at == nil || at.Done():
		m.complain(errors.New("a sweep needs a step that the run goes on from: ← goes back"))
		return nil
	case m.work.job != nil:
		m.complain(errors.New("a sweep waits until the run has stopped: esc stops it"))
		return nil
	case at.Settings.Guiding.Schedule != "" && !hasEta(at):
		m.complain(errors.New("guidance follows a schedule here: there is no scale to sweep"))
		return nil
	default:
		m.sweep = newSweep(at, at.Settings.Guiding.Schedule != "")
	}
	return m.startSweep()
}

func hasEta(s *pipeline.Step) bool {
	sampler, err := samplers.ByName(s.Settings.Sampler)
	return err == nil && sampler.Eta
}

func (m *Model) closeSweep() {
	m.sweep = nil
	m.refresh()
}

// sweptMsg brings the steps of a sweep, or one of its pictures.
type sweptMsg struct {
	sweep *sweep
	steps []*pipeline.Step
	rough []*image.RGBA
	i     int
	img   *image.RGBA
	err   error
}

// startSweep makes the steps: from the outputs that are kept, or with one call where
// the unconditional one is missing.
func (m *Model) startSweep() tea.Cmd {
	s, model, ctx := m.sweep, m.work.model, m.ctx
	s.busy = true
	m.album.stop()
	m.work.ahead.stop()
	m.refresh()
	return func() tea.Msg {
		msg := sweptMsg{sweep: s}
		msg.err = guard(func() error {
			from := s.at
			for i := len(s.values) - 1; i >= 0; i-- { // the largest first: the others are served by it
				step, err := model.Edit(ctx, from, s.settings(i))
				if err != nil {
					return err
				}
				if step.Timing.Calls > 0 {
					from = step
				}
				msg.steps = append(msg.steps, step)
			}
			slices.Reverse(msg.steps)
			for _, step := range msg.steps {
				x, err := s.shown(step)
				if err != nil {
					return err
				}
				msg.rough = append(msg.rough, model.Preview(x))
			}
			return nil
		})
		return msg
	}
}

// shown is the latent of a step that the sweep is about.
func (s *sweep) shown(step *pipeline.Step) (*tensor.Dense, error) {
	if s.eta {
		return step.Coming()
	}
	return step.Original()
}

// decode decodes the next picture of a sweep, the chosen one first.
func (s *sweep) decode(ctx context.Context, m *pipeline.Model, a *album) tea.Cmd {
	if s.steps == nil || s.busy || a.broken || a.decoding != nil {
		return nil
	}
	size := m.Info().Latent
	for d := range s.steps {
		i := (s.chosen + d) % len(s.steps)
		if s.images[i].Rect.Dx() > s.steps[i].Shape()[3] || size.Factor == 1 {
			continue
		}
		s.busy = true
		step := s.steps[i]
		return func() tea.Msg {
			msg := sweptMsg{sweep: s, i: i}
			msg.err = guard(func() error {
				x, err := s.shown(step)
				if err == nil {
					msg.img, err = m.Decode(ctx, x)
				}
				return err
			})
			return msg
		}
	}
	return nil
}

func (m *Model) swept(msg sweptMsg) tea.Cmd {
	if msg.sweep != m.sweep {
		return nil
	}
	s := m.sweep
	s.busy = false
	switch {
	case msg.err != nil:
		m.closeSweep()
		return m.failed(msg.err)
	case msg.steps != nil:
		s.steps = msg.steps
		copy(s.images, msg.rough)
	default:
		s.images[msg.i] = msg.img
	}
	m.refresh()
	return m.idle()
}

// sweepKey handles the keys of a sweep: choosing a value, taking it, leaving.
func (m *Model) sweepKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k, s := m.deps.Keys, m.sweep
	by := 0
	switch {
	case key.Matches(msg, k.Run.Cancel):
		m.closeSweep()
		return m.idle(), true
	case key.Matches(msg, k.Popup.Choose):
		return m.takeSwept(s.chosen), true
	case key.Matches(msg, k.Run.Back):
		by = -1
	case key.Matches(msg, k.Run.Forward):
		by = 1
	case key.Matches(msg, k.Edit.Up):
		by = -sweepSide
	case key.Matches(msg, k.Edit.Down):
		by = sweepSide
	default:
		if n, err := strconv.Atoi(msg.String()); err == nil && n >= 1 && n <= sweepValues {
			return m.takeSwept(n - 1), true
		}
		return nil, false
	}
	s.chosen = min(max(s.chosen+by, 0), sweepValues-1)
	m.refresh()
	return nil, true
}

// takeSwept goes on with one of the values.
func (m *Model) takeSwept(i int) tea.Cmd {
	to := m.sweep.settings(i)
	m.closeSweep()
	if to == m.work.run.At().Settings {
		return m.idle()
	}
	return m.edit(to)
}

// title names the values, the chosen one in brackets.
func (s *sweep) title(w int) string {
	parts := make([]string, len(s.values))
	for i, v := range s.values {
		parts[i] = strconv.FormatFloat(v, 'g', 4, 64)
		if i == s.chosen {
			parts[i] = "[" + parts[i] + "]"
		}
	}
	text := s.name() + " " + strings.Join(parts, " ")
	if len(text) > w {
		text = fmt.Sprintf("%s %s, %d of %d", s.name(), parts[s.chosen], s.chosen+1, len(parts))
	}
	return text
}

// picture lays the pictures out, the chosen one in a frame.
func (s *sweep) picture() *image.RGBA {
	if s.steps == nil {
		return nil
	}
	largest := slices.MaxFunc(s.images, func(a, b *image.RGBA) int { return a.Rect.Dx() - b.Rect.Dx() }).Rect
	tiles := make([]*image.RGBA, len(s.images))
	for i, img := range s.images {
		tiles[i] = enlarged(img, largest.Dx(), largest.Dy())
	}
	out := mosaic(tiles)
	frame(out, s.chosen, largest.Dx()+1, largest.Dy()+1)
	return out
}
