package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"ldx/internal/export"
	"ldx/internal/toy"
	"ldx/pipeline"
)

// command is ldx compare with flags set.
func command(t *testing.T, args ...string) *compareCommand {
	t.Helper()
	cmd := newCompare()
	c := &compareCommand{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	fs := pflag.NewFlagSet("compare", pflag.ContinueOnError)
	c.sampling.register(fs)
	fs.StringArrayVar(&c.vary, "vary", nil, "")
	for name, to := range map[string]*string{"output": &c.output, "csv": &c.csv, "reference": &c.reference} {
		fs.StringVar(to, name, "", cmd.Flags().Lookup(name).Usage)
	}
	fs.BoolVar(&c.json, "json", false, "")
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c
}

// onToy runs a command on the toy.
func onToy(ctx context.Context, t *testing.T, works *toy.Toy, c *compareCommand) error {
	t.Helper()
	m := works.Model()
	axes, err := c.axes()
	if err != nil {
		t.Fatal(err)
	}
	g, err := c.layOn(m.Info(), axes)
	if err != nil {
		return err
	}
	w, err := c.writer(g)
	if err != nil {
		return err
	}
	return c.compute(ctx, m, g, w, time.Now())
}

func readTable(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, v := range line {
			row[lines[0][i]] = v
		}
		rows = append(rows, row)
	}
	return rows
}

