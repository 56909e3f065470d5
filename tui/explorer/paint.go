package explorer

import (
	"image"
	"image/color"
	"math"
)

// mosaic lays pictures of one size out in a near square, a pixel apart.
func mosaic(tiles []*image.RGBA) *image.RGBA {
	if len(tiles) == 0 {
		return nil
	}
	columns := int(math.Ceil(math.Sqrt(float64(len(tiles)))))
	rows := (len(tiles) + columns - 1) / columns
	size := tiles[0].Rect.Size()
	out := image.NewRGBA(image.Rect(0, 0, columns*(size.X+1)-1, rows*(size.Y+1)-1))
	for i, t := range tiles {
		paste(out, t, i%columns*(size.X+1), i/columns*(size.Y+1))
	}
	return out
}

// paste copies a picture into another that holds it.
func paste(out, tile *image.RGBA, x, y int) {
	size := tile.Rect.Size()
	for line := range size.Y {
		copy(out.Pix[out.PixOffset(x, y+line):], tile.Pix[line*tile.Stride:][:4*size.X])
	}
}

// enlarged is a picture of w by h pixels, each the nearest of img's.
func enlarged(img *image.RGBA, w, h int) *image.RGBA {
	size := img.Rect.Size()
	if size.X == w && size.Y == h {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := img.Pix[y*size.Y/h*img.Stride:]
		for x := range w {
			copy(out.Pix[out.PixOffset(x, y):][:4], row[4*(x*size.X/w):][:4])
		}
	}
	return out
}

// frame draws an inner frame around tile i of a mosaic of squares of threes.
func frame(out *image.RGBA, i, w, h int) {
	x0, y0 := i%sweepSide*w, i/sweepSide*h
	thick := max(w/24, 1)
	for y := y0; y < y0+h-1; y++ {
		for x := x0; x < x0+w-1; x++ {
			if min(x-x0, y-y0, x0+w-2-x, y0+h-2-y) < thick {
				out.SetRGBA(x, y, color.RGBA{R: 255, G: 210, B: 60, A: 255})
			}
		}
	}
}

// difference is how far two pictures of one size are apart, four times as strong.
func difference(a, b *image.RGBA) *image.RGBA {
	if a == nil || b == nil || a.Rect != b.Rect {
		return nil
	}
	out := image.NewRGBA(a.Rect)
	for i := range a.Pix {
		d := int(a.Pix[i]) - int(b.Pix[i])
		out.Pix[i] = uint8(min(4*max(d, -d), 255))
		if i%4 == 3 {
			out.Pix[i] = 255
		}
	}
	return out
}
