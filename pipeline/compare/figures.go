package compare

import (
	"fmt"
	"image"
	"math"
)

// PSNR is the peak signal-to-noise ratio of two pictures of one size in dB, over red,
// green and blue with a peak of 255; +Inf where they are equal.
func PSNR(a, b *image.RGBA) (float64, error) {
	if err := sameSize(a, b); err != nil {
		return 0, err
	}
	sum, n := 0.0, 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			p, q := a.Pix[y*a.Stride+4*x:], b.Pix[y*b.Stride+4*x:]
			for k := range 3 {
				d := float64(p[k]) - float64(q[k])
				sum += d * d
			}
			n += 3
		}
	}
	return 10 * math.Log10(255*255*float64(n)/sum), nil
}

// SSIM's constants: Wang et al., "Image Quality Assessment: From Error Visibility to
// Structural Similarity" (IEEE TIP 13(4), 2004), section III.
const (
	ssimWindow = 11
	ssimSigma  = 1.5
	ssimK1     = 0.01
	ssimK2     = 0.03
)

// SSIM is the mean structural similarity of two pictures of one size (Wang et al. 2004,
// eq. 13 and 17): on luma (BT.601, 0..255, not rounded), under a Gaussian window of 11x11
// and standard deviation 1.5, at all places where the window lies within the picture. 1
// is equality. A side below 11 pixels is an error.
func SSIM(a, b *image.RGBA) (float64, error) {
	if err := sameSize(a, b); err != nil {
		return 0, err
	}
	w, h := a.Rect.Dx(), a.Rect.Dy()
	if w < ssimWindow || h < ssimWindow {
		return 0, fmt.Errorf("SSIM: the pictures are %dx%d, want at least %d a side", w, h, ssimWindow)
	}
	x, y := luma(a), luma(b)
	product := func(p, q []float64) []float64 {
		out := make([]float64, len(p))
		for i := range out {
			out[i] = p[i] * q[i]
		}
		return out
	}
	mx, my := blurred(x, w, h), blurred(y, w, h)
	xx, yy, xy := blurred(product(x, x), w, h), blurred(product(y, y), w, h), blurred(product(x, y), w, h)
	const c1, c2 = ssimK1 * 255 * ssimK1 * 255, ssimK2 * 255 * ssimK2 * 255
	sum := 0.0
	for i := range mx {
		u, v := mx[i], my[i]
		sum += (2*u*v + c1) * (2*(xy[i]-u*v) + c2) / ((u*u + v*v + c1) * (xx[i] - u*u + yy[i] - v*v + c2))
	}
	return sum / float64(len(mx)), nil
}

// LatentRMSE is the root mean square of the difference of two latents of one shape.
func LatentRMSE(a, b []float32) (float64, error) {
	if len(a) != len(b) || len(a) == 0 {
		return 0, fmt.Errorf("the latents have %d and %d values, want as many", len(a), len(b))
	}
	sum := 0.0
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a))), nil
}

func sameSize(a, b *image.RGBA) error {
	if a.Rect.Size() != b.Rect.Size() {
		return fmt.Errorf("the pictures are %v and %v, want one size", a.Rect.Size(), b.Rect.Size())
	}
	return nil
}

func luma(p *image.RGBA) []float64 {
	w, h := p.Rect.Dx(), p.Rect.Dy()
	out := make([]float64, 0, w*h)
	for y := range h {
		for x := range w {
			c := p.Pix[y*p.Stride+4*x:]
			out = append(out, 0.299*float64(c[0])+0.587*float64(c[1])+0.114*float64(c[2]))
		}
	}
	return out
}

// blurred is the weighted mean under the window wherever it lies within w x h.
func blurred(p []float64, w, h int) []float64 {
	var weights [ssimWindow]float64
	sum := 0.0
	for i := range weights {
		d := float64(i - ssimWindow/2)
		weights[i] = math.Exp(-d * d / (2 * ssimSigma * ssimSigma))
		sum += weights[i]
	}
	inner := w - ssimWindow + 1
	across := make([]float64, inner*h)
	for y := range h {
		for x := range inner {
			for i, g := range weights {
				across[y*inner+x] += g / sum * p[y*w+x+i]
			}
		}
	}
	out := make([]float64, inner*(h-ssimWindow+1))
	for i := range out {
		for k, g := range weights {
			out[i] += g / sum * across[i+k*inner]
		}
	}
	return out
}
