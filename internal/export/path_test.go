package export_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"

	"ldx/internal/export"
	"ldx/internal/toy"
	"ldx/pipeline"
)

// editedPath changes guidance at step 3, and sampler and steps at step 6, of 10.
func editedPath(t *testing.T) []*pipeline.Step {
	t.Helper()
	m := (&toy.Toy{}).Model()
	s := m.Settings()
	s.Steps, s.Guidance, s.Seed = 10, 3, 5
	at, err := m.Begin(context.Background(), s)
	for err == nil && !at.Done() {
		if at, err = m.Advance(context.Background(), at); err != nil {
			break
		}
		switch at.Index() {
		case 3:
			s.Guidance = 5
			at, err = m.Edit(context.Background(), at, s)
		case 6:
			s.Sampler, s.Steps = "euler", 9
			at, err = m.Edit(context.Background(), at, s)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return at.Path()
}

// TestTraceOfLegs holds a trace of a path over two samplers against its own steps.
func TestTraceOfLegs(t *testing.T) {
	path := editedPath(t)
	if len(path) != 10 || path[5].Leg == path[6].Leg {
		t.Fatalf("%d steps, want 10 over two legs", len(path))
	}
	metadata, floats := traceOf(t, path)
	timesteps, sigmas, x := floats("timesteps"), floats("sigmas"), floats("x")
	for i, s := range path[:len(path)-1] {
		if timesteps[i] != s.Timestep() || sigmas[i] != s.Sigma() {
			t.Errorf("call %d is at t %g, sigma %g, want %g and %g", i, timesteps[i], sigmas[i], s.Timestep(), s.Sigma())
		}
	}
	for i, s := range path {
		numbers, err := s.Tensors()
		if err != nil || x[i*64] != numbers.State.X[0] {
			t.Errorf("latent %d begins with %g, want %g (error %v)", i, x[i*64], numbers.State.X[0], err)
		}
	}
	var settings pipeline.Settings
	var changes []struct {
		Call     int
		Settings pipeline.Settings
	}
	if err := json.Unmarshal([]byte(metadata["settings"]), &settings); err != nil || settings != path[0].Settings {
		t.Errorf("settings %+v, want those of the start (error %v)", settings, err)
	}
	if err := json.Unmarshal([]byte(metadata["changes"]), &changes); err != nil || len(changes) != 2 {
		t.Fatalf("changes %s, want two (error %v)", metadata["changes"], err)
	}
	for i, call := range []int{3, 6} {
		if changes[i].Call != call || changes[i].Settings != path[call].Settings {
			t.Errorf("change %+v, want call %d with %+v", changes[i], call, path[call].Settings)
		}
	}
}

// TestTraceOfARunFromAPicture begins in mid-schedule.
func TestTraceOfARunFromAPicture(t *testing.T) {
	path := editedPath(t)[:3]
	metadata, _ := traceOf(t, path)
	if _, there := metadata["changes"]; there {
		t.Errorf("changes %s of a path without", metadata["changes"])
	}
	late := toyPath(t, func(s *pipeline.Settings) { s.Steps = 8 })[5:] // as such a run's steps are laid out
	_, floats := traceOf(t, late)
	if got := floats("timesteps"); len(got) != 3 || got[0] != late[0].Timestep() || got[2] != late[2].Timestep() {
		t.Errorf("timesteps %v, want those of the last three of eight steps", got)
	}
}

func traceOf(t *testing.T, path []*pipeline.Step) (metadata map[string]string, floats func(name string) []float32) {
	t.Helper()
	var file bytes.Buffer
	if err := export.Trace(&file, "toy", path); err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(file.Bytes())
	var header map[string]json.RawMessage
	if err := json.Unmarshal(file.Bytes()[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(header["__metadata__"], &metadata); err != nil {
		t.Fatal(err)
	}
	st, err := safetensors.Deserialize(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return metadata, func(name string) (out []float32) {
		v, ok := st.Tensor(name)
		if !ok {
			t.Fatalf("no tensor %s", name)
		}
		for data := v.Data(); len(data) >= 4; data = data[4:] {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(data)))
		}
		return out
	}
}

func TestPathParametersAndCommand(t *testing.T) {
	path := editedPath(t)
	got := export.PathParameters("m", path)
	for _, want := range []string{", Changes at step 3: guidance 3 → 5,", ", Changes at step 6: sampler ddim → euler; steps 10 → 9,"} {
		if !strings.Contains(got, want) {
			t.Errorf("parameters\n%s\nwant %s in it", got, want)
		}
	}
	if strings.Contains(got, "Stopped") {
		t.Errorf("a whole run is said to have stopped: %s", got)
	}
	found, err := export.ParseParameters(got, pipeline.Settings{})
	if err != nil || found.Settings != path[9].Settings || len(found.Ignored) != 2 {
		t.Errorf("read back %+v, ignored %v, error %v", found.Settings, found.Ignored, err)
	}
	if got := export.PathParameters("m", path[:2]); !strings.Contains(got, ", Stopped at step: 1,") {
		t.Errorf("parameters\n%s\nwant where the run stopped", got)
	}
	command, but := export.PathCommand("m", path)
	if command != export.Command("m", path[9].Settings) {
		t.Errorf("command %s is not that of the last step", command)
	}
	if want := "it has no change at step 3 (guidance 3 → 5); it has no change at step 6 (sampler ddim → euler; steps 10 → 9)"; but != want {
		t.Errorf("%q, want %q", but, want)
	}
	if _, but := export.PathCommand("m", path[:2]); but != "it goes on to the end" {
		t.Errorf("%q of a run that stopped", but)
	}
	if _, but := export.PathCommand("m", toyPath(t, func(*pipeline.Settings) {})); but != "" {
		t.Errorf("%q of a plain run", but)
	}
}

// TestDifferences holds every setting against every other by changing one at a time.
func TestDifferences(t *testing.T) {
	for want, change := range map[string]func(*pipeline.Settings){
		`prompt none → "b"`:                 func(s *pipeline.Settings) { s.Prompt = "b" },
		"guidance schedule none → 3,2":      func(s *pipeline.Settings) { s.Guiding.Schedule = "3,2" },
		"guidance interval none → sigma:1.": func(s *pipeline.Settings) { s.Guiding.Interval.SigmaLow = 1 },
		"apg off → on":                      func(s *pipeline.Settings) { s.Guiding.APG.Enabled = true },
		"cfg++ off → on":                    func(s *pipeline.Settings) { s.Guiding.PlusPlus = true },
		"later seed none → 4":               func(s *pipeline.Settings) { s.LaterSeed = 4 },
		"prompt syntax plain → a1111":       func(s *pipeline.Settings) { s.Syntax = "a1111" },
		`blend none → "b" 0.5`:              func(s *pipeline.Settings) { s.Blend, s.BlendWeight = "b", 0.5 },
		"variation none → 3 by 0.5":         func(s *pipeline.Settings) { s.VariationSeed, s.VariationStrength = 3, 0.5 },
		`init none → "/a.png" by 0.5`:       func(s *pipeline.Settings) { s.Init, s.Strength = "/a.png", 0.5 },
		"size 0x0 → 64x0":                   func(s *pipeline.Settings) { s.Width = 64 },
	} {
		var to pipeline.Settings
		change(&to)
		changes := export.Changes{Changed: export.Differences(pipeline.Settings{}, to)}
		if !strings.HasPrefix(changes.String(), want) || len(changes.Changed) != 1 {
			t.Errorf("%q, want %q", changes, want)
		}
	}
	if d := export.Differences(pipeline.Settings{}, pipeline.Settings{Wording: pipeline.Wording{Syntax: "plain", Blend: "off"}}); len(d) > 0 {
		t.Errorf("%v differs, though it has no effect", d)
	}
}
