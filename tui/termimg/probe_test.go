package termimg

import (
	"image"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	kittygraphics "github.com/charmbracelet/x/ansi/kitty"
)

// kittyOK is a terminal's answer to the kitty graphics query.
func kittyOK() tea.Msg {
	return uv.KittyGraphicsEvent{Options: kittygraphics.Options{ID: kittyQueryID}, Payload: []byte("OK")}
}

func TestChoice(t *testing.T) {
	da := func(a ...int) tea.Msg { return uv.PrimaryDeviceAttributesEvent(a) }
	version := func(s string) tea.Msg { return tea.TerminalVersionMsg{Name: s} }
	profile := func(p colorprofile.Profile) tea.Msg { return tea.ColorProfileMsg{Profile: p} }
	tmux := func(s string) tea.Msg { return tmuxMsg{tmuxInfo: parseTmux(s), raw: s} }
	tests := []struct {
		name   string
		want   Protocol
		option Protocol
		env    []string
		msgs   []tea.Msg
	}{
		{name: "nothing yet", want: Blocks},
		{name: "kitty", want: Kitty, msgs: []tea.Msg{version("kitty(0.41.1)"), kittyOK(), da(62, 52)}},
		{name: "kitty 1", want: Kitty, msgs: []tea.Msg{version("kitty(1.0)"), kittyOK()}},
		{name: "answers in another order", want: Kitty, msgs: []tea.Msg{da(62), kittyOK(), version("ghostty 1.2.0")}},
		{name: "kitty without placeholders", want: Placements, msgs: []tea.Msg{version("kitty(0.26.5)"), kittyOK(), da(62)}},
		{name: "kitty too old", want: Blocks, msgs: []tea.Msg{version("kitty(0.19.3)"), kittyOK(), da(62)}},
		{name: "Konsole", want: Placements, msgs: []tea.Msg{version("Konsole 23.08.5"), kittyOK(), da(62, 1, 4)}},
		{name: "Konsole before kitty graphics", want: Blocks, msgs: []tea.Msg{version("Konsole 21.12.3"), da(62, 1)}},
		{name: "option on Konsole", want: Placements, option: Kitty, msgs: []tea.Msg{version("Konsole 23.08.5")}},
		{name: "option on Konsole at once", want: Placements, option: Kitty, env: []string{"KONSOLE_VERSION=230805"}},
		{name: "option, and Konsole around", want: Kitty, option: Kitty, env: []string{"KONSOLE_VERSION=230805"}, msgs: []tea.Msg{version("kitty(0.41.1)")}},
		{name: "unknown terminal with kitty graphics", want: Sixel, msgs: []tea.Msg{version("Contour 0.4"), kittyOK(), da(64, 4)}},
		{name: "WezTerm", want: ITerm2, msgs: []tea.Msg{version("WezTerm 20240203-110809-5046fc22"), kittyOK(), da(65, 4, 6)}},
		{name: "iTerm2", want: ITerm2, msgs: []tea.Msg{version("iTerm2 3.5.10"), da(62, 4)}},
		{name: "sixel on WezTerm by option", want: Sixel, option: Sixel, msgs: []tea.Msg{version("WezTerm 20240203"), da(65, 4, 6)}},
		{name: "no WezTerm", want: Blocks, msgs: []tea.Msg{version("WezTermish"), da(65)}},
		{name: "iTerm2 over SSH, silent", want: ITerm2, env: []string{"LC_TERMINAL=iTerm2"}, msgs: []tea.Msg{da(1, 2)}},
		{name: "iTerm2 may yet answer", want: Blocks, env: []string{"LC_TERMINAL=iTerm2"}},
		{name: "iTerm2 around an xterm", want: Sixel, env: []string{"LC_TERMINAL=iTerm2"}, msgs: []tea.Msg{version("XTerm(398)"), da(64, 4)}},
		{name: "WezTerm, silent", want: ITerm2, env: []string{"TERM_PROGRAM=WezTerm"}, msgs: []tea.Msg{da(65, 4)}},
		{name: "iTerm2 around tmux", want: Blocks, env: []string{"LC_TERMINAL=iTerm2", "TMUX=x"}, msgs: []tea.Msg{tmux("on|xterm-256color|iTerm2 3.5.10|9x18||")}},
		{name: "iTerm2 by option in tmux", want: Blocks, option: ITerm2, env: []string{"TMUX=x"}},
		{name: "iTerm2 by option", want: ITerm2, option: ITerm2, msgs: []tea.Msg{da(62)}},
		{name: "kitty refuses", want: Blocks, msgs: []tea.Msg{version("kitty(0.41.1)"), da(62)}},
		{name: "kitty without colours", want: Blocks, msgs: []tea.Msg{version("kitty(0.41.1)"), kittyOK(), da(62), profile(colorprofile.ASCII)}},
		{name: "kitty with 256 colours", want: Kitty, msgs: []tea.Msg{version("kitty(0.41.1)"), kittyOK(), profile(colorprofile.ANSI256)}},
		{
			name: "kitty with wide ambiguous characters", want: Blocks, env: []string{"RUNEWIDTH_EASTASIAN=1"},
			msgs: []tea.Msg{version("kitty(0.41.1)"), kittyOK()},
		},
		{name: "sixel", want: Sixel, msgs: []tea.Msg{da(62, 4, 22)}},
		{name: "22 is not 4, and a class is no attribute", want: Blocks, msgs: []tea.Msg{da(4, 22, 42)}},
		{name: "option wins", want: Sixel, option: Sixel, msgs: []tea.Msg{da(62)}},
		{name: "option off", want: Off, option: Off, msgs: []tea.Msg{da(62, 4)}},
		{name: "option cannot give colours", want: Blocks, option: Kitty, msgs: []tea.Msg{profile(colorprofile.ANSI)}},
		{name: "tmux passes through", want: Kitty, env: []string{"TMUX=x"}, msgs: []tea.Msg{tmux("on|xterm-kitty|kitty(0.41.1)|9x18||")}},
		{name: "tmux passes through to an old kitty", want: Blocks, env: []string{"TMUX=x"}, msgs: []tea.Msg{tmux("1|xterm-kitty|kitty(0.26.5)|9x18||")}},
		{name: "tmux passes nothing", want: Blocks, env: []string{"TMUX=x"}, msgs: []tea.Msg{tmux("off|xterm-kitty||9x18||")}},
		{name: "tmux with sixel", want: Sixel, env: []string{"TMUX=x"}, msgs: []tea.Msg{tmux("off|foot|foot(1.21)|9x18|1|256,RGB,sixel,sync")}},
		{name: "tmux with sixel in a terminal without", want: Blocks, env: []string{"TMUX=x"}, msgs: []tea.Msg{tmux("off|alacritty||9x18|1|256,RGB")}},
		{name: "tmux does not believe the terminal", want: Blocks, env: []string{"TMUX=x"}, msgs: []tea.Msg{da(1, 2, 4)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newTestCompositor(t, Options{Protocol: test.option, Environ: append([]string{"TERM=xterm-256color"}, test.env...)})
			before := c.Report().Protocol
			changed := false
			for _, msg := range test.msgs {
				changed = c.Handle(msg) || changed
			}
			r := c.Report()
			if r.Protocol != test.want {
				t.Errorf("protocol %s, want %s", r, test.want)
			}
			if r.Reason == "" || (before != r.Protocol) && !changed {
				t.Errorf("reason %q, changed %t", r.Reason, changed)
			}
		})
	}
}