// TestCompareWritesTable compares with a cell of the same column: its own figures are
// those of equality, and eta is refused where the sampler has none.
func TestCompareWritesTable(t *testing.T) {
	dir := t.TempDir()
	c := command(t, "--vary", "sampler=ddim,euler", "--vary", "eta=0,1", "--steps=4", "--seed=7",
		"--reference", "sampler=ddim", "--csv", filepath.Join(dir, "t.csv"), "--output", filepath.Join(dir, "g.png"), "--json")
	works := &toy.Toy{}
	if err := onToy(t.Context(), t, works, c); err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, c.csv)
	if len(rows) != 4 {
		t.Fatalf("%d rows, want 4", len(rows))
	}
	for _, r := range rows {
		switch {
		case r["sampler"] == "euler" && r["eta"] == "1":
			if !strings.Contains(r["error"], "eta") || r["psnr_db"] != "" {
				t.Errorf("a refused cell is %v", r)
			}
		case r["sampler"] == "ddim":
			if r["psnr_db"] != "+Inf" || r["latent_rmse"] != "0" || r["error"] != "" {
				t.Errorf("the reference against itself is %v", r)
			}
		case r["latent_rmse"] == "" || r["latent_rmse"] == "0":
			t.Errorf("euler against ddim is %v", r)
		}
	}
	var told struct {
		Planned int `json:"calls_planned"`
		Made    int `json:"calls_made"`
		Cells   []struct {
			PSNR any `json:"psnr_db"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(c.stdout.(*bytes.Buffer).Bytes(), &told); err != nil {
		t.Fatal(err)
	}
	if told.Made != int(works.Predicts.Load()) || told.Made != told.Planned || len(told.Cells) != 4 || told.Cells[0].PSNR != "+Inf" {
		t.Errorf("%+v is told, and %d calls made", told, works.Predicts.Load())
	}
	f, err := os.ReadFile(c.output)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(f)); err != nil {
		t.Error(err)
	}
	found, err := export.ReadSettings(bytes.NewReader(f), pipeline.Settings{})
	if err != nil || found.Settings.Seed != 7 || found.Settings.Steps != 4 {
		t.Errorf("the grid's settings read as %+v (%v)", found.Settings, err)
	}
}

func TestCompareForms(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"g.gif", "g.apng", "cells"} {
		c := command(t, "--vary", "steps=2,5", "--output", filepath.Join(dir, name), "--reference", "ddim200")
		if err := onToy(t.Context(), t, &toy.Toy{}, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "cells", "cell-000?-steps-[25].png"))
	if err != nil || len(files) != 2 {
		t.Errorf("the folder has %v (%v), want a file a cell", files, err)
	}
}

// TestCompareInterrupted stops in the second cell: the first is written, and the end is
// the interruption.
func TestCompareInterrupted(t *testing.T) {
	dir := t.TempDir()
	c := command(t, "--vary", "seed=1,2,3", "--steps=3", "--csv", filepath.Join(dir, "t.csv"), "--output", filepath.Join(dir, "g.png"))
	ctx, cancel := context.WithCancel(t.Context())
	works := &toy.Toy{Gate: make(chan struct{})}
	go func() {
		for range 4 {
			works.Gate <- struct{}{}
		}
		cancel()
	}()
	if err := onToy(ctx, t, works, c); !errors.Is(err, context.Canceled) || exitStatus(err) != exitInterrupted {
		t.Errorf("it ends with %v, want the interruption", err)
	}
	done := 0
	for _, r := range readTable(t, c.csv) {
		if r["error"] == "" {
			done++
		} else if r["error"] != notDone {
			t.Errorf("a cell says %q", r["error"])
		}
	}
	if _, err := os.Stat(c.output); err != nil || done != 1 {
		t.Errorf("%d cells are done, want 1 (%v)", done, err)
	}
}

// TestCompareFailingCell fails the one cell that comes by timestep 101.
func TestCompareFailingCell(t *testing.T) {
	c := command(t, "--vary", "steps=2,10", "--csv", filepath.Join(t.TempDir(), "t.csv"))
	works := &toy.Toy{Fail: func(at int) error {
		if at == 101 {
			return errors.New("the device is gone")
		}
		return nil
	}}
	err := onToy(t.Context(), t, works, c)
	if err == nil || exitStatus(err) != exitFailed || !strings.Contains(err.Error(), "1 of 2 cells") {
		t.Errorf("it ends with %v", err)
	}
	if rows := readTable(t, c.csv); rows[0]["error"] != "" || rows[1]["error"] != "the device is gone" {
		t.Errorf("rows are %v", rows)
	}
}

func TestCompareRefuses(t *testing.T) {
	tests := map[string]struct {
		args []string
		says []string
	}{
		"nothing to write":   {[]string{"--vary", "steps=1,2"}, []string{"nothing to write"}},
		"nothing varies":     {[]string{"--json"}, []string{"--vary"}},
		"three":              {[]string{"--json", "--vary", "steps=1,2", "--vary", "eta=0,1", "--vary", "seed=1,2"}, []string{"columns and rows"}},
		"unknown key":        {[]string{"--json", "--vary", "colour=1,2"}, []string{"colour", "sampler", "blend-weight"}},
		"one key twice":      {[]string{"--json", "--vary", "steps=1,2", "--vary", "steps=3"}, []string{"steps twice"}},
		"given and varied":   {[]string{"--json", "--steps", "3", "--vary", "steps=1,2"}, []string{"both given and varied"}},
		"no number":          {[]string{"--json", "--vary", "steps=few"}, []string{"few", "whole number"}},
		"out of range":       {[]string{"--json", "--vary", "eta=0,5", "--vary", "steps=4,5"}, []string{"cell eta 5, steps 4", "0 to 1"}},
		"too many":           {[]string{"--json", "--vary", "seed=1:200:1", "--vary", "steps=1:100:1"}, []string{"20000 cells", "10000", "calls"}},
		"unknown reference":  {[]string{"--json", "--vary", "steps=4,5", "--reference", "steps=9"}, []string{"steps=9", "ddim200"}},
		"strength for noise": {[]string{"--json", "--vary", "strength=0.5,0.6"}, []string{"--init"}},
		"one name":           {[]string{"--vary", "steps=4,5", "--output", "a.png", "--csv", "a.png"}, []string{"two names"}},
		"another ending":     {[]string{"--vary", "steps=4,5", "--output", "a.txt"}, []string{".txt"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := command(t, tt.args...).run(t.Context())
			if exitStatus(err) != exitUsage {
				t.Fatalf("it ends with %v, want an error of the command line", err)
			}
			for _, text := range tt.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %q", err, text)
				}
			}
		})
	}
}
