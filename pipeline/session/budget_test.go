package session

import (
	"runtime"
	"sync"
	"testing"

	"ldx/pipeline"
)

// TestSpilling takes the same steps with hardly any memory and with plenty: the numbers
// are the same, and memory stays within the budget.
func TestSpilling(t *testing.T) {
	const latent = 4 * 4 * 4 * 4
	plenty, little := debug(t), debug(t)
	little.session.SetBudget(8 * latent)
	for _, d := range []*debugging{plenty, little} {
		d.begin(func(s *pipeline.Settings) { s.Sampler = "dpm++3m" })
		d.advance(10)
		d.to(0, 4)
		d.edit(func(s *pipeline.Settings) { s.Prompt = "another" })
		d.advance(6)
		d.to(0, 2)
		d.edit(func(s *pipeline.Settings) { s.Guidance = 5 })
		d.advance(6)
	}
	memory, disk, spilled := little.session.Usage()
	if memory > 8*latent || memory < latent || spilled < 15 || disk < memory {
		t.Errorf("usage is %d bytes in memory, %d on disk, %d steps spilled", memory, disk, spilled)
	}
	for id := range plenty.run.Len() {
		if name := sameNumbers(numbers(t, little.run.Step(id)), numbers(t, plenty.run.Step(id))); name != "" {
			t.Errorf("step %d: %s differs", id, name)
		}
	}
	if after, _, _ := little.session.Usage(); after > 8*latent {
		t.Errorf("after reading them all, %d bytes are in memory", after)
	}
	if memory, _, spilled := plenty.session.Usage(); spilled != 0 || memory < 50*latent {
		t.Errorf("with plenty of memory, %d bytes and %d steps spilled", memory, spilled)
	}
	plenty.session.SetBudget(0)
	if _, _, spilled := plenty.session.Usage(); spilled != plenty.run.Len()-1 {
		t.Errorf("%d steps spilled at a budget of 0, want all of %d but one", spilled, plenty.run.Len())
	}
	plenty.close()
	little.close()
}

// TestSharedSlicesStayShared reads steps that share tensors: they have the same memory,
// and it counts once.
func TestSharedSlicesStayShared(t *testing.T) {
	d := debug(t)
	d.begin(nil)
	d.edit(func(s *pipeline.Settings) { s.Guidance = 5 })
	whole, _, _ := d.session.Usage()
	again := d.reopened()
	defer again.close()
	a, errA := again.run.Step(0).Tensors()
	runtime.GC()
	b, errB := again.run.Step(1).Tensors()
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if &a.State.X[0] != &b.State.X[0] || &a.Cond[0] != &b.Cond[0] || &a.X0[0] == &b.X0[0] {
		t.Error("shared tensors were read twice")
	}
	if memory, _, _ := again.session.Usage(); memory != whole {
		t.Errorf("%d bytes in memory, want the %d of before", memory, whole)
	}
}

// TestTogether advances, scrubs and queues by several goroutines over a tiny budget.
func TestTogether(t *testing.T) {
	d := debug(t)
	d.session.SetBudget(1000)
	d.begin(nil)
	d.advance(10)
	path := d.run.Path()
	want := make([]map[string][]uint32, len(path))
	for i, s := range path {
		want[i] = numbers(t, s)
	}
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			for i := range 200 {
				s := path[(i*7+n)%len(path)]
				if name := sameNumbers(numbers(t, s), want[s.Index()]); name != "" {
					t.Errorf("%s of step %d differs", name, s.Index())
				}
				d.session.Queue(pipeline.Op{Do: pipeline.Move, To: i % len(path)})
				d.session.Usage()
				if i%50 == 0 {
					runtime.GC()
				}
			}
		})
	}
	group.Go(func() { d.advance(10) })
	group.Wait()
	held := int64(0)
	for id := range d.run.Len() {
		if s := d.run.Step(id); s.Held() != nil {
			held++
		}
	}
	if _, _, spilled := d.session.Usage(); int64(d.run.Len()-spilled) != held {
		t.Errorf("%d steps are in memory, the session says %d", held, d.run.Len()-spilled)
	}
	d.close()
}

// TestManyBranches is many branches: each comes back.
func TestManyBranches(t *testing.T) {
	dir, info := manyBranches(t, 200)
	s, run, err := Open(dir, info, testHeader())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if got := len(run.Branches()); got != 201 {
		t.Errorf("%d branches, want 201", got)
	}
}

// manyBranches is a session of a trunk of 20 steps and edits of its tenth.
func manyBranches(t testing.TB, n int) (dir string, info pipeline.Info) {
	d := debug(t)
	d.begin(nil)
	d.advance(20)
	for i := range n {
		d.to(0, 10)
		d.edit(func(s *pipeline.Settings) { s.Guidance = 1 + float64(i)/1000 })
	}
	d.close()
	return d.session.Dir(), d.model.Info()
}

// BenchmarkOpen opens a session of 10,000 branches.
func BenchmarkOpen(b *testing.B) {
	dir, info := manyBranches(b, 10000)
	for b.Loop() {
		s, _, err := Open(dir, info, testHeader())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkAppend writes steps of all their own tensors: a latent as the embedded
// model's, and as Stable Diffusion's.
func BenchmarkAppend(b *testing.B) {
	for name, side := range map[string]int{"4x16x16": 64, "4x64x64": 256} {
		b.Run(name, func(b *testing.B) {
			d := debug(b)
			d.begin(func(s *pipeline.Settings) { s.Width, s.Height = side, side })
			at := d.run.Tip()
			for b.Loop() {
				b.StopTimer()
				step, err := d.model.Advance(b.Context(), at)
				if err != nil {
					b.Fatal(err)
				}
				d.run.Number(step)
				b.StartTimer()
				if err := d.session.Append(pipeline.Op{Do: pipeline.Take, Step: step, Aim: d.run.AimOn()}); err != nil {
					b.Fatal(err)
				}
			}
			d.close()
		})
	}
}
