package termimg

import (
	"image"
	"testing"
)

// TestEncodingsKeepTheNewest finds what was kept, forgets the oldest over the bound, and
// tells pictures, sizes and qualities apart.
func TestEncodingsKeepTheNewest(t *testing.T) {
	var e encodings
	at := func(side int, fine bool) encodingKey {
		return encodingKey{img: image.NewRGBA(image.Rect(0, 0, side, side)), key: key{mode: mode{protocol: Sixel}}, fine: fine}
	}
	const side = 1024 // 4 MiB
	var keys []encodingKey
	for range keepBytes/(4*side*side) + 2 {
		k := at(side, false)
		e.keep(k, encoded{view: "view"})
		keys = append(keys, k)
		if _, ok := e.find(keys[0]); !ok {
			t.Fatal("what is looked at again and again was let go of")
		}
	}
	if e.bytes > keepBytes {
		t.Errorf("%d bytes are kept, want at most %d", e.bytes, keepBytes)
	}
	if _, ok := e.find(keys[1]); ok {
		t.Error("the oldest is still there")
	}
	newest := keys[len(keys)-1]
	if got, ok := e.find(newest); !ok || got.view != "view" {
		t.Error("the newest is not there")
	}
	for _, other := range []encodingKey{{newest.img, newest.key, true}, {newest.img, key{}, false}, at(side, false)} {
		if _, ok := e.find(other); ok {
			t.Errorf("found %+v, which was never kept", other.key)
		}
	}
	before := e.bytes
	if e.keep(newest, encoded{}); e.bytes != before {
		t.Error("the same one was counted twice")
	}
}
