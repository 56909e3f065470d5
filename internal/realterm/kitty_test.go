package realterm

import (
	"fmt"
	"image"
	"os/exec"
	"testing"
)

// startKitty starts a command in a kitty on an X server of its own. It skips the
// test where kitty is older than Unicode placeholders.
func startKitty(t testing.TB, env []string, command ...string) terminal {
	t.Helper()
	needKitty(t)
	x := startX(t, image.Pt(1280, 960))
	args := []string{"--config", "NONE"}
	for _, option := range []string{
		"font_family=" + font, "font_size=9", "foreground=#0000ff", "background=#000000", "cursor=#0000ff",
		"remember_window_size=no", "window_padding_width=0", "placement_strategy=top-left",
		"enable_audio_bell=no", "update_check_interval=0", "shell_integration=disabled",
	} {
		args = append(args, "-o", option)
	}
	env = append(env, "DISPLAY="+x.display, "LIBGL_ALWAYS_SOFTWARE=1", "XDG_RUNTIME_DIR="+shared(t))
	start(t, env, nil, "kitty", append(args, command...)...)
	await(t, "kitty has a window", x.server, func() bool { return x.find(t) != 0 })
	x.resize(t, xtermWindow())
	return &x.xterm
}

// needKitty skips the test unless kitty is 0.28 or later.
func needKitty(t testing.TB) {
	t.Helper()
	said, err := exec.Command("kitty", "--version").Output()
	if err != nil {
		t.Skipf("kitty does not tell its version: %v", err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(said), "kitty %d.%d", &major, &minor); err != nil {
		t.Skipf("kitty's version is not known: %q", said)
	}
	if major == 0 && minor < 28 {
		t.Skipf("kitty %d.%d has no Unicode placeholders, 0.28 has", major, minor)
	}
}
