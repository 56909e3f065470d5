package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestConfigFiles(t *testing.T) {
	tests := map[string]struct {
		text string
		want string // in the error, or "" for none
	}{
		"empty object":   {`{}`, ""},
		"all":            {`{"keys": {"run.step": ["f2", "."], "show.quit": ["f10"]}, "theme": "dark", "graphics": "blocks", "look_ahead": true, "memory_mb": 1}`, ""},
		"unknown entry":  {`{"colour": "red"}`, `no entry "colour", want graphics, keys, look_ahead, memory_mb, theme`},
		"unknown action": {`{"keys": {"run.stop": ["a"]}}`, `no action "run.stop"`},
		"unknown key":    {`{"keys": {"run.step": ["leertaste"]}}`, `run.step: "leertaste" is no key`},
		"one key twice":  {`{"keys": {"run.step": ["r"]}}`, `"r" is bound to run.step and run.run`},
		"no list":        {`{"keys": {"run.step": "space"}}`, `want for instance {"run.step": ["space", "."]}`},
		"theme":          {`{"theme": "pink"}`, `theme is "pink", want auto, light or dark`},
		"a number":       {`{"theme": 5}`, `theme is 5, want "auto", "light" or "dark"`},
		"graphics":       {`{"graphics": "gif"}`, `"gif"`},
		"entry twice":    {`{"theme": "dark", "keys": {}, "theme": "light"}`, `"theme" is there twice`},
		"action twice":   {`{"keys": {"run.step": ["a"], "run.step": ["space"]}}`, `keys: "run.step" is there twice`},
		"look ahead":     {`{"look_ahead": "yes"}`, `look_ahead is "yes", want true or false`},
		"no memory":      {`{"memory_mb": 0}`, `memory_mb is 0, want 1 to 1048576`},
		"half memory":    {`{"memory_mb": 0.5}`, `memory_mb is 0.5, want 1 to 1048576`},
		"much memory":    {`{"memory_mb": 1e30}`, `memory_mb is 1e30, want 1 to 1048576`},
		"a list":         {`[]`, `it is [], want a JSON object`},
		"no JSON":        {"{\n\"theme\": dark}", "line 2: "},
		"nothing":        {"", "line 1: "},
		"too long":       {strings.Repeat(" ", maxConfig+1), "want at most that"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, found, err := readConfig(path)
			switch {
			case !found:
				t.Error("the file is not found")
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n")):
				t.Errorf("%v, want one line with %s and the file", err, tt.want)
			}
			if report := configReport(path); !strings.Contains(report, path) || err == nil != strings.HasSuffix(report, ", read") {
				t.Errorf("the doctor says %q of %v", report, err)
			}
		})
	}
}

// TestMemoryIsInMiB reads the one entry whose unit is not the program's.
func TestMemoryIsInMiB(t *testing.T) {
	c, err := parseConfig([]byte(`{"memory_mb": 3, "look_ahead": true}`))
	if err != nil || c.memory != 3<<20 || !c.ahead {
		t.Errorf("%d bytes, look ahead %t (%v); want 3 MiB and true", c.memory, c.ahead, err)
	}
}

func TestNoConfigIsTheDefault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.json")
	c, found, err := readConfig(path)
	if found || err != nil || c.theme != "auto" || c.keys.Run.Step.Keys()[0] != "space" {
		t.Errorf("%t, %v, theme %q, step %v", found, err, c.theme, c.keys.Run.Step.Keys())
	}
	if got := configReport(path); got != "none at "+path {
		t.Errorf("the doctor says %q", got)
	}
	if _, _, err := readConfig(t.TempDir()); err == nil {
		t.Error("a folder is read")
	}
}

// TestWhatIsTypedGoesBeforeTheConfig reads a file that wants other colours.
func TestWhatIsTypedGoesBeforeTheConfig(t *testing.T) {
	for args, want := range map[string]string{"": "light", "--theme dark": "dark", "--theme auto": "auto"} {
		x, flags := &explore{}, pflag.NewFlagSet("ldx", pflag.ContinueOnError)
		x.register(flags)
		if err := flags.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		c := x.over(config{theme: "light", graphics: "kitty"})
		if c.theme != want || c.graphics != "kitty" {
			t.Errorf("%q: theme %q and graphics %q, want %q and kitty", args, c.theme, c.graphics, want)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"keys": {"run.step": ["space"]}}`, `{"keys": {"a": null}, "theme": "dark"}`, `{"graphics": "sixel"}`, `[1]`, "{\n", `{"keys": null, "theme": null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(data)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
			return
		}
		if len(c.keys.Popup.Close.Keys()) == 0 || len(c.keys.Show.Quit.Keys()) == 0 {
			t.Error("there is no way out")
		}
	})
}
