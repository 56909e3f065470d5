package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// replace writes beside a file and renames, as the program does.
func replace(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new")
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func newStore(t *testing.T) *Store {
	return New(filepath.Join(t.TempDir(), "folder", "prompts.json"), replace)
}

func add(t *testing.T, s *Store, prompts ...string) {
	t.Helper()
	for _, p := range prompts {
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
}

// loaded is what another program would read.
func loaded(t *testing.T, s *Store) []string {
	t.Helper()
	other := New(s.Path(), replace)
	if err := other.Load(); err != nil {
		t.Fatal(err)
	}
	return other.Prompts()
}

func TestNewestFirstAndNoneTwice(t *testing.T) {
	s := newStore(t)
	if err := s.Load(); err != nil || len(s.Prompts()) != 0 {
		t.Errorf("without a file there are %q (%v)", s.Prompts(), err)
	}
	add(t, s, "a", "b", " a ", "", "  ", "c\nd", "c\nd", strings.Repeat("x", MaxPrompt+1), "\xff")
	want := []string{"\ufffd", "c\nd", "a", "b"}
	if got := s.Prompts(); !slices.Equal(got, want) {
		t.Errorf("the prompts are %q, want %q", got, want)
	}
	if got := loaded(t, s); !slices.Equal(got, want) {
		t.Errorf("read again they are %q, want %q", got, want)
	}
}

func TestAtMostSoMany(t *testing.T) {
	s := newStore(t)
	var many []string
	for i := range MaxPrompts + 5 {
		many = append(many, fmt.Sprint("old ", i))
	}
	data, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.Path()), 0o755), os.WriteFile(s.Path(), data, 0o600)); err != nil {
		t.Fatal(err)
	}
	add(t, s, "new")
	got := loaded(t, s)
	if len(got) != MaxPrompts || got[0] != "new" || got[1] != "old 0" {
		t.Errorf("%d prompts from %q and %q, want %d from the new one", len(got), got[0], got[1], MaxPrompts)
	}
}

// TestTheFileIsBounded fills it with the longest prompts, which JSON makes longer still.
func TestTheFileIsBounded(t *testing.T) {
	var prompts []string
	for i := range MaxPrompts {
		prompts = append(prompts, fmt.Sprint(i, strings.Repeat("<", MaxPrompt-10)))
	}
	data, err := encode(prompts)
	if err != nil || len(data) > maxFile {
		t.Fatalf("%d bytes (%v), want at most %d", len(data), err, maxFile)
	}
	if got := Parse(data); len(got) == 0 || got[0] != prompts[0] {
		t.Errorf("%d prompts are read back", len(got))
	}
}

// TestProgramsAtOnceLoseNothing adds from several stores, as programs would.
func TestProgramsAtOnceLoseNothing(t *testing.T) {
	first := newStore(t)
	const programs, each = 4, 10
	var wg sync.WaitGroup
	errs := make([]error, programs)
	for p := range programs {
		wg.Go(func() {
			s := New(first.Path(), replace)
			for i := range each {
				errs[p] = errors.Join(errs[p], s.Add(fmt.Sprintf("%d of %d", i, p)))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := loaded(t, first); len(got) != programs*each {
		t.Errorf("%d prompts are left of %d", len(got), programs*each)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	s := New(t.TempDir(), replace) // a folder in place of the file
	for what, err := range map[string]error{"Load": s.Load(), "Add": s.Add("a")} {
		if err == nil || !strings.Contains(err.Error(), s.Path()) {
			t.Errorf("%s: %v, want an error that names %s", what, err, s.Path())
		}
	}
	if len(s.Prompts()) != 0 {
		t.Error("a prompt that was not written is kept")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`["a","b"]`, `["a"," a","",null]`, `{"a":1}`, `[1]`, "", "\x00", `["\ud800"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		prompts := Parse(data)
		seen := map[string]bool{}
		for _, p := range prompts {
			if p == "" || seen[p] || len(p) > MaxPrompt || strings.TrimSpace(p) != p {
				t.Fatalf("%q does not belong", p)
			}
			seen[p] = true
		}
		again, err := encode(prompts)
		if err != nil || !slices.Equal(Parse(again), prompts) {
			t.Fatalf("written and read again, %q is %q (%v)", prompts, Parse(again), err)
		}
	})
}