// TestGlyphs checks which block characters each terminal is trusted with.
func TestGlyphs(t *testing.T) {
	tests := []struct {
		name, version string
		env           environ
		want          glyphSet
	}{
		{"unknown", "", nil, quadrants},
		{"kitty", "kitty(0.26.5)", nil, sextants},
		{"Ghostty", "ghostty 1.2.0", nil, sextants},
		{"foot", "foot(1.21.0)", nil, sextants},
		{"VTE", "VTE(7600)", nil, sextants},
		{"old VTE", "VTE(6003)", nil, quadrants},
		{"WezTerm", "WezTerm 20240203-110809-5046fc22", nil, sextants},
		{"old WezTerm", "WezTerm 20210502", nil, quadrants},
		{"xterm", "XTerm(398)", nil, quadrants},
		{"footer", "footer 1", nil, quadrants},
		{"kitty around tmux", "", environ{"TMUX=x", "TERM=tmux-256color"}, quadrants},
		{"screen", "kitty(0.41.1)", environ{"TERM=screen.xterm-256color"}, quadrants},
		{"Linux console", "", environ{"TERM=linux"}, halves},
		{"Terminal.app", "", environ{"TERM_PROGRAM=Apple_Terminal"}, halves},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := probe{version: test.version, environ: test.env}
			if got := p.glyphs(); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestCellSize(t *testing.T) {
	screen := tea.WindowSizeMsg{Width: 100, Height: 40}
	tests := []struct {
		name string
		want image.Point
		msgs []tea.Msg
	}{
		{"assumed", image.Pt(10, 20), nil},
		{"16t", image.Pt(9, 18), []tea.Msg{uv.PixelSizeEvent{Width: 800, Height: 640}, screen, uv.CellSizeEvent{Width: 9, Height: 18}}},
		{"14t before the size", image.Pt(8, 16), []tea.Msg{uv.PixelSizeEvent{Width: 805, Height: 650}, screen}},
		{"14t after the size", image.Pt(8, 16), []tea.Msg{screen, uv.PixelSizeEvent{Width: 805, Height: 650}}},
		{"14t again", image.Pt(16, 32), []tea.Msg{
			screen, uv.PixelSizeEvent{Width: 805, Height: 650}, tea.WindowSizeMsg{Width: 50, Height: 20}, uv.PixelSizeEvent{Width: 805, Height: 650},
		}},
		{"nonsense", image.Pt(10, 20), []tea.Msg{screen, uv.CellSizeEvent{Width: 0, Height: 18}, uv.PixelSizeEvent{Width: 1 << 20, Height: 1 << 20}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newTestCompositor(t, Options{})
			for _, msg := range test.msgs {
				c.Handle(msg)
			}
			if w, h := c.Cell(); image.Pt(w, h) != test.want {
				t.Errorf("cell %dx%d, want %v", w, h, test.want)
			}
		})
	}
}

// TestQueries checks what is asked of terminals that print what they do not
// know.
func TestQueries(t *testing.T) {
	tests := []struct {
		name          string
		env           environ
		apc, attribut bool
	}{
		{"xterm", environ{"TERM=xterm-256color"}, true, true},
		{"Apple", environ{"TERM=xterm-256color", "TERM_PROGRAM=Apple_Terminal"}, false, true},
		{"console", environ{"TERM=linux"}, false, true},
		{"screen", environ{"TERM=screen.xterm-256color"}, false, true},
		{"dumb", environ{"TERM=xterm", "TERM=dumb"}, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var all strings.Builder
			for _, q := range test.env.queries() {
				all.WriteString(q.sequence)
			}
			if got := strings.Contains(all.String(), "\x1b_G"); got != test.apc {
				t.Errorf("kitty query: %t, want %t", got, test.apc)
			}
			if got := strings.HasSuffix(all.String(), "\x1b[c"); got != test.attribut {
				t.Errorf("device attributes last: %t, want %t", got, test.attribut)
			}
		})
	}
}

// TestUnrelatedMessages checks that Handle asks for no repaint without need.
func TestUnrelatedMessages(t *testing.T) {
	c := newTestCompositor(t, Options{})
	for _, msg := range []tea.Msg{
		tea.KeyPressMsg{Code: 'x'}, nil, RepaintMsg{}, tea.FocusMsg{},
		uv.KittyGraphicsEvent{Options: kittygraphics.Options{ID: 99}, Payload: []byte("OK")},
	} {
		if c.Handle(msg) {
			t.Errorf("%T changed something", msg)
		}
	}
}

func FuzzParseTmux(f *testing.F) {
	f.Add("on|xterm-kitty|kitty(0.41.1)|9x18|1|a,sixel")
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		p := probe{environ: environ{"TMUX=x"}, tmux: parseTmux(raw), settled: true}
		ch := chooseInTmux(&p, "")
		size, _ := p.cellSize()
		if ch.reason == "" || size.X <= 0 || size.Y <= 0 || size.X > maxCell || size.Y > maxCell {
			t.Fatalf("%q: %+v, cell %v", raw, ch, size)
		}
	})
}

func FuzzPlaceholders(f *testing.F) {
	f.Add("kitty(0.28.0)")
	f.Fuzz(func(t *testing.T, version string) {
		term := terminal{version: version}
		if term.placeholders() && term.placements() || term.inline() && (term.placements() || term.placeholders()) {
			t.Fatalf("%q has more than one protocol", version)
		}
		if term.placeholders() && !strings.HasPrefix(version, "kitty(") && !strings.HasPrefix(strings.ToLower(version), "ghostty") {
			t.Fatalf("%q has placeholders", version)
		}
	})
}
