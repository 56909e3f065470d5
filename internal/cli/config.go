package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"

	"ldx/tui/keys"
	"ldx/tui/termimg"
	"ldx/tui/theme"
)

// config is what the explorer is set up with: what is typed goes before it.
type config struct {
	keys     keys.Map
	theme    string // as for --theme
	graphics string // as for --graphics
	ahead    bool   // compute steps before they are asked for
	memory   int64  // bound of the numbers kept in memory, in bytes; 0 is the default
}

func configPath() string { return filepath.Join(xdg.ConfigHome, "ldx", "config.json") }

// maxConfig bounds a config file, in bytes: one that names every key is a thousandth.
const maxConfig = 1 << 20

// readConfig reads the config file; found is whether there is one. An error names the
// file and what in it would have to be otherwise.
func readConfig(path string) (c config, found bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		c, err = parseConfig([]byte("{}"))
		return c, false, err
	}
	if err != nil {
		return config{}, false, fmt.Errorf("config %s cannot be read: %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return config{}, true, fmt.Errorf("config %s cannot be read: %w", path, err)
	}
	if len(data) > maxConfig {
		return config{}, true, fmt.Errorf("config %s has more than %d bytes, want at most that", path, maxConfig)
	}
	if c, err = parseConfig(data); err != nil {
		return config{}, true, fmt.Errorf("config %s: %w", path, err)
	}
	return c, true, nil
}

// entries reads the entries of a config by their names.
var entries = map[string]func(*config, json.RawMessage) error{
	"keys": func(c *config, raw json.RawMessage) error {
		var to map[string][]string
		if json.Unmarshal(raw, &to) != nil {
			return fmt.Errorf(`keys is %s, want for instance {"run.step": ["space", "."]}`, short(raw))
		}
		if err := once(raw); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		return c.keys.Remap(to)
	},
	"theme": func(c *config, raw json.RawMessage) error {
		if json.Unmarshal(raw, &c.theme) != nil {
			return fmt.Errorf(`theme is %s, want "auto", "light" or "dark"`, short(raw))
		}
		_, err := theme.ParseChoice(c.theme)
		return err
	},
	"graphics": func(c *config, raw json.RawMessage) error {
		if json.Unmarshal(raw, &c.graphics) != nil {
			return fmt.Errorf(`graphics is %s, want a name as for --graphics, for instance "kitty"`, short(raw))
		}
		_, err := termimg.ParseProtocol(c.graphics)
		return err
	},
	"look_ahead": func(c *config, raw json.RawMessage) error {
		if json.Unmarshal(raw, &c.ahead) != nil {
			return fmt.Errorf("look_ahead is %s, want true or false", short(raw))
		}
		return nil
	},
	"memory_mb": func(c *config, raw json.RawMessage) error {
		if json.Unmarshal(raw, &c.memory) != nil || c.memory < 1 || c.memory > 1<<20 {
			return fmt.Errorf("memory_mb is %s, want 1 to %d (MiB)", short(raw), 1<<20)
		}
		c.memory <<= 20
		return nil
	},
}

// parseConfig reads a config.
func parseConfig(data []byte) (config, error) {
	c := config{keys: keys.New(), theme: "auto", graphics: "auto"}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return c, badJSON(data, err)
	}
	if err := once(data); err != nil {
		return c, err
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		read, ok := entries[name]
		if !ok {
			return c, fmt.Errorf("there is no entry %q, want %s", name, strings.Join(slices.Sorted(maps.Keys(entries)), ", "))
		}
		if err := read(&c, raw[name]); err != nil {
			return c, err
		}
	}
	return c, nil
}

// once refuses an object with a name twice, of which Go's decoder takes the last and
// says nothing. What is no valid object passes: that is for who decodes it.
func once(object []byte) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	seen := map[json.Token]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		if seen[name] {
			return fmt.Errorf("%q is there twice, want it once", name)
		}
		seen[name] = true
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil
		}
	}
	return nil
}

// badJSON says on which line a config is no JSON.
func badJSON(data []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := data[:min(int(syntax.Offset), len(data))]
		return fmt.Errorf("line %d: %w, want JSON", 1+bytes.Count(before, []byte("\n")), err)
	}
	return fmt.Errorf(`it is %s, want a JSON object, for instance {"theme": "dark"}`, short(data))
}

// short is the beginning of a value, for a message.
func short(raw []byte) string {
	const most = 40
	text := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(string(raw), "�")), " "))
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return string(text)
}

// configReport says for the doctor where the config is looked for and what became of it.
func configReport(path string) string {
	_, found, err := readConfig(path)
	switch {
	case err != nil:
		return strings.TrimPrefix(err.Error(), "config ")
	case !found:
		return "none at " + path
	}
	return path + ", read"
}
