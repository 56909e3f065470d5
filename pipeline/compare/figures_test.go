package compare_test

import (
	"image"
	"math"
	"testing"

	"ldx/pipeline/compare"
)

// patterns are two pictures of 20x16, the second the first with a pattern added.
func patterns() (a, b *image.RGBA) {
	a, b = image.NewRGBA(image.Rect(0, 0, 20, 16)), image.NewRGBA(image.Rect(0, 0, 20, 16))
	for i := range 20 * 16 {
		d := i*37%41 - 20
		for k, v := range []int{(3*i + 7) % 256, (5*i + i/20*11) % 256, 2 * i % 256} {
			a.Pix[4*i+k], b.Pix[4*i+k] = uint8(v), uint8(min(max(v+d, 0), 255))
		}
	}
	return a, b
}

// TestFigures holds PSNR and SSIM against values computed with numpy in float64 from the
// papers' formulas.
func TestFigures(t *testing.T) {
	a, b := patterns()
	psnr, err := compare.PSNR(a, b)
	if want := 26.786210164060993; err != nil || math.Abs(psnr-want) > 1e-9 {
		t.Errorf("PSNR is %.12f (%v), want %.12f", psnr, err, want)
	}
	ssim, err := compare.SSIM(a, b)
	if want := 0.9704291829877904; err != nil || math.Abs(ssim-want) > 1e-9 {
		t.Errorf("SSIM is %.12f (%v), want %.12f", ssim, err, want)
	}
	if same, err := compare.SSIM(a, a); err != nil || math.Abs(same-1) > 1e-12 {
		t.Errorf("SSIM with itself is %g (%v), want 1", same, err)
	}
	if same, err := compare.PSNR(b, b); err != nil || !math.IsInf(same, 1) {
		t.Errorf("PSNR with itself is %g (%v), want +Inf", same, err)
	}
	if rmse, err := compare.LatentRMSE([]float32{1, 2}, []float32{1, 4}); err != nil || math.Abs(rmse-math.Sqrt2) > 1e-12 {
		t.Errorf("RMSE is %g (%v), want the root of 2", rmse, err)
	}
}

func TestFiguresRefuseOtherSizes(t *testing.T) {
	a, _ := patterns()
	small := image.NewRGBA(image.Rect(0, 0, 10, 10))
	if _, err := compare.PSNR(a, small); err == nil {
		t.Error("PSNR takes pictures of two sizes")
	}
	if _, err := compare.SSIM(small, small); err == nil {
		t.Error("SSIM takes pictures smaller than its window")
	}
	if _, err := compare.LatentRMSE([]float32{1}, nil); err == nil {
		t.Error("RMSE takes latents of two shapes")
	}
}
