package termimg

import "image"

// larger says whether a picture has more than half as many pixels again as
// samples each way: then a sample is the mean of its pixels. That is the best that
// one colour can be, and much quicker than a kernel.
func larger(src, size image.Point) bool {
	return 2*src.X >= 3*size.X && 2*src.Y >= 3*size.Y
}

// shrink scales a picture down: each pixel is the mean of the area that it takes
// of src, with parts of pixels counted as such.
func shrink(src *image.RGBA, size image.Point) *image.RGBA {
	from := src.Rect.Size()
	out := image.NewRGBA(image.Rectangle{Max: size})
	row, sum := make([]uint64, 4*size.X), make([]uint64, 4*size.X)
	area := uint64(from.X) * uint64(from.Y)
	// Lengths are in units of which a pixel of src has size.Y and one of out from.Y.
	left, y := from.Y, 0
	for sy := range from.Y {
		shrinkRow(row, src.Pix[sy*src.Stride:][:4*from.X], size.X, from.X)
		n := min(size.Y, left)
		accumulate(sum, row, uint64(n))
		if left -= n; left > 0 {
			continue
		}
		for i, v := range sum {
			out.Pix[y*out.Stride+i] = uint8((v + area/2) / area)
		}
		clear(sum)
		rest := size.Y - n
		accumulate(sum, row, uint64(rest))
		left, y = from.Y-rest, y+1
	}
	return out
}

// accumulate adds n times a row.
func accumulate(sum, row []uint64, n uint64) {
	for i, v := range row {
		sum[i] += n * v
	}
}

// shrinkRow sets row to the sums of the pixels that each of its pixels takes, in
// units of which a pixel of pix is size long, and one of row from.
func shrinkRow(row []uint64, pix []byte, size, from int) {
	var r, g, b, a uint64
	left := from
	for ; len(pix) >= 4; pix = pix[4:] {
		n := uint64(min(size, left))
		pr, pg, pb, pa := uint64(pix[0]), uint64(pix[1]), uint64(pix[2]), uint64(pix[3])
		r, g, b, a = r+n*pr, g+n*pg, b+n*pb, a+n*pa
		if left -= int(n); left > 0 {
			continue
		}
		row[0], row[1], row[2], row[3] = r, g, b, a
		row = row[4:]
		n = uint64(size) - n
		r, g, b, a = n*pr, n*pg, n*pb, n*pa
		left = from - int(n)
	}
}
