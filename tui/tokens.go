package tui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"ldx/pipeline"
	"ldx/tui/ask"
	"ldx/tui/box"
	"ldx/tui/theme"
)

// tokensMsg brings a prompt as the model reads it.
type tokensMsg struct {
	title string
	view  pipeline.TokenView
	err   error
}

// tokens reads a prompt with the model's tokenizer.
func (r *root) tokens(q ask.Tokens) tea.Cmd {
	model, title := r.explorer.Loaded(), cmp.Or(q.Title, "prompt")
	if model == nil {
		return nil
	}
	return func() tea.Msg {
		msg := tokensMsg{title: "tokens of the " + title}
		if q.Steps > 0 {
			msg.view, msg.err = model.TokensAt(q.Text, q.Syntax, q.Step, q.Steps)
		} else {
			msg.view, msg.err = model.Tokens(q.Text, q.Syntax)
		}
		return msg
	}
}

// tokenSheet lists tokens.
func tokenSheet(msg tokensMsg) *sheet {
	return &sheet{title: msg.title, text: func(w, _ int, t theme.Theme) []string {
		switch {
		case msg.err != nil:
			return strings.Split(t.Bad.Render(ansi.Wordwrap(" ✗ "+msg.err.Error(), w, "")), "\n")
		case msg.view.Room == 0:
			return []string{" " + t.Muted.Render("this model's text encoder has no tokens")}
		}
		return tokenLines(msg.view, w, t)
	}}
}

// Widths of the columns of the list of tokens.
const (
	placeWidth = 5
	idWidth    = 7
	pieceMax   = 30
	sideWidth  = placeWidth + idWidth + 2 + 2 + 30
)

func tokenLines(v pipeline.TokenView, w int, t theme.Theme) []string {
	chunks, cut := "chunk", 0
	if v.Chunks != 1 {
		chunks = "chunks"
	}
	for _, token := range v.Tokens {
		if token.Cut {
			cut++
		}
	}
	summary := " " + t.Text.Render(v.String()) + t.Muted.Render(fmt.Sprintf(" places, %d %s", v.Chunks, chunks))
	if cut > 0 {
		summary += t.Warn.Render(fmt.Sprintf(", %d cut off: the model does not see them", cut))
	}
	piece := min(pieceMax, max(w-sideWidth, 8))
	head := fmt.Sprintf(" %*s%*s  %s  %s", placeWidth-1, "", idWidth, "id", pad("token", piece), "weight")
	if v.Chunks > 1 {
		head += "  chunk"
	}
	lines := []string{summary, "", t.Muted.Render(head)}
	for i, token := range v.Tokens {
		lines = append(lines, tokenLine(i, token, v.Chunks > 1, piece, t))
	}
	return lines
}

func tokenLine(i int, token pipeline.PromptToken, chunk bool, piece int, t theme.Theme) string {
	text := pad(strconv.Quote(token.Text), piece) // quoted, so that blanks are seen and nothing obeyed
	front := fmt.Sprintf(" %*d%*d  ", placeWidth-1, i+1, idWidth, token.ID)
	back := fmt.Sprintf("  %6.3g", token.Weight)
	if chunk {
		back += fmt.Sprintf("  %5d", token.Chunk+1)
	}
	if token.Cut {
		return t.Faint.Render(front+text+back) + t.Warn.Render("  cut off")
	}
	return t.Muted.Render(front) + t.Text.Render(text) + t.Muted.Render(back)
}

// pad makes text w columns wide.
func pad(text string, w int) string {
	return box.Fit(text, w, 1)
}
