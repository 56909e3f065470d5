package scenario

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldx/internal/screentest"
)

// header waits until the first row says something.
func header(s *screentest.Screen, text string) {
	s.Wait("header "+text, func(s *screentest.Screen) bool { return strings.Contains(s.Row(0), text) })
}

// pick opens the list of models and loads the one below the first.
func pick(s *screentest.Screen, name string) {
	s.Type("m")
	s.WaitText("╭─ models")
	s.Type(screentest.Down)
	s.WaitText("▸ " + name)
	s.Type(screentest.Enter)
}

// TestPickModel loads a second model, which makes the same pictures.
func TestPickModel(t *testing.T) {
	p := newPlace(t)
	p.model(filepath.Join(p.data, "ldx", "models", "copy"))
	s := p.open(wide)
	s.Type("m")
	s.WaitText("╭─ models")
	for _, name := range []string{"emoji-128", "copy"} {
		s.WaitText(name + "  128x128, ")
	}
	s.Type(screentest.Escape)
	s.Wait("the pictures again", func(s *screentest.Screen) bool { return strings.Contains(s.Text(), "decoded") })
	pick(s, "copy")
	header(s, "ldx  copy")
	atStep(s, steps)
	m := newModel(t)
	m.same(s, screentest.Plain, m.to(m.begin(m.settings()), steps))
	s.Type("s")
	s.WaitText("saved ldx-42-step06.png")
	quit(t, s)
	says(t, parameters(t, p.read("ldx-42-step06.png")), "Model: copy")
}

// TestBrokenModelInExplorer shows why a model does not load and still offers
// others.
func TestBrokenModelInExplorer(t *testing.T) {
	p := newPlace(t)
	p.model(p.path("broken"))
	p.replace("broken", "unet/model.onnx", []byte("damaged"))
	for _, o := range []screentest.Options{narrow, wide} {
		s := p.screen(o, sampling("--model", "./broken")...)
		s.WaitText("broken/unet/model.onnx")
		s.WaitText("m picks a model")
		waitSane(s)
		s.Type("m")
		s.WaitText("▸ emoji-128")
		s.Type(screentest.Enter)
		atStep(s, steps)
		header(s, "ldx  emoji-128")
		quit(t, s)
	}
}

// TestSecondModelBroken keeps the model that there is when another does not load.
func TestSecondModelBroken(t *testing.T) {
	p := newPlace(t)
	broken := filepath.Join(p.data, "ldx", "models", "other")
	p.model(broken)
	p.must(os.Symlink(broken, p.path("other")))
	p.replace("other", "text_encoder/model.onnx", []byte("damaged"))
	s := p.open(wide)
	pick(s, "other")
	s.WaitText("✗ ")
	header(s, "ldx  emoji-128")
	s.Type(screentest.Home)
	atStep(s, 0) // it still works
	quit(t, s)
}

// TestBrokenLibraryInExplorer shows why there is no library.
func TestBrokenLibraryInExplorer(t *testing.T) {
	p := newPlace(t)
	p.write("notes.txt", "no library\n")
	s := p.screen(narrow, "--ort-library", p.path("notes.txt"))
	s.WaitText("--ort-library")
	waitSane(s)
	quit(t, s)
}

// noPanic looks for a panic on the screen and in the log.
func noPanic(t *testing.T, p *place, s *screentest.Screen) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(p.state, "ldx", "ldx.log"))
	p.must(err)
	for _, text := range [][]byte{log, s.Raw()} {
		for _, word := range []string{"panic", "internal error", "goroutine ", "SIGSEGV"} {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("the program says %q", word)
			}
		}
	}
}
