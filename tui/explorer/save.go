package explorer

import (
	"context"
	"errors"
	"image"

	tea "charm.land/bubbletea/v2"

	"ldx/pipeline"
)

// copyCommand puts the command for the settings at the cursor on the clipboard, and
// says where it would make another picture than the one on the screen.
func (m *Model) copyCommand() tea.Cmd {
	at := m.work.run.At()
	if at == nil {
		m.complain(errors.New("there is no picture yet"))
		return nil
	}
	command, but := m.deps.Command(m.work.model, at.Path())
	text := "copied the ldx run command"
	if but != "" {
		text += "; " + but
	}
	m.say(text)
	return tea.SetClipboard(command)
}

// save writes the picture at the cursor, decoding it first where that is needed.
func (m *Model) save() tea.Cmd {
	at := m.work.run.At()
	if at == nil {
		m.complain(errors.New("there is no picture yet"))
		return nil
	}
	img, model, ctx := m.album.decoded[at].img, m.work.model, m.ctx
	m.say("saving…")
	return func() tea.Msg {
		path, err := m.saveNow(ctx, model, at, img)
		if err != nil {
			return noticeMsg{text: err.Error(), bad: true}
		}
		return noticeMsg{text: "saved " + path}
	}
}

func (m *Model) saveNow(ctx context.Context, model *pipeline.Model, at *pipeline.Step, img *image.RGBA) (path string, err error) {
	err = guard(func() error {
		if img == nil {
			if img, err = model.Picture(ctx, at); err != nil {
				return err
			}
		}
		path, err = m.deps.Save(model, at, img)
		return err
	})
	return path, err
}
