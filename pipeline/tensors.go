package pipeline

import (
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
}

// Tensors are the step's numbers, read from disk where they are not in memory.
func (h *holder) Tensors() (*Tensors, error) {
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

// Release lets go of the step's numbers, if they can be read again.
func (h *holder) Release() {
	if h.load.Load() != nil {
		h.held.Store(nil)
	}
}
