// Package history keeps the prompts that were used, across sessions.
package history

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// What is kept at most. A prompt longer than MaxPrompt is not: it would push out many.
const (
	MaxPrompts = 1000
	MaxPrompt  = 32 << 10 // bytes
	maxFile    = 8 << 20  // bytes, of all prompts as JSON
)

// lockTime is how long another program's write is waited for, looking so often.
const (
	lockTime = 10 * time.Second
	lockPoll = 10 * time.Millisecond
)

// Store is a file of prompts, the newest first and none twice. Several programs may
// have one open: each adds to what is in the file. Its methods may be called by any
// goroutine; all but Prompts wait for the disk.
type Store struct {
	path  string
	write func(path string, write func(io.Writer) error) error

	mu      sync.Mutex
	prompts []string
}

// New is the history in a file, which need not be there yet. write writes a file whole
// or leaves the old one.
func New(path string, write func(path string, write func(io.Writer) error) error) *Store {
	return &Store{path: path, write: write}
}

// Path is where the file is.
func (s *Store) Path() string { return s.path }

// Prompts lists the prompts as last read or written, the newest first.
func (s *Store) Prompts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.prompts)
}

// Load reads the file. One that is damaged is as good as none.
func (s *Store) Load() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	prompts, err := s.read()
	if err == nil {
		s.prompts = prompts
	}
	return err
}

// Add puts a prompt first. One of blanks alone is left out, and so is one over
// MaxPrompt.
func (s *Store) Add(prompt string) (err error) {
	prompt = strings.TrimSpace(strings.ToValidUTF8(prompt, "\ufffd")) // as JSON keeps it
	s.mu.Lock()
	defer s.mu.Unlock()
	if prompt == "" || len(prompt) > MaxPrompt || len(s.prompts) > 0 && s.prompts[0] == prompt {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return fmt.Errorf("the prompt is not remembered: %w", err)
	}
	lock := flock.New(s.path + ".lock")
	ctx, cancel := context.WithTimeout(context.Background(), lockTime)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("the prompt is not remembered: locking %s.lock: %w", s.path, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	kept, err := s.read()
	if err != nil {
		return fmt.Errorf("the prompt is not remembered: %w", err)
	}
	kept = tidy(append([]string{prompt}, kept...))
	data, err := encode(kept)
	if err != nil {
		return fmt.Errorf("the prompt is not remembered: %w", err)
	}
	if err := s.write(s.path, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return fmt.Errorf("the prompt is not remembered: %w", err)
	}
	s.prompts = kept
	return nil
}

func (s *Store) read() ([]string, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return Parse(data), nil
}

// Parse reads the prompts of a file: a JSON list of texts. What is no prompt is left
// out, and a damaged file has none: it only saves typing.
func Parse(data []byte) []string {
	var prompts []string
	if len(data) > maxFile || json.Unmarshal(data, &prompts) != nil {
		return nil
	}
	return tidy(prompts)
}

// tidy leaves out what is there twice or does not belong, and what is too old.
func tidy(prompts []string) []string {
	seen := make(map[string]bool, len(prompts))
	var kept []string
	for _, p := range prompts {
		p = strings.TrimSpace(p)
		if p == "" || len(p) > MaxPrompt || seen[p] || len(kept) >= MaxPrompts {
			continue
		}
		seen[p] = true
		kept = append(kept, p)
	}
	return kept
}

// encode is the file of as many prompts as its size allows, the newest.
func encode(prompts []string) ([]byte, error) {
	var b bytes.Buffer
	for _, p := range prompts {
		data, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		if b.Len()+len(data) > maxFile-len("[,\n \n]\n") {
			break
		}
		if b.Len() > 0 {
			b.WriteString(",\n ")
		}
		b.Write(data)
	}
	return fmt.Appendf(nil, "[%s]\n", b.Bytes()), nil
}
