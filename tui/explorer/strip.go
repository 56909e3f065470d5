package explorer

import "image"

// thumbSide is the size of a thumbnail in pixels.
const thumbSide = 48

// strip is the thumbnails of a branch above its timeline: n of them, evenly along its
// steps. Those that are not there yet stay black.
func (m *Model) strip(n int) *image.RGBA {
	path, tip := m.work.run.Path(), m.work.run.Tip()
	if tip == nil || n < 1 {
		return nil
	}
	out := image.NewRGBA(image.Rect(0, 0, n*(thumbSide+1)-1, thumbSide))
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 255
	}
	for i := range n {
		k := stripStep(i, n, tip.End())
		if k >= len(path) {
			break
		}
		if v := m.album.views[path[k]]; v.original != nil {
			paste(out, enlarged(v.original, thumbSide, thumbSide), i*(thumbSide+1), 0)
		}
	}
	return out
}

// stripStep is the index that thumbnail i of n shows on a branch that ends at end.
func stripStep(i, n, end int) int {
	if n < 2 {
		return end
	}
	return (i*end + (n-1)/2) / (n - 1)
}
