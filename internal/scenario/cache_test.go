package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ownCache gives the place a cache folder that no other test has written to.
func (p *place) ownCache() (graphs string) {
	cache := filepath.Join(p.home, ".cache")
	p.env = append(p.env, "XDG_CACHE_HOME="+cache)
	return filepath.Join(cache, "ldx", "graphs")
}

// homeFiles lists what the program left in its user's home.
func (p *place) homeFiles() []string {
	home := *p
	home.dir = p.home
	return home.list()
}

// TestLeavesHomeAlone looks for what the library writes of its own accord.
func TestLeavesHomeAlone(t *testing.T) {
	p := newPlace(t)
	p.ownCache()
	p.run("run", "--steps", "1", "-o", "a.png").succeeds(t)
	for _, file := range p.homeFiles() {
		if !strings.Contains(file, "/ldx/") || !strings.HasSuffix(file, ".onnx") {
			t.Errorf("%s is left behind", file)
		}
	}
}

// TestDamagedCache damages every optimised graph that was kept: each is made
// again.
func TestDamagedCache(t *testing.T) {
	p := newPlace(t)
	graphs := p.ownCache()
	p.run(append([]string{"run", "-o", "first.png"}, sampling()...)...).succeeds(t)
	kept, err := os.ReadDir(graphs)
	p.must(err)
	damage := []func([]byte) []byte{
		func(data []byte) []byte { return data[:len(data)/2] },
		func([]byte) []byte { return nil },
		func(data []byte) []byte { data[len(data)/2] ^= 1; return data },
	}
	for i, e := range kept {
		data, err := os.ReadFile(filepath.Join(graphs, e.Name()))
		p.must(err)
		p.must(os.WriteFile(filepath.Join(graphs, e.Name()), damage[i%len(damage)](data), 0o644))
	}
	p.run(append([]string{"run", "-o", "second.png"}, sampling()...)...).succeeds(t)
	samePixels(t, decodePNG(t, p.read("second.png")), decodePNG(t, p.read("first.png")))
	again, err := os.ReadDir(graphs)
	p.must(err)
	if len(again) != len(kept) {
		t.Errorf("the cache holds %v, before %v", again, kept)
	}
}

// TestNoCache does without a cache that cannot be made.
func TestNoCache(t *testing.T) {
	p := newPlace(t)
	p.write("file", "")
	p.env = append(p.env, "XDG_CACHE_HOME="+p.path("file"), "HOME="+p.path("file"))
	p.run("run", "--steps", "1", "-o", "a.png").succeeds(t)
	p.holds("a.png", "file")
}

// TestStaleCache clears away what an earlier start left half-written.
func TestStaleCache(t *testing.T) {
	p := newPlace(t)
	graphs := p.ownCache()
	p.must(os.MkdirAll(graphs, 0o755))
	stale := filepath.Join(graphs, ".graph.123")
	p.must(os.WriteFile(stale, []byte("half"), 0o600))
	long := time.Now().Add(-24 * time.Hour)
	p.must(os.Chtimes(stale, long, long))
	p.run("run", "--steps", "1", "-o", "a.png").succeeds(t)
	if _, err := os.Stat(stale); err == nil {
		t.Errorf("%s is still there", stale)
	}
}
