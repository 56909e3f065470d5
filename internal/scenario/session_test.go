package scenario

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"ldx/internal/screentest"
	"ldx/internal/testlib"
	"ldx/pipeline"
	"ldx/pipeline/session"
)

// sessionDir is the folder of the only session there is in the place.
func (p *place) sessionDir() string {
	p.t.Helper()
	found, err := filepath.Glob(filepath.Join(p.data, "ldx", "sessions", "*"))
	p.must(err)
	if len(found) != 1 {
		p.t.Fatalf("the sessions are %q, want one", found)
	}
	return found[0]
}

// session is the run that a session's folder holds, read from a copy: the program may
// have it open, and reading changes nothing.
func (p *place) session(dir string) *pipeline.Run {
	p.t.Helper()
	duplicate := filepath.Join(p.t.TempDir(), "session")
	p.must(os.CopyFS(duplicate, os.DirFS(dir)))
	info, err := pipeline.ReadInfo(testlib.Embedded())
	p.must(err)
	s, run, err := session.Open(duplicate, info, session.Header{})
	p.must(err)
	p.t.Cleanup(func() { p.must(s.Close()) })
	return run
}

// calls is how often the denoiser was called for the steps of a run.
func calls(run *pipeline.Run) (n int) {
	for id := range run.Len() {
		n += run.Step(id).Timing.Calls
	}
	return n
}

// digests are hashes of all tensors of the steps of a path, each by its name.
func digests(t *testing.T, path []*pipeline.Step) (all []string) {
	t.Helper()
	for _, s := range path {
		have, err := s.Tensors()
		if err != nil {
			t.Fatal(err)
		}
		named := append([][]float32{have.State.X, have.Cond, have.Uncond, have.Eps(), have.X0}, have.State.Memory...)
		line := fmt.Sprintf("step %d:", s.Index())
		for _, values := range named {
			line += " " + digest(values)
		}
		all = append(all, line)
	}
	return all
}

func digest(values []float32) string {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// pixels is a picture's hash.
func pixels(img *image.RGBA) string {
	hash := sha256.New()
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		from := img.PixOffset(img.Rect.Min.X, y)
		hash.Write(img.Pix[from : from+4*img.Rect.Dx()])
	}
	return fmt.Sprintf("%v %x", img.Rect.Size(), hash.Sum(nil))
}

// again waits until the large picture is one that was shown before, bit for bit.
func again(t *testing.T, s *screentest.Screen, want string) {
	t.Helper()
	s.Wait("the same picture as before", func(s *screentest.Screen) bool {
		return len(s.Pictures()) > 0 && pixels(shown(t, s)) == want
	})
}

// outline is the branches of a run as they are listed, and where it is looked at.
func outline(run *pipeline.Run) (lines []string) {
	for _, b := range run.Branches() {
		lines = append(lines, fmt.Sprintf("%d %s from %d at %d: step %d at %d", b.ID, b.Name, b.From, b.At, b.Tip.ID(), b.Tip.Index()))
	}
	if m := run.Marked(); m != nil {
		lines = append(lines, fmt.Sprintf("marked %d", m.ID()))
	}
	return append(lines, fmt.Sprintf("at %d of %s", run.Cursor(), run.Current().Name))
}
