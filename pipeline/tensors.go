package pipeline

import (
	"sync"
	"sync/atomic"

	"ldx/samplers"
)

// Tensors are the numbers of a step. They are shared between steps and not written to.
type Tensors struct {
	State samplers.State // x_k, and what the solver remembers
	// Cond and Uncond are what the denoiser gave here, before guidance. Uncond is nil
	// where guidance was off, both are at the end.
	Cond, Uncond []float32
	Guided       samplers.GuidedOutput // the output with guidance applied; zero at the end
	X0           []float32             // the predicted original; at the end the latent itself
}

// Eps is the model's output with guidance applied, nil at the end.
func (t *Tensors) Eps() []float32 { return t.Guided.Output }

// holder has a step's tensors, or gets them from where they were written.
type holder struct {
	held atomic.Pointer[Tensors]
	load atomic.Pointer[func() (*Tensors, error)]
	// loading is held while numbers are read, so that they are read once, and that
	// whoever counts what is in memory never releases what is just on its way there.
	loading sync.Mutex
}

// Tensors are the step's numbers, read from disk where they are not in memory.
func (h *holder) Tensors() (*Tensors, error) {
	if t := h.held.Load(); t != nil {
		return t, nil
	}
	h.loading.Lock()
	defer h.loading.Unlock()
	if t := h.held.Load(); t != nil {
		return t, nil
	}
	t, err := (*h.load.Load())()
	if err != nil {
		return nil, err
	}
	h.held.Store(t)
	return t, nil
}

// Held are the step's numbers if they are in memory, else nil.
func (h *holder) Held() *Tensors { return h.held.Load() }

// Written says how the step's numbers are read again, so that they may be released.
func (h *holder) Written(load func() (*Tensors, error)) { h.load.Store(&load) }

// Release lets go of the step's numbers. It reports false, and does nothing, where they
// could not be read again or are being read right now; it never waits.
func (h *holder) Release() bool {
	if h.load.Load() == nil || !h.loading.TryLock() {
		return false
	}
	defer h.loading.Unlock()
	h.held.Store(nil)
	return true
}
