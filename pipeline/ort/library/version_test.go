package library

import "testing"

func TestVersionInName(t *testing.T) {
	tests := map[string]version{
		"libonnxruntime.so.1.30.0":        {1, 30, 0},
		"libonnxruntime.so.1.21":          {1, 21, 0},
		"libonnxruntime.1.24.3.dylib":     {1, 24, 3},
		"libonnxruntime.so":               {},
		"libonnxruntime.so.1":             {},
		"libonnxruntime.1.dylib":          {},
		"libonnxruntime.so.1.-3":          {},
		"libonnxruntime.so.1.30.0.0":      {},
		"libonnxruntime.so.1.99999999999": {},
		"libonnxruntime.so.0.0.0":         {},
		"onnxruntime.dll":                 {},
		"libonnxruntime.dylib":            {},
		"libonnxruntime_providers.so.1.2": {},
	}
	for name, want := range tests {
		got, ok := versionInName(name)
		if got != want || ok != want.known() {
			t.Errorf("%s: got %v, %v, want %v", name, got, ok, want)
		}
	}
}

func TestSupported(t *testing.T) {
	tests := map[version]bool{
		{1, 23, 9}: false, {1, 24, 0}: true, {1, 30, 0}: true, {1, 99, 0}: true,
		{2, 30, 0}: false, {0, 30, 0}: false, {}: false,
	}
	for v, want := range tests {
		if got := v.supported(); got != want {
			t.Errorf("%v: got %v, want %v", v, got, want)
		}
	}
}

func TestNewer(t *testing.T) {
	ascending := []version{{}, {1, 9, 9}, {1, 24, 0}, {1, 24, 1}, {1, 30, 0}, {2, 0, 0}}
	for i, v := range ascending {
		for j, w := range ascending {
			if got := v.newer(w); got != (i > j) {
				t.Errorf("%v newer than %v: got %v", v, w, got)
			}
		}
	}
}

func FuzzVersionInName(f *testing.F) {
	f.Add("libonnxruntime.so.1.30.0")
	f.Add("libonnxruntime.1.30.0.dylib")
	f.Add("libonnxruntime.so.1")
	f.Fuzz(func(t *testing.T, name string) {
		v, ok := versionInName(name)
		if ok != v.known() {
			t.Fatalf("%q: version %v, but ok is %v", name, v, ok)
		}
		if again, known := parseVersion(v.String()); ok && (!known || again != v) {
			t.Errorf("%q: version %v reads back as %v", name, v, again)
		}
	})
}
