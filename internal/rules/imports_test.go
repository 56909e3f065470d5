// Package rules holds the project to its design: who may import whom.
package rules

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the module's folder, seen from this one.
const root = "../.."

// rule says what the packages under a folder never import. The longest matching
// folder counts.
type rule struct {
	folder string
	never  []string
	except []string // of those, what is allowed
}

var rules = []rule{
	{folder: "samplers", never: []string{"ldx"}},
	{folder: "assets", never: []string{"ldx"}},
	{folder: "pipeline", never: []string{"ldx/tui", "ldx/internal", "github.com/yalue/onnxruntime_go"}},
	{folder: "pipeline/ort", never: []string{"ldx/tui", "ldx/internal"}},
	{folder: "pipeline/ort/library", never: []string{"ldx", "github.com/yalue/onnxruntime_go"}},
	{folder: "pipeline/clip", never: []string{"ldx", "github.com/yalue/onnxruntime_go"}},
	{folder: "pipeline/prompt", never: []string{"ldx", "github.com/yalue/onnxruntime_go"}, except: []string{"ldx/pipeline/clip"}},
	{folder: "pipeline/exif", never: []string{"ldx", "github.com/yalue/onnxruntime_go"}},
	{folder: "tui", never: []string{"ldx/pipeline/ort", "ldx/internal", "github.com/yalue/onnxruntime_go"}},
	{folder: "tui/termimg", never: []string{"ldx"}},
	{folder: "internal", never: []string{"github.com/yalue/onnxruntime_go"}},
	{folder: "", never: []string{"ldx", "github.com/yalue/onnxruntime_go"}, except: []string{"ldx/internal/cli"}}, // main.go
}

// samplersMay are the only modules that package samplers uses beside the standard
// library.
const samplersMay = "gonum.org/v1/gonum"

func TestImportRules(t *testing.T) {
	seen := map[string]bool{}
	eachFile(t, func(folder string, imports []string) {
		r, ok := ruleFor(folder)
		if !ok {
			return
		}
		seen[r.folder] = true
		for _, imp := range imports {
			if forbidden(r, imp) {
				t.Errorf("%s imports %s, which the design rules out", folder, imp)
			}
		}
	})
	for _, r := range rules {
		if !seen[r.folder] {
			t.Errorf("no file matched the rule for %q: is the folder gone?", r.folder)
		}
	}
}

func forbidden(r rule, imp string) bool {
	if r.folder == "samplers" && strings.Contains(imp, ".") && !within(imp, samplersMay) {
		return true
	}
	for _, allowed := range r.except {
		if imp == allowed {
			return false
		}
	}
	for _, never := range r.never {
		own := "ldx/" + r.folder
		if within(imp, never) && !within(imp, own) {
			return true
		}
	}
	return false
}

func ruleFor(folder string) (best rule, ok bool) {
	for _, r := range rules {
		if (within(folder, r.folder) || r.folder == folder) && (!ok || len(r.folder) > len(best.folder)) && (r.folder != "" || folder == "") {
			best, ok = r, true
		}
	}
	return best, ok
}

// within reports whether a path is folder or lies below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// eachFile visits the imports of every file that is not a test.
func eachFile(t *testing.T, visit func(folder string, imports []string)) {
	t.Helper()
	fsys := os.DirFS(root)
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		imports := make([]string, 0, len(f.Imports))
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports = append(imports, p)
		}
		folder := path.Dir(name)
		if folder == "." {
			folder = ""
		}
		visit(folder, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestForbiddenIsForbidden keeps the test above from passing for nothing.
func TestForbiddenIsForbidden(t *testing.T) {
	for _, c := range []struct {
		folder, imp string
		want        bool
	}{
		{"tui/explorer", "ldx/pipeline/ort", true},
		{"tui/explorer", "ldx/pipeline", false},
		{"tui/termimg", "ldx/pipeline", true},
		{"samplers", "gorgonia.org/tensor", true},
		{"samplers", "gonum.org/v1/gonum/stat", false},
		{"samplers", "math", false},
		{"pipeline", "github.com/yalue/onnxruntime_go", true},
		{"pipeline/ort", "github.com/yalue/onnxruntime_go", false},
		{"pipeline", "ldx/pipeline/ort", false},
		{"", "ldx/tui", true},
		{"", "ldx/internal/cli", false},
	} {
		r, ok := ruleFor(c.folder)
		if !ok {
			t.Fatalf("no rule for %q", c.folder)
		}
		if got := forbidden(r, c.imp); got != c.want {
			t.Errorf("%q importing %s: forbidden is %v, want %v", c.folder, c.imp, got, c.want)
		}
	}
}
