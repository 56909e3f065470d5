package library

import (
	"encoding/hex"
	"path"
	"testing"
)

func TestPinned(t *testing.T) {
	hashes := map[string]string{}
	for _, platform := range [][2]string{
		{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
	} {
		pins, ok := pinned(platform[0], platform[1])
		if !ok || pins.wheelTag == "" {
			t.Fatalf("nothing is pinned for %v", platform)
		}
		for source, b := range map[string]bundle{"npm": pins.npm, "pip": pins.pip} {
			if b.members[0].name != libraryName(platform[0]) {
				t.Errorf("%v %s: the library is not first but %s", platform, source, b.members[0].name)
			}
			for _, m := range b.members {
				if sum, err := hex.DecodeString(m.sha256); err != nil || len(sum) != 32 || m.size <= 0 {
					t.Errorf("%v %s: %s has no proper pin", platform, source, m.name)
				}
				if other, twice := hashes[m.sha256]; twice {
					t.Errorf("%s and %s have one hash", m.path, other)
				}
				hashes[m.sha256] = m.path
				if path.Base(m.name) != m.name {
					t.Errorf("%q would leave the cache folder", m.name)
				}
			}
		}
	}
	if pins, ok := pinned("darwin", "amd64"); ok {
		t.Errorf("got %+v for Intel Macs, which have no published library", pins)
	}
}

func TestFlat(t *testing.T) {
	pins := testPublished()
	before := pins.npm.members[0].path
	for _, m := range pins.npm.flat().members {
		if m.path != m.name {
			t.Errorf("got path %q for %q", m.path, m.name)
		}
	}
	if pins.npm.members[0].path != before {
		t.Error("flat changed the bundle it was made from")
	}
}
