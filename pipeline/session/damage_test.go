package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"ldx/pipeline"
)

// kept is a closed session with a branch in it, and its log.
func kept(t testing.TB) (d *debugging, log []byte) {
	t.Helper()
	d = debug(t)
	d.begin(func(s *pipeline.Settings) { s.Steps, s.Sampler = 4, "heun" })
	d.advance(3)
	d.to(0, 1)
	d.edit(func(s *pipeline.Settings) { s.Guidance = 5 })
	d.close()
	log, err := os.ReadFile(filepath.Join(d.session.Dir(), logName))
	if err != nil {
		t.Fatal(err)
	}
	return d, log
}

func (d *debugging) writeLog(log []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.session.Dir(), logName), log, 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// TestTornLine cuts the log at every byte of its last three lines: what the lines before
// say is there, and the session can be gone on with.
func TestTornLine(t *testing.T) {
	d, log := kept(t)
	lines := bytes.SplitAfter(log, []byte("\n"))
	lines = lines[:len(lines)-1]
	begin := len(log) - len(bytes.Join(lines[len(lines)-3:], nil))
	for cut := begin; cut <= len(log); cut++ {
		d.writeLog(log[:cut])
		s, run, err := Open(d.session.Dir(), d.model.Info(), testHeader())
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, len(log), err)
		}
		want := bytes.Count(log[:cut], []byte(`"record":`)) // whole lines of them, but for the last
		if whole := bytes.LastIndexByte(log[:cut], '\n') + 1; whole < cut {
			want = bytes.Count(log[:whole], []byte(`"record":`))
		}
		if run.Len() != want {
			t.Errorf("cut at %d: %d steps, want %d", cut, run.Len(), want)
		}
		next := &debugging{t, d.works, d.model, run, s}
		next.do(pipeline.Op{Do: pipeline.Move})
		next.reopened().close()
	}
}

// TestDamage holds that a log that no ldx wrote is refused in one line that names the
// line and the file.
func TestDamage(t *testing.T) {
	replace := func(old, with string) func(string) string {
		return func(log string) string { return strings.Replace(log, old, with, 1) }
	}
	tests := map[string]struct {
		change func(log string) string
		want   []string
	}{
		"nothing":           {func(string) string { return "" }, []string{"empty"}},
		"torn header":       {func(log string) string { return log[:20] }, []string{"empty"}},
		"not a session":     {func(string) string { return "{}\n" }, []string{"line 1", "not a session"}},
		"newer":             {replace(`"version":1`, `"version":2,"files":7`), []string{"of version 2, this ldx reads 1: a newer ldx opens it"}},
		"no version":        {replace(`"version":1`, `"version":-1`), []string{"of version -1"}},
		"other latents":     {replace(`"Channels":4`, `"Channels":16`), []string{"16 channels", "toy has 4"}},
		"no JSON":           {replace(`{"op":"step"`, `{"op:"step"`), []string{"line 2"}},
		"two values":        {replace("}\n{", "}{"), []string{"line 1"}},
		"unknown verb":      {replace(`"op":"move"`, `"op":"jump"`), []string{`op is "jump"`}},
		"no record":         {replace(`"record":`, `"rec":`), []string{"line 2", "record"}},
		"negative id":       {replace(`"record":{"id":0`, `"record":{"id":-1`), []string{"line 2", "step -1"}},
		"huge id":           {replace(`"record":{"id":0`, `"record":{"id":9223372036854775807`), []string{"line 2", "step 9223372036854775807"}},
		"own parent":        {replace(`"parent":0`, `"parent":1`), []string{"step 1 follows step 1"}},
		"parent to come":    {replace(`"parent":0`, `"parent":3`), []string{"step 1 follows step 3"}},
		"twice":             {replace(`"record":{"id":1`, `"record":{"id":0`), []string{"two steps 0"}},
		"call":              {replace(`"call":1`, `"call":100`), []string{"call 100"}},
		"sampler":           {replace(`"leg":{"sampler":"heun"`, `"leg":{"sampler":"hein"`), []string{"hein"}},
		"steps":             {replace(`"leg":{"sampler":"heun","steps":4`, `"leg":{"sampler":"heun","steps":1000000000`), []string{"1000000000"}},
		"draws":             {replace(`"draws":1`, `"draws":1000000000`), []string{"1000000000 draws"}},
		"size":              {replace(`"width":16`, `"width":1048576`), []string{"1048576"}},
		"reference to come": {replace(`"x":"1:x"`, `"x":"9:x"`), []string{"9:x", "not above"}},
		"path":              {replace(`"x":"1:x"`, `"x":"../../1:x"`), []string{"../../1:x", "12:cond"}},
		"path as name":      {replace(`"x":"1:x"`, `"x":"1:../x"`), []string{"1:../x"}},
		"not written there": {replace(`"x":"1:x"`, `"x":"0:momentum"`), []string{"0:momentum is not written there"}},
		"no x":              {replace(`,"x":"1:x"`, ``), []string{"no tensor x"}},
		"no output":         {replace(`"eps":"1:eps",`, ``), []string{"no tensor eps"}},
		"unknown tensor":    {replace(`"x":"1:x"`, `"x":"1:x","y":"1:x"`), []string{`tensor "y"`}},
		"memory with gaps":  {replace(`"memory.0":`, `"memory.7":`), []string{"numbered from 0"}},
		"lost memory":       {func(log string) string { return regexp.MustCompile(`,"memory.1":"[^"]*"`).ReplaceAllString(log, "") }, []string{"heun cannot go on from 1 remembered tensors"}},
		"huge memory":       {replace(`"memory.0":"`, `"memory.99999999":"`), []string{"memory.99999999"}},
	}
	d, log := kept(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			changed := tt.change(string(log))
			if changed == string(log) {
				t.Fatal("the change changes nothing")
			}
			d.writeLog([]byte(changed))
			_, _, err := Open(d.session.Dir(), d.model.Info(), testHeader())
			if err == nil {
				t.Fatal("opened")
			}
			for _, want := range append(tt.want, d.session.Dir()) {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error is %q, want %q in one line", err, want)
				}
			}
			if after, _ := os.ReadFile(filepath.Join(d.session.Dir(), logName)); string(after) != changed {
				t.Error("the log was changed")
			}
		})
	}
}

