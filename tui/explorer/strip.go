package explorer

import (
	"image"

	"ldx/pipeline"
)

// thumbSide is the size of a thumbnail in pixels.
const thumbSide = 48

// strip is the thumbnails of a branch and what they were drawn of, so that they are
// drawn again only for something else.
type strip struct {
	img     *image.RGBA
	tip     *pipeline.Step
	n, seen int
}

// strip draws the thumbnails of the branch above its timeline: n of them, evenly along
// its steps. Those that are not there yet stay black.
func (m *Model) strip(n int) *image.RGBA {
	path, tip := m.work.run.Path(), m.work.run.Tip()
	if tip == nil || n < 1 {
		return nil
	}
	of := strip{tip: tip, n: n}
	for i := range n {
		if k := stripStep(i, n, tip.End()); k < len(path) && m.album.views[path[k]].original != nil {
			of.seen++
		}
	}
	if kept := m.screens.drawn; kept.tip != of.tip || kept.n != of.n || kept.seen != of.seen {
		of.img = m.drawStrip(n, path, tip.End())
		m.screens.drawn = of
	}
	return m.screens.drawn.img
}

func (m *Model) drawStrip(n int, path []*pipeline.Step, end int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, n*(thumbSide+1)-1, thumbSide))
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 255
	}
	for i := range n {
		k := stripStep(i, n, end)
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
