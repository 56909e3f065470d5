package session

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ldx/internal/toy"
	"ldx/pipeline"
	"ldx/samplers"
)

// debugging is somebody at the screen: a run on the toy, and the session it is kept in.
type debugging struct {
	t       testing.TB
	works   *toy.Toy
	model   *pipeline.Model
	run     *pipeline.Run
	session *Session
}

func testHeader() Header {
	return Header{Model: "toy", CPU: "a", Library: "1", Threads: 2, Device: "toy", Latent: toyModel().Info().Latent}
}

func toyModel() *pipeline.Model { return (&toy.Toy{}).Model() }

func debug(t testing.TB) *debugging {
	t.Helper()
	works := &toy.Toy{}
	d := &debugging{t: t, works: works, model: works.Model(), run: pipeline.NewRun()}
	s, err := Create(filepath.Join(t.TempDir(), "sessions", "one"), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	d.session = s
	return d
}

// do does an operation as the screen does: a step is written by who made it, before
// the run takes it.
func (d *debugging) do(op pipeline.Op) {
	d.t.Helper()
	if op.Do == pipeline.Take {
		d.run.Number(op.Step)
		if err := d.session.Append(op); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := d.run.Apply(op); err != nil {
		d.t.Fatal(err)
	}
	d.session.Queue(op)
}

func (d *debugging) take(s *pipeline.Step, err error, to pipeline.Aim) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	d.do(pipeline.Op{Do: pipeline.Take, Step: s, Aim: to})
}

func (d *debugging) begin(change func(*pipeline.Settings)) {
	d.t.Helper()
	s := d.model.Settings()
	s.Seed = 42
	if change != nil {
		change(&s)
	}
	step, err := d.model.Begin(context.Background(), s)
	d.take(step, err, d.run.AimEdit(0))
}

func (d *debugging) advance(calls int) {
	d.t.Helper()
	for range calls {
		if d.run.Tip().Done() {
			return
		}
		step, err := d.model.Advance(context.Background(), d.run.Tip())
		d.take(step, err, d.run.AimOn())
	}
}

func (d *debugging) edit(change func(*pipeline.Settings)) {
	d.t.Helper()
	s := d.run.At().Settings
	change(&s)
	step, err := d.model.Edit(context.Background(), d.run.At(), s)
	d.take(step, err, d.run.AimEdit(d.run.Cursor()))
}

func (d *debugging) to(branch, k int) {
	d.t.Helper()
	d.do(pipeline.Op{Do: pipeline.Move, Aim: pipeline.Aim{Branch: branch}, To: k})
}

func (d *debugging) close() {
	d.t.Helper()
	if err := d.session.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// reopened closes the session and opens it again.
func (d *debugging) reopened() *debugging {
	d.t.Helper()
	d.close()
	s, run, err := Open(d.session.Dir(), d.model.Info(), testHeader())
	if err != nil {
		d.t.Fatal(err)
	}
	return &debugging{d.t, d.works, d.model, run, s}
}

// numbers are all of a step's, as bits.
func numbers(t *testing.T, s *pipeline.Step) map[string][]uint32 {
	t.Helper()
	held, err := s.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]uint32{"at": {uint32(held.State.Index), uint32(held.State.Draws)}}
	for _, name := range names(len(held.State.Memory)) {
		for _, v := range *field(held, name) {
			out[name] = append(out[name], math.Float32bits(v))
		}
	}
	return out
}

func sameNumbers(a, b map[string][]uint32) string {
	for name := range a {
		if !slices.Equal(a[name], b[name]) {
			return name
		}
	}
	if len(a) != len(b) {
		return "how many there are"
	}
	return ""
}

// alike reports where two runs do not stand alike, steps, branches and cursor.
func alike(t *testing.T, got, want *pipeline.Run) {
	t.Helper()
	if got.Len() != want.Len() {
		t.Fatalf("%d steps, want %d", got.Len(), want.Len())
	}
	for id := range want.Len() {
		a, b := got.Step(id), want.Step(id)
		if a == nil {
			t.Fatalf("step %d is missing", id)
		}
		if a.Record() != b.Record() {
			t.Errorf("step %d is %+v, want %+v", id, a.Record(), b.Record())
		}
		if name := sameNumbers(numbers(t, a), numbers(t, b)); name != "" {
			t.Errorf("step %d: %s differs", id, name)
		}
	}
	branches := func(r *pipeline.Run) (out []string) {
		for _, b := range r.Branches() {
			out = append(out, b.Name, string(rune('0'+b.From+1)), string(rune('0'+b.At)), string(rune('0'+b.Tip.ID())))
		}
		return out
	}
	if a, b := branches(got), branches(want); !slices.Equal(a, b) {
		t.Errorf("branches are %q, want %q", a, b)
	}
	if got.Cursor() != want.Cursor() || got.Current().ID != want.Current().ID || got.CanUndo() != want.CanUndo() || got.CanRedo() != want.CanRedo() {
		t.Errorf("at %d of branch %d, want %d of %d", got.Cursor(), got.Current().ID, want.Cursor(), want.Current().ID)
	}
	if (got.Marked() == nil) != (want.Marked() == nil) || got.Marked() != nil && got.Marked().ID() != want.Marked().ID() {
		t.Errorf("marked is %v, want %v", got.Marked(), want.Marked())
	}
}

// TestRoundTrip keeps runs of every sampler with edits on the way, opens them, and goes
// on: all is as it was, and what is computed from there is what it would have been.
func TestRoundTrip(t *testing.T) {
	for _, sampler := range samplers.Samplers() {
		t.Run(sampler.Name, func(t *testing.T) {
			d := debug(t)
			d.begin(func(s *pipeline.Settings) { s.Sampler, s.Steps = sampler.Name, 8 })
			d.advance(5)
			d.edit(func(s *pipeline.Settings) { s.Guidance = 7 })
			d.to(0, 3)
			d.edit(func(s *pipeline.Settings) { s.Prompt = "another" })
			d.advance(2)
			d.do(pipeline.Op{Do: pipeline.Mark, To: 2})
			d.to(0, 2)
			d.edit(func(s *pipeline.Settings) { s.Guiding.APG = samplers.APG{Enabled: true, Momentum: -0.5, Threshold: 15} })
			d.advance(2)
			d.do(pipeline.Op{Do: pipeline.Undo})
			d.do(pipeline.Op{Do: pipeline.Undo})
			d.do(pipeline.Op{Do: pipeline.Redo})
			d.do(pipeline.Op{Do: pipeline.Rename, Aim: pipeline.Aim{Branch: 0}, Name: "first"})
			d.to(1, 4)
			again := d.reopened()
			alike(t, again.run, d.run)
			end, want := again.run.Tip(), d.run.Tip()
			for !want.Done() {
				var err, err2 error
				end, err = d.model.Advance(context.Background(), end)
				want, err2 = d.model.Advance(context.Background(), want)
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if name := sameNumbers(numbers(t, end), numbers(t, want)); name != "" {
					t.Fatalf("gone on with, %s of step %d differs", name, end.Index())
				}
			}
			again.advance(1)
			third := again.reopened()
			alike(t, third.run, again.run)
			third.close()
		})
	}
}

// TestRoundTripOfEdits keeps what edits can make of a step, and goes on from there.
func TestRoundTripOfEdits(t *testing.T) {
	tests := map[string]struct{ start, edit func(*pipeline.Settings) }{
		"sampler and steps": {nil, func(s *pipeline.Settings) { s.Sampler, s.Steps = "dpm++2m", 13 }},
		"another schedule":  {nil, func(s *pipeline.Settings) { s.Sampler, s.Sigmas = "dpm++2m", "karras" }},
		"two calls a step":  {nil, func(s *pipeline.Settings) { s.Sampler = "heun" }},
		"noise":             {nil, func(s *pipeline.Settings) { s.Eta, s.LaterSeed = 1, 7 }},
		"guidance off":      {nil, func(s *pipeline.Settings) { s.Guidance = 1 }},
		"guidance on":       {func(s *pipeline.Settings) { s.Guidance = 1 }, func(s *pipeline.Settings) { s.Guidance = 3 }},
		"CFG++":             {nil, func(s *pipeline.Settings) { s.Guidance, s.Guiding.PlusPlus = 0.6, true }},
		"another seed":      {nil, func(s *pipeline.Settings) { s.Seed = 1<<64 - 1 }},
		"words":             {nil, func(s *pipeline.Settings) { s.Prompt, s.Blend, s.BlendWeight = "a (b:1.2) <&>\u2028\n\"", "é", 0.25 }},
		"a variation":       {func(s *pipeline.Settings) { s.VariationSeed, s.VariationStrength = 7, 0.3 }, func(s *pipeline.Settings) { s.Steps = 9 }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := debug(t)
			d.begin(tt.start)
			d.advance(5)
			d.to(0, 3)
			d.edit(tt.edit)
			d.advance(1)
			again := d.reopened()
			alike(t, again.run, d.run)
			a, b := again.run.Tip(), d.run.Tip()
			for range 3 {
				var errA, errB error
				a, errA = d.model.Advance(t.Context(), a)
				b, errB = d.model.Advance(t.Context(), b)
				if errA != nil || errB != nil {
					t.Fatal(errA, errB)
				}
				if name := sameNumbers(numbers(t, a), numbers(t, b)); name != "" {
					t.Errorf("gone on with, %s differs", name)
				}
			}
			again.close()
		})
	}
}