// TestDamagedTensors holds that a step whose numbers are damaged says so, and the others
// can be seen.
func TestDamagedTensors(t *testing.T) {
	huge := []byte(`{"x":{"dtype":"F32","shape":[1,4,4,4000000000],"data_offsets":[0,256000000000]}}`)
	tests := map[string]func(data []byte) []byte{
		"cut":   func(data []byte) []byte { return data[:len(data)-1] },
		"empty": func([]byte) []byte { return nil },
		"header": func(data []byte) []byte {
			return append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, data...)
		},
		"dtype":      func(data []byte) []byte { return bytes.ReplaceAll(data, []byte(`"F32"`), []byte(`"I32"`)) },
		"shape":      func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("[1,4,4,4]"), []byte("[4,4,4,1]")) },
		"other name": func(data []byte) []byte { return bytes.ReplaceAll(data, []byte(`"x"`), []byte(`"y"`)) },
		"huge shape": func([]byte) []byte { return append([]byte{byte(len(huge)), 0, 0, 0, 0, 0, 0, 0}, huge...) },
		"large":      func(data []byte) []byte { return append(data, make([]byte, 1<<20)...) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			d, _ := kept(t)
			path := tensorFile(d.session.Dir(), 0)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(data), 0o644); err != nil {
				t.Fatal(err)
			}
			s, run, err := Open(path, d.model.Info(), testHeader())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if _, err := run.Step(0).Tensors(); err == nil || !strings.Contains(err.Error(), filepath.Join(tensorsName, filepath.Base(path))) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line that names the file", err)
			}
			if name := sameNumbers(numbers(t, run.Step(2)), numbers(t, d.run.Step(2))); name != "" {
				t.Errorf("%s of a step with a file of its own differs", name)
			}
		})
	}
}

// TestOrderOfTheScreen writes steps before the run has taken the ones they follow, as
// when the model is ahead of the screen, and with other operations between.
func TestOrderOfTheScreen(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	var ahead []pipeline.Op
	for at := d.run.Tip(); len(ahead) < 4; at = ahead[len(ahead)-1].Step {
		step, err := d.model.Advance(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		d.run.Number(step)
		op := pipeline.Op{Do: pipeline.Take, Step: step, Aim: d.run.AimOn()}
		if err := d.session.Append(op); err != nil {
			t.Fatal(err)
		}
		ahead = append(ahead, op)
	}
	for _, op := range []pipeline.Op{ahead[0], {Do: pipeline.Fork, To: 0}, ahead[1], {Do: pipeline.Move, To: 1}} {
		if err := d.run.Apply(op); err != nil {
			t.Fatal(err)
		}
		d.session.Queue(op)
	}
	again := d.reopened()
	defer again.close()
	for _, op := range ahead[2:] { // lost on the way to the screen
		if err := d.run.Apply(op); err != nil {
			t.Fatal(err)
		}
	}
	alike(t, again.run, d.run)
}

// FuzzLog opens logs that no ldx wrote over tensors that one did: they are refused in
// one line, or make a run whose steps can be looked at and gone on from.
func FuzzLog(f *testing.F) {
	d, log := kept(f)
	f.Add(log)
	f.Add(bytes.ReplaceAll(log, []byte(`"parent":0`), []byte(`"parent":1`)))
	f.Add(bytes.ReplaceAll(log, []byte(`"op":"move"`), []byte(`"op":"undo"`)))
	f.Add(log[:len(log)/2])
	f.Fuzz(func(t *testing.T, log []byte) {
		r := &reader{path: logName}
		store := newStore(d.session.Dir())
		err := r.parse(log)
		var run *pipeline.Run
		if err == nil {
			run, err = r.restore(store, pipeline.NewRestorer(d.model.Info()))
		}
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %q, want one line", err)
			}
			return
		}
		if run.Len() != len(store.steps) {
			t.Errorf("the run has %d steps of %d", run.Len(), len(store.steps))
		}
		for id := range store.steps {
			held, err := run.Step(id).Tensors()
			if err == nil && len(held.State.X) != run.Step(id).Shape().TotalSize() {
				t.Errorf("step %d has %d values, want shape %v", id, len(held.State.X), run.Step(id).Shape())
			}
		}
		if at := run.At(); at != nil && run.Path()[run.Cursor()] != at {
			t.Error("the cursor is not on its path")
		}
	})
}

// FuzzTensors reads tensor files that no ldx wrote: an error in one line, or tensors of
// the shape that was asked for.
func FuzzTensors(f *testing.F) {
	shape := tensor.Shape{1, 2, 1, 2}
	whole, err := encodeTensors(shape, map[string][]float32{"x": {1, 2, 3, 4}, "x0": {5, 6, 7, 8}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:40])
	path := filepath.Join(f.TempDir(), "0.safetensors")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readTensors(path, shape, []string{"x", "x0"})
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("error is %q, want one line", err)
		case err == nil && (len(got["x"]) != 4 || len(got["x0"]) != 4):
			t.Errorf("tensors are %v, want shape %v", got, shape)
		}
	})
}

func ExampleName() {
	fmt.Println(Name(Header{Model: "../a b"}))
	// Output: 0001-01-01-000000-..-a-b
}
