package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/tui/box"
	"ldx/tui/explorer"
)

// View draws the whole screen.
func (r *root) View() tea.View {
	v := tea.NewView(r.content())
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = "ldx"
	return v
}

func (r *root) content() string {
	if r.w < 1 || r.h < 1 {
		return ""
	}
	if r.w < explorer.MinWidth || r.h < explorer.MinHeight {
		r.explorer.HidePictures()
		text := fmt.Sprintf("%dx%d is too small\nldx needs %dx%d\n%s quits", r.w, r.h, explorer.MinWidth, explorer.MinHeight, r.keys.Show.Quit.Help().Key)
		return box.Fit(text, r.w, r.h)
	}
	var body string
	if r.popup != nil {
		r.explorer.HidePictures()
		body = box.Fit(r.popup.view(r.w, r.h-2, r.theme), r.w, r.h-2)
	} else {
		body = r.explorer.View(r.waiting())
	}
	return r.header() + "\n" + body + "\n" + r.helpLine()
}

// waiting is what stands in place of a picture while there is no model.
func (r *root) waiting() string {
	models, quit := r.keys.Show.Models.Help().Key, r.keys.Show.Quit.Help().Key
	switch {
	case r.loading != nil:
		return r.loading.text(r.theme, r.keys.Run.Cancel.Help().Key)
	case r.failed != nil:
		return "\n  " + r.theme.Bad.Render("✗ "+ansi.Wordwrap(r.failed.Error(), max(r.w/2, 20), "")) + "\n\n  " + r.theme.Faint.Render(models+" picks a model, "+quit+" quits")
	}
	return "\n  " + r.theme.Faint.Render("no model: "+models+" picks one")
}

// header names the model on the left and how pictures are drawn on the right.
func (r *root) header() string {
	left := r.theme.Accent.Render(" ldx")
	if m := r.explorer.Loaded(); m != nil {
		s := r.explorer.Settings()
		left += r.theme.Text.Render("  "+m.Info().Name) + r.theme.Muted.Render(fmt.Sprintf(" · %s · %dx%d", m.Device(), s.Width, s.Height))
	}
	if r.loading != nil && r.explorer.Loaded() != nil {
		left += r.theme.Accent.Render("  ● " + r.loading.last.What)
	}
	report := r.images.Report()
	right := r.theme.Faint.Render(report.Protocol.String() + " ")
	gap := max(r.w-ansi.StringWidth(left)-ansi.StringWidth(right), 1)
	return box.Fit(left+strings.Repeat(" ", gap)+right, r.w, 1)
}

// helpLine lists the keys that matter now, as many as fit whole.
func (r *root) helpLine() string {
	bindings, always := r.keys.Short()
	switch {
	case r.popup != nil:
		bindings, always = r.popup.bindings(r.keys), 0
	case r.explorer.Editing():
		bindings, always = r.keys.Editing(), 0
	}
	return box.Fit(" "+r.join(bindings, always, r.w-2), r.w, 1)
}

// join lists bindings in w columns; where they do not fit, those before the last
// always ones are left out.
func (r *root) join(bindings []key.Binding, always, w int) string {
	items := make([]string, len(bindings))
	for i, b := range bindings {
		items[i] = r.theme.Key.Render(b.Help().Key) + " " + r.theme.Muted.Render(b.Help().Desc)
	}
	separator := r.theme.Faint.Render(" · ")
	for first := len(items) - always; ; first-- {
		line := strings.Join(append(items[:first:first], items[len(items)-always:]...), separator)
		if first == 0 || ansi.StringWidth(line) <= w {
			return line
		}
	}
}