// TestSharedTensorsAreWrittenOnce counts bytes: another guidance at a step has only
// its own eps and x0.
func TestSharedTensorsAreWrittenOnce(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	d.edit(func(s *pipeline.Settings) { s.Guidance = 5 })
	d.close()
	size := func(id int) int64 {
		info, err := os.Stat(tensorFile(d.session.Dir(), id))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const latent = 4 * 4 * 4 * 4
	if first, second := size(0), size(1); first < 5*latent || second < 2*latent || second >= 3*latent+100 {
		t.Errorf("files have %d and %d bytes, want 5 and 2 tensors of %d", first, second, latent)
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	d := debug(t)
	d.begin(func(s *pipeline.Settings) { s.Prompt = "x" })
	tensors, err := d.run.At().Tensors()
	if err != nil {
		t.Fatal(err)
	}
	tensors.State.X[0], tensors.State.X[1] = float32(math.NaN()), float32(math.Inf(-1))
	d.advance(2)
	d.close()
	s, run, err := Open(d.session.Dir(), d.model.Info(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for id := 1; id < 3; id++ {
		if name := sameNumbers(numbers(t, run.Step(id)), numbers(t, d.run.Step(id))); name != "" {
			t.Errorf("%s of step %d differs", name, id)
		}
	}
	if f := run.Step(2).Figures; !math.IsNaN(f.Spread) {
		t.Errorf("figures are %+v, want no numbers", f)
	}
}

func TestNothingIsWrittenBeforeTheFirstStep(t *testing.T) {
	d := debug(t)
	d.close()
	if _, err := os.Stat(d.session.Dir()); !os.IsNotExist(err) {
		t.Errorf("there is a folder: %v", err)
	}
}

func TestTwoSessionsOfOneName(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	other, err := Create(d.session.Dir(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	step, err := d.model.Begin(context.Background(), d.model.Settings())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Append(pipeline.Op{Do: pipeline.Take, Step: step}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if got, want := other.Dir(), d.session.Dir()+"-2"; got != want {
		t.Errorf("the second is in %s, want %s", got, want)
	}
	d.close()
}

func TestSecondOpenIsRefused(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	_, _, err := Open(d.session.Dir(), d.model.Info(), testHeader())
	if err == nil || !strings.Contains(err.Error(), "another ldx (process ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error is %v, want that it is open", err)
	}
	again := d.reopened()
	again.close()
}

func TestNotice(t *testing.T) {
	same := testHeader()
	other := func(change func(*Header)) Header { h := same; change(&h); return h }
	tests := map[string]struct {
		now  Header
		want string
	}{
		"same":    {same, ""},
		"cpu":     {other(func(h *Header) { h.CPU = "b" }), "the CPU (a, now b)"},
		"library": {other(func(h *Header) { h.Library = "2" }), "the library (1, now 2)"},
		"threads": {other(func(h *Header) { h.Threads = 8 }), "the threads (2, now 8)"},
		"model":   {other(func(h *Header) { h.Files = []File{{"unet/model.onnx", 1, "aa"}} }), "the model's unet/model.onnx"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := debug(t)
			d.begin(nil)
			d.close()
			s, run, err := Open(d.session.Dir(), d.model.Info(), tt.now)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Notice(); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
				t.Errorf("notice is %q, want %q", got, tt.want)
			}
			next := &debugging{t, d.works, d.model, run, s}
			next.advance(1)
			back := next.reopened() // where it began: the step in between was computed elsewhere
			if got := back.session.Notice(); (tt.want == "") != (got == "") {
				t.Errorf("back where it began, notice is %q", got)
			}
			back.close()
		})
	}
}

// TestAfterClose holds that what comes late is an error, or nothing, and no panic.
func TestAfterClose(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	d.close()
	d.close()
	d.session.Queue(pipeline.Op{Do: pipeline.Move})
	if err := d.session.Append(pipeline.Op{Do: pipeline.Move}); err == nil {
		t.Error("written after closing")
	}
	s, run, err := Open(d.session.Dir(), d.model.Info(), testHeader())
	if err != nil || run.Len() != 1 {
		t.Fatalf("error is %v, want a run of one step", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestMoved opens a session in another folder than it was made in.
func TestMoved(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	d.advance(3)
	d.close()
	moved := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(d.session.Dir(), moved); err != nil {
		t.Fatal(err)
	}
	s, run, err := Open(filepath.Join(moved, logName), d.model.Info(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	next := &debugging{t, d.works, d.model, run, s}
	alike(t, run, d.run)
	next.advance(1)
	next.close()
	if _, err := os.Stat(tensorFile(moved, 4)); err != nil {
		t.Error(err)
	}
}
