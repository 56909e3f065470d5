package termimg

import (
	"context"
	"fmt"
	"image"
	"os/exec"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// tmuxTimeout bounds the wait for tmux, which answers from memory.
const tmuxTimeout = 2 * time.Second

// tmuxFormat asks tmux for what decides, in the order of tmuxInfo's fields.
const tmuxFormat = "#{allow-passthrough}|#{client_termname}|#{client_termtype}|" +
	"#{client_cell_width}x#{client_cell_height}|#{sixel_support}|#{client_termfeatures}"

// tmuxInfo is what tmux says about itself and the terminal around it.
type tmuxInfo struct {
	passthrough bool
	termName    string // TERM of the terminal around it
	termType    string // its XTVERSION, "" if it did not say
	cell        image.Point
	sixel       bool // built in, and the terminal around it has it too
}

// tmuxMsg is tmux's answer, for Handle.
type tmuxMsg struct {
	tmuxInfo
	raw string
}

// askTmuxCmd returns the command that asks tmux. Escapes would not do: answers
// of the terminal around it come back as if they were typed.
func askTmuxCmd(e environ) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), tmuxTimeout)
		defer cancel()
		args := []string{"display-message", "-p"}
		if pane := e.get("TMUX_PANE"); pane != "" {
			args = append(args, "-t", pane)
		}
		cmd := exec.CommandContext(ctx, "tmux", append(args, tmuxFormat)...)
		cmd.Env = e
		out, err := cmd.Output()
		if err != nil {
			return tmuxMsg{raw: fmt.Sprintf("failed: %v", err)}
		}
		raw := strings.TrimSpace(string(out))
		return tmuxMsg{tmuxInfo: parseTmux(raw), raw: raw}
	}
}

// parseTmux reads tmux's answer. What an old tmux does not know is empty.
func parseTmux(raw string) tmuxInfo {
	fields := strings.Split(raw, "|")
	fields = append(fields, make([]string, 6)...)
	info := tmuxInfo{termName: fields[1], termType: fields[2]}
	switch fields[0] {
	case "on", "all", "1":
		info.passthrough = true
	}
	var size image.Point
	if _, err := fmt.Sscanf(fields[3], "%dx%d", &size.X, &size.Y); err == nil {
		info.cell = size
	}
	for _, feature := range strings.Split(fields[5], ",") {
		info.sixel = info.sixel || feature == "sixel" && fields[4] == "1"
	}
	return info
}

// outerPlaceholders says whether the terminal around tmux shows placeholders.
func (t tmuxInfo) outerPlaceholders() bool {
	if t.termType != "" {
		return terminal{version: t.termType}.placeholders()
	}
	return strings.Contains(t.termName, "kitty") || strings.Contains(t.termName, "ghostty")
}

// chooseInTmux picks the protocol under tmux.
func chooseInTmux(p *probe, obstacle string) choice {
	switch t := p.tmux; {
	case t.passthrough && t.outerPlaceholders() && obstacle == "":
		return choice{protocol: Kitty, passthrough: true, reason: "tmux passes through to " + t.termName}
	case t.sixel:
		return choice{protocol: Sixel, reason: "tmux and the terminal around it have sixel"}
	case !p.settled:
		return choice{protocol: Blocks, reason: "tmux has not answered yet"}
	case t.outerPlaceholders() && !t.passthrough:
		return choice{protocol: Blocks, reason: "tmux has allow-passthrough off"}
	default:
		return choice{protocol: Blocks, reason: "tmux offers neither passthrough to kitty nor sixel"}
	}
}
