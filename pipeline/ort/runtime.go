package ort

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"
	// gorgonia.org/tensor checks at start, through this package, that the garbage
	// collector does not move memory. Named here so that go.mod keeps it at a
	// version that knows this Go; the one tensor asks for refuses to start.
	_ "go4.org/unsafe/assume-no-moving-gc"
)

// Runtime is the loaded library. A process has one at a time.
type Runtime struct {
	version  string
	mu       sync.Mutex
	sessions int // made or being made
	closed   bool
}

// begin counts a session, unless the library is closed.
func (r *Runtime) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.New("the ONNX Runtime library is closed")
	}
	r.sessions++
	return nil
}

func (r *Runtime) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions--
}

// Open loads the shared library at path. Loading runs no code of the user's and
// takes some ten milliseconds.
func Open(path string) (*Runtime, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("ONNX Runtime library: %w", err)
	}
	if !onnx.IsInitialized() {
		// The library's own telemetry would write a device id into the user's home.
		if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
			return nil, fmt.Errorf("ONNX Runtime library: %w", err)
		}
		onnx.SetSharedLibraryPath(path)
		if err := onnx.InitializeEnvironment(onnx.WithLogLevelError()); err != nil {
			return nil, fmt.Errorf("ONNX Runtime library %s does not load: %w", path, err)
		}
	}
	return &Runtime{version: onnx.GetVersion()}, nil
}

// Version is the library's version, for example "1.30.0".
func (r *Runtime) Version() string { return r.version }

// Close unloads the library, unless sessions are left or being made: those go with
// the process. No session is made after it.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed = true; r.sessions > 0 || !onnx.IsInitialized() {
		return nil
	}
	return onnx.DestroyEnvironment()
}

// Options are how a session is made.
type Options struct {
	Threads int // threads inside an operator; 0 = one a core
	// Spin lets idle threads wait actively for the next operator: a tenth faster in
	// a loop, and in the way of everything else in between.
	Spin bool
	// GraphCache is a folder for optimised graphs; "" keeps none.
	GraphCache string
}

func (o Options) session() (*onnx.SessionOptions, error) {
	so, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	threads := o.Threads
	if threads == 0 {
		threads = runtime.NumCPU()
	}
	err = so.SetIntraOpNumThreads(threads)
	if !o.Spin {
		err = errors.Join(err, so.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"))
	}
	if err != nil {
		return nil, errors.Join(err, so.Destroy())
	}
	return so, nil
}
