package pipeline

import (
	"fmt"
	"image"
	"math"

	"gorgonia.org/tensor"
)

// RGBMatrix maps a scaled latent to colours, a cheap stand-in for the VAE's
// decoder: one picture element a latent cell.
type RGBMatrix struct {
	Factors [][3]float32 // a row a channel, to RGB in [-1, 1]
	Bias    [3]float32
}

// stableDiffusionRGB is the matrix fitted to Stable Diffusion 1's latents, used
// for four-channel models that bring none.
var stableDiffusionRGB = [4][3]float32{
	{0.3512, 0.2297, 0.3227}, {0.3250, 0.4974, 0.2350},
	{-0.2829, 0.1762, 0.2721}, {-0.2120, -0.2616, -0.7177},
}

func newRGBMatrix(factors [][]float32, bias []float32, g Geometry) (RGBMatrix, error) {
	m := RGBMatrix{Factors: make([][3]float32, g.Channels)}
	if factors == nil {
		if g.Channels == len(stableDiffusionRGB) {
			copy(m.Factors, stableDiffusionRGB[:])
			return m, nil
		}
		for c := range m.Factors { // channels shown as grey, equal shares
			share := 1 / float32(g.Channels)
			m.Factors[c] = [3]float32{share, share, share}
		}
		return m, nil
	}
	if len(factors) != g.Channels {
		return m, fmt.Errorf("latent_rgb_factors has %d rows, want %d (latent_channels)", len(factors), g.Channels)
	}
	for c, row := range factors {
		if len(row) != 3 {
			return m, fmt.Errorf("latent_rgb_factors row %d has %d values, want 3", c, len(row))
		}
		m.Factors[c] = [3]float32(row)
	}
	if len(bias) == 3 {
		m.Bias = [3]float32(bias)
	}
	return m, nil
}

// Picture maps latent [1, C, H, W] to an H x W picture.
func (m RGBMatrix) Picture(latent *tensor.Dense) *image.RGBA {
	x, h, w := planes(latent)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	size := h * w
	for i := range size {
		rgb := m.Bias
		for c, row := range m.Factors {
			v := x[c*size+i]
			for k := range rgb {
				rgb[k] += v * row[k]
			}
		}
		setPixel(img.Pix[4*i:], rgb)
	}
	return img
}

// Channels draws each channel of latent [1, C, H, W] in grey, black at -limit and
// white at limit, the scale shared so that channels compare.
func Channels(latent *tensor.Dense, limit float32) []*image.RGBA {
	x, h, w := planes(latent)
	size := h * w
	pictures := make([]*image.RGBA, len(x)/max(size, 1))
	for c := range pictures {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		for i, v := range x[c*size : (c+1)*size] {
			g := v / limit
			setPixel(img.Pix[4*i:], [3]float32{g, g, g})
		}
		pictures[c] = img
	}
	return pictures
}

// planes is the data of a [1, C, H, W] tensor and its height and width.
func planes(t *tensor.Dense) (x []float32, h, w int) {
	shape := t.Shape()
	return t.Data().([]float32), shape[2], shape[3]
}

// setPixel writes RGB in [-1, 1] as opaque bytes.
func setPixel(to []uint8, rgb [3]float32) {
	for k, v := range rgb {
		to[k] = byteOf(v)
	}
	to[3] = 0xff
}

// byteOf maps [-1, 1] to 0..255, rounding to even as numpy does; NaN is 0.
func byteOf(v float32) uint8 {
	unit := v/2 + 0.5
	switch {
	case !(unit > 0):
		return 0
	case unit >= 1:
		return 255
	}
	return uint8(math.RoundToEven(float64(float32(unit * 255))))
}
