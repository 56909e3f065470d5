package termimg

import (
	"encoding/binary"
	"image"
	"math"
	"slices"
)

// refinements is the number of rounds of k-means.
const refinements = 4

// stillPalette makes the palette of a picture.
type stillPalette struct {
	// colours are as terminals show them, which get percents.
	colours [][3]uint8
	bins    [cells]bin
	points  []point
	hull    hull
}

// bin counts the pixels of a cell and adds up their primaries.
type bin struct{ n, red, green, blue uint32 }

// point is the mean colour of a cell's pixels.
type point struct {
	at     [3]float32
	weight float32
}

// choose chooses at most 255 colours. It says whether they are all those of the
// picture, as near as percents can be.
func (p *stillPalette) choose(img *image.RGBA) (exact bool) {
	if p.takeAll(img) {
		return true
	}
	p.count(img)
	p.collect()
	p.colours = p.colours[:0]
	var centres [][3]float32
	for _, c := range p.hull.around() {
		if p.add(c) {
			centres = append(centres, c)
		}
	}
	fixed := len(centres)
	centres = append(centres, cut(p.points, undrawn-fixed)...)
	for range refinements {
		p.refine(centres, fixed)
	}
	for _, c := range centres[fixed:] {
		p.add(c)
	}
	return false
}

// add adds a colour to the palette, if it is a new one there.
func (p *stillPalette) add(c [3]float32) bool {
	var shown [3]uint8
	for i, v := range c {
		shown[i] = fromPercent(toPercent(float64(v)))
	}
	if slices.Contains(p.colours, shown) {
		return false
	}
	p.colours = append(p.colours, shown)
	return true
}

// toPercent turns a value of a primary into what sixels have for it.
func toPercent(v float64) int { return int(math.Round(v * 100 / 255)) }

// fromPercent returns how a terminal shows it.
func fromPercent(p int) uint8 { return uint8((p*255 + 50) / 100) }

// takeAll takes all colours of a picture, if they are few enough.
func (p *stillPalette) takeAll(img *image.RGBA) bool {
	p.colours = p.colours[:0]
	seen := map[uint32]bool{}
	last := uint32(0) // not drawn
	for y := range img.Rect.Dy() {
		for pix := pixelRow(img, y); len(pix) > 0; pix = pix[4:] {
			c := binary.LittleEndian.Uint32(pix)
			if c == last || !isDrawn(c) || seen[c] {
				continue
			}
			if len(seen) == undrawn {
				return false
			}
			last, seen[c] = c, true
			p.add([3]float32{float32(uint8(c)), float32(uint8(c >> 8)), float32(uint8(c >> 16))})
		}
	}
	return true
}

// count counts the picture's pixels by cell, and finds their hull.
func (p *stillPalette) count(img *image.RGBA) {
	clear(p.bins[:])
	p.hull.reset()
	last := uint32(0) // not drawn
	for y := range img.Rect.Dy() {
		for pix := pixelRow(img, y); len(pix) > 0; pix = pix[4:] {
			c := binary.LittleEndian.Uint32(pix)
			if !isDrawn(c) {
				continue
			}
			v := primaries(c)
			if c != last {
				p.hull.add(v)
				last = c
			}
			b := &p.bins[cell(v)]
			b.n++
			b.red += uint32(v[0])
			b.green += uint32(v[1])
			b.blue += uint32(v[2])
		}
	}
}

// collect makes points of the cells that have pixels. Their weight grows more
// slowly than the number of pixels: large flat areas do not need colours so
// much, and errors are diffused by means of rarer ones.
func (p *stillPalette) collect() {
	p.points = p.points[:0]
	for i := range p.bins {
		if b := &p.bins[i]; b.n > 0 {
			n := float32(b.n)
			p.points = append(p.points, point{
				at:     [3]float32{float32(b.red) / n, float32(b.green) / n, float32(b.blue) / n},
				weight: float32(math.Pow(float64(b.n), 0.7)),
			})
		}
	}
}

// refine moves each centre but the first fixed ones to the mean of the points
// that it is the nearest to.
func (p *stillPalette) refine(centres [][3]float32, fixed int) {
	sums := make([][4]float32, len(centres))
	for _, q := range p.points {
		best, nearest := float32(math.MaxFloat32), 0
		for i := range centres {
			c := &centres[i]
			r, g, b := c[0]-q.at[0], c[1]-q.at[1], c[2]-q.at[2]
			if square := r*r + g*g + b*b; square < best {
				best, nearest = square, i
			}
		}
		s := &sums[nearest]
		for i, v := range q.at {
			s[i] += v * q.weight
		}
		s[3] += q.weight
	}
	for i := fixed; i < len(centres); i++ {
		if s := sums[i]; s[3] > 0 {
			centres[i] = [3]float32{s[0] / s[3], s[1] / s[3], s[2] / s[3]}
		}
	}
}
