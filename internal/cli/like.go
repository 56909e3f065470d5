package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ldx/internal/export"
	"ldx/pipeline"
)

// likeModel takes the model that the picture of --like names, where that is an installed
// one and none was typed.
func (s *sampling) likeModel() error {
	if s.like == "" || s.flags.Changed("model") {
		return nil
	}
	found, err := s.likeness(pipeline.Settings{})
	if err != nil {
		return err
	}
	if name := found.Model; found.Ours && name != "" && name == filepath.Base(name) && name != "." && name != ".." {
		if info, err := os.Stat(filepath.Join(modelsHome(), name)); err == nil && info.IsDir() {
			s.source.model = name
		}
	}
	return nil
}

// likeness reads the settings out of the picture of --like, over base.
func (s *sampling) likeness(base pipeline.Settings) (export.Found, error) {
	f, err := os.Open(s.like)
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return export.Found{}, fmt.Errorf("cannot read %s: %w", s.like, err)
	}
	found, err := export.ReadSettings(f, base)
	if err = errors.Join(err, f.Close()); err != nil {
		return found, fmt.Errorf("like %s: %w", s.like, err)
	}
	return found, nil
}

// start is what flags are laid over: base, or over that the picture of --like.
func (s *sampling) start(base pipeline.Settings) (pipeline.Settings, error) {
	if s.like == "" {
		return base, nil
	}
	found, err := s.likeness(base)
	return found.Settings, err
}

// sayLike says in one line what of the picture of --like is not taken.
func (s *sampling) sayLike(w io.Writer, model string) error {
	if s.like == "" {
		return nil
	}
	found, err := s.likeness(pipeline.Settings{Sampler: "the model's", RNG: "the model's"})
	if err != nil {
		return err
	}
	if found.Model != "" && found.Model != model {
		found.Ignored = append(found.Ignored, export.Ignored{Pair: export.Pair{Name: "Model", Value: found.Model}, Why: "the model here is " + model})
	}
	if text := found.String(); text != "" {
		_, _ = fmt.Fprintf(w, "not taken from %s: %s\n", filepath.Base(s.like), text) // only a note
	}
	return nil
}
