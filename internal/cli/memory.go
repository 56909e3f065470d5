package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"

	"ldx/internal/export"
	"ldx/pipeline"
)

// remembered is what the explorer keeps between starts: settings by model.
type remembered map[string]pipeline.Settings

func statePath() string { return filepath.Join(xdg.StateHome, "ldx", "explorer.json") }

func promptsPath() string { return filepath.Join(xdg.StateHome, "ldx", "prompts.json") }

func logPath() string { return filepath.Join(xdg.StateHome, "ldx", "ldx.log") }

func readRemembered() (remembered, error) {
	data, err := os.ReadFile(statePath())
	if errors.Is(err, os.ErrNotExist) {
		return remembered{}, nil
	}
	if err != nil {
		return nil, err
	}
	r := remembered{}
	if err := json.Unmarshal(data, &r); err != nil {
		return remembered{}, nil // a damaged file is as good as none: it only saves typing
	}
	return r, nil
}

// recall is the settings to start a model on: the ones of last time where they
// still fit, else its own with a random seed.
func recall(info pipeline.Info) pipeline.Settings {
	fresh := fresh(info)
	all, err := readRemembered()
	if err != nil {
		return fresh
	}
	s, ok := all[info.Name]
	if !ok || info.Check(s) != nil {
		return fresh
	}
	if hash, err := pipeline.PictureSHA256(s.Init); s.Init != "" && (err != nil || hash != s.InitSHA256) {
		forgetPicture(&s) // it is gone or another
	}
	return s
}

// remember keeps settings for the next start.
func remember(m *pipeline.Model, s pipeline.Settings) error {
	all, err := readRemembered()
	if err != nil {
		return fmt.Errorf("settings are not remembered: %w", err)
	}
	all[m.Info().Name] = s
	if err := os.MkdirAll(filepath.Dir(statePath()), 0o755); err != nil {
		return fmt.Errorf("settings are not remembered: %w", err)
	}
	return export.File(statePath(), func(w io.Writer) error { return json.NewEncoder(w).Encode(all) })
}
