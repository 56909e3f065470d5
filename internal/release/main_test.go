package main

import (
	"bytes"
	"strings"
	"testing"

	"ldx/pipeline/ort/library"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name   string
		args   []string
		status int
		said   string
	}{
		{"no folder", nil, 2, "-o DIR"},
		{"more than flags", []string{"-o", dir, "linux"}, 2, "linux"},
		{"unknown flag", []string{"-platform", "linux"}, 2, "-platform"},
		{"help", []string{"-h"}, 0, "folder that gets the files"},
		{"unpublished platform", []string{"-os", "darwin", "-arch", "amd64", "-o", dir}, 1, "darwin/amd64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if got := run(t.Context(), test.args, &out); got != test.status {
				t.Errorf("status is %d, want %d", got, test.status)
			}
			if !strings.Contains(out.String(), test.said) {
				t.Errorf("said %q, want %q in it", out.String(), test.said)
			}
		})
	}
}

func TestAnnounceSaysEachThingOnce(t *testing.T) {
	var out bytes.Buffer
	progress := announce(&out)
	for done := range int64(3) {
		progress(library.Progress{What: "fetching", Done: done, Total: 3})
	}
	progress(library.Progress{What: "unpacking"})
	if got, want := out.String(), "release: fetching\nrelease: unpacking\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}
