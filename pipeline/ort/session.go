package ort

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"
	"gorgonia.org/tensor"
)

// Graph is an ONNX file: on disk at Path, or Size bytes of File. Name is what
// errors call it.
type Graph struct {
	Name string
	Path string
	File io.ReaderAt
	Size int64
}

// bytes reads the whole of a graph that is not on disk.
func (g Graph) bytes() ([]byte, error) {
	data := make([]byte, g.Size)
	if n, err := g.File.ReadAt(data, 0); int64(n) < g.Size {
		return nil, err
	}
	return data, nil
}

// Session is a graph ready to run, by several goroutines if need be.
type Session struct {
	name            string
	inputs, outputs []Info
	mu              sync.RWMutex // held for reading by runs, for writing by Close
	session         *onnx.DynamicAdvancedSession
	closed          bool
	ended           func() // tells the runtime
}

// Load reads the graph's signature and makes a session. Errors name the file.
func (r *Runtime) Load(g Graph, o Options) (*Session, error) {
	sig, err := readSignature(g)
	if err != nil {
		return nil, err
	}
	if err := r.begin(); err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	s := &Session{name: g.Name, inputs: sig.inputs, outputs: sig.outputs, ended: r.end}
	cache := newGraphCache(o.GraphCache, g, r.version)
	if path := cache.find(); path != "" && s.open(Graph{Path: path}, o, optimised) == nil {
		return s, nil
	}
	err = s.open(g, o, cache.keep)
	if err != nil && cache.key != "" { // the cache's disk may be full
		err = s.open(g, o, func(*onnx.SessionOptions) (func(), error) { return func() {}, nil })
	}
	if err != nil {
		r.end()
		return nil, fmt.Errorf("%s: %w", g.Name, oneLine(err))
	}
	return s, nil
}

// optimised sets options for a graph that is optimised already.
func optimised(so *onnx.SessionOptions) (func(), error) {
	return func() {}, so.SetGraphOptimizationLevel(onnx.GraphOptimizationLevelDisableAll)
}

// open makes the session of a graph with options that set completes; what set
// returns is called when it is made.
func (s *Session) open(g Graph, o Options, set func(*onnx.SessionOptions) (func(), error)) error {
	so, err := o.session()
	if err != nil {
		return err
	}
	defer func() { _ = so.Destroy() }()
	finish, err := set(so)
	if err != nil {
		return err
	}
	defer finish()
	if g.File == nil {
		s.session, err = onnx.NewDynamicAdvancedSession(g.Path, names(s.inputs), names(s.outputs), so)
		return err
	}
	data, err := g.bytes()
	if err != nil {
		return err
	}
	s.session, err = onnx.NewDynamicAdvancedSessionWithONNXData(data, names(s.inputs), names(s.outputs), so)
	return err
}

// Name is the graph's name in errors.
func (s *Session) Name() string { return s.name }

// Inputs are the graph's inputs in order.
func (s *Session) Inputs() []Info { return s.inputs }

// Outputs are the graph's outputs in order.
func (s *Session) Outputs() []Info { return s.outputs }

// Input finds an input by any of the given names.
func (s *Session) Input(anyOf ...string) (Info, bool) {
	for _, name := range anyOf {
		for _, in := range s.inputs {
			if in.Name == name {
				return in, true
			}
		}
	}
	return Info{}, false
}

// Run evaluates the graph on one tensor per input, in the order of Inputs, and
// returns one per output. When ctx ends first, the run is terminated and ctx's
// error returned; some devices finish the run before they notice.
func (s *Session) Run(ctx context.Context, inputs ...*tensor.Dense) ([]*tensor.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("%s: the session is closed", s.name)
	}
	if len(inputs) != len(s.inputs) {
		return nil, fmt.Errorf("%s: %d tensors given, want %d", s.name, len(inputs), len(s.inputs))
	}
	in := make([]onnx.Value, len(inputs))
	defer destroy(in)
	for i, t := range inputs {
		v, err := toValue(t)
		if err != nil {
			return nil, fmt.Errorf("%s: input %s: %w", s.name, s.inputs[i].Name, err)
		}
		in[i] = v
	}
	out := make([]onnx.Value, len(s.outputs))
	defer destroy(out)
	if err := s.run(ctx, in, out); err != nil {
		return nil, err
	}
	results := make([]*tensor.Dense, len(out))
	for i, v := range out {
		t, err := fromValue(v)
		if err != nil {
			return nil, fmt.Errorf("%s: output %s: %w", s.name, s.outputs[i].Name, err)
		}
		results[i] = t
	}
	return results, nil
}

func (s *Session) run(ctx context.Context, in, out []onnx.Value) error {
	ro, err := onnx.NewRunOptions()
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	// The options are freed only once nobody can terminate through them.
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = ro.Terminate()
		close(terminated)
	})
	err = s.session.RunWithOptions(in, out, ro)
	if !stop() {
		<-terminated
	}
	err = errors.Join(err, ro.Destroy())
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, oneLine(err))
	}
	return nil
}

// Close frees the session once the runs under way have returned. Later runs fail.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	defer s.ended()
	return s.session.Destroy()
}

func names(infos []Info) []string {
	out := make([]string, len(infos))
	for i, in := range infos {
		out[i] = in.Name
	}
	return out
}

func destroy(values []onnx.Value) {
	for _, v := range values {
		if v != nil {
			_ = v.Destroy()
		}
	}
}
