// Package testlib gives tests the ONNX Runtime library, by the same code that
// users get it with.
package testlib

import (
	"context"
	"sync"
	"testing"
	"time"

	"ldx/assets"
	"ldx/pipeline"
	"ldx/pipeline/ort"
	"ldx/pipeline/ort/library"
)

// fetchTimeout bounds the one download a machine needs.
const fetchTimeout = 10 * time.Minute

var openOnce = sync.OnceValues(func() (*ort.Runtime, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	location, err := library.Ensure(ctx, library.Options{})
	if err != nil {
		return nil, err
	}
	return ort.Open(location.Path)
})

// Runtime is the library, loaded once a process and never closed.
func Runtime(tb testing.TB) *ort.Runtime {
	tb.Helper()
	rt, err := openOnce()
	if err != nil {
		tb.Fatal(err)
	}
	return rt
}

// Embedded is the embedded model's folder.
func Embedded() pipeline.Folder {
	return pipeline.Folder{Name: assets.ModelName, FS: assets.Model()}
}

// Model loads the embedded model and closes it with the test.
func Model(tb testing.TB) *pipeline.Model {
	tb.Helper()
	m, err := pipeline.Load(context.Background(), Runtime(tb), Embedded(), pipeline.LoadOptions{Device: "cpu"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Error(err)
		}
	})
	return m
}
