package session

import (
	"container/list"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"unsafe"
	"weak"

	"gorgonia.org/tensor"

	"ldx/pipeline"
)

// store knows where on disk the tensors of all stored steps are, and which are in
// memory too. Slices are known by weak pointers: knowing them keeps none alive.
type store struct {
	mu      sync.Mutex
	dir     string
	refs    map[weak.Pointer[float32]]ref
	slices  map[ref]weak.Pointer[float32]
	steps   map[int]*stored
	recent  list.List // of the *stored that are in memory, the one used last in front
	holders map[ref]int
	// budget, memory and disk are in bytes, each slice counted once.
	budget, memory, disk int64
}

// stored is a step on disk.
type stored struct {
	step  *pipeline.Step
	call  int
	draws int
	shape tensor.Shape
	refs  map[string]ref
	at    *list.Element // nil while it is not in memory
}

func newStore(dir string) *store {
	return &store{
		dir: dir, budget: DefaultBudget,
		refs: map[weak.Pointer[float32]]ref{}, slices: map[ref]weak.Pointer[float32]{}, steps: map[int]*stored{}, holders: map[ref]int{},
	}
}

// move says in which folder the session came to lie, and the size of its header.
func (s *store) move(dir string, header int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dir, s.disk = dir, int64(header)
}

// grow counts bytes written to the log.
func (s *store) grow(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk += int64(n)
}

func (s *store) get(id int) *stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps[id]
}

// plan finds out which tensors of a step are on disk already, and which are its own to
// write.
func (s *store) plan(step *pipeline.Step, t *pipeline.Tensors) (*stored, map[string][]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &stored{step: step, call: step.Call(), draws: t.State.Draws, shape: step.Shape(), refs: map[string]ref{}}
	own, mine := map[string][]float32{}, map[*float32]ref{}
	for _, name := range names(len(t.State.Memory)) {
		data := *field(t, name)
		if data == nil {
			continue
		}
		if n := k.shape.TotalSize(); len(data) != n {
			return nil, nil, fmt.Errorf("step %d cannot be written: %s has %d values, want %d", step.ID(), name, len(data), n)
		}
		known, ok := mine[&data[0]]
		if !ok {
			known, ok = s.refs[weak.Make(&data[0])]
		}
		if !ok {
			known = ref{step.ID(), name}
			own[name], mine[&data[0]] = data, known
		}
		k.refs[name] = known
	}
	return k, own, nil
}

// add takes in a step that is on disk now, in a tensor file of so many bytes, and in
// memory too.
func (s *store) add(k *stored, t *pipeline.Tensors, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk += int64(size)
	s.steps[k.step.ID()] = k
	for name, r := range k.refs {
		s.know(r, *field(t, name))
	}
	k.step.Written(s.loader(k))
	s.hold(k)
}

// know remembers where a slice is on disk.
func (s *store) know(r ref, data []float32) {
	p := weak.Make(&data[0])
	if old := s.slices[r]; old != p {
		delete(s.refs, old)
	}
	s.slices[r], s.refs[p] = p, r
}

// alive is the slice of a tensor, if anybody still has it.
func (s *store) alive(r ref, n int) []float32 {
	if p := s.slices[r].Value(); p != nil {
		return unsafe.Slice(p, n)
	}
	return nil
}

// loader reads a step's tensors. What other steps have in memory is shared with them.
func (s *store) loader(k *stored) func() (*pipeline.Tensors, error) {
	return func() (*pipeline.Tensors, error) {
		have, missing := s.shared(k)
		for step, want := range missing {
			read, err := readTensors(tensorFile(s.dir, step), k.shape, want)
			if err != nil {
				return nil, fmt.Errorf("step %d: %w", k.step.ID(), err)
			}
			for name, data := range read {
				have[ref{step, name}] = data
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for r, data := range have {
			if other := s.alive(r, len(data)); other != nil {
				have[r] = other
			}
			s.know(r, have[r])
		}
		s.hold(k)
		return k.tensors(have), nil
	}
}

// shared finds those of a step's tensors that are in memory, and lists the others by
// the step in whose file they are.
func (s *store) shared(k *stored) (have map[ref][]float32, missing map[int][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	have, missing = map[ref][]float32{}, map[int][]string{}
	for r := range k.distinct() {
		if data := s.alive(r, k.shape.TotalSize()); data != nil {
			have[r] = data
		} else {
			missing[r.step] = append(missing[r.step], r.name)
		}
	}
	return have, missing
}

// distinct are the tensors of a step, each once.
func (k *stored) distinct() map[ref]bool {
	all := make(map[ref]bool, len(k.refs))
	for r := range maps.Values(k.refs) {
		all[r] = true
	}
	return all
}

// tensors puts a step's tensors together.
func (k *stored) tensors(have map[ref][]float32) *pipeline.Tensors {
	t := &pipeline.Tensors{}
	t.State.Index, t.State.Draws = k.call, k.draws
	if n := k.memory(); n > 0 {
		t.State.Memory = make([][]float32, n)
	}
	for name, r := range k.refs {
		*field(t, name) = have[r]
	}
	return t
}

// memory counts what the step's solver remembers.
func (k *stored) memory() (n int) {
	for n < maxMemory {
		if _, ok := k.refs[memoryName+strconv.Itoa(n)]; !ok {
			break
		}
		n++
	}
	return n
}
