package pipeline

import (
	"bytes"
	"encoding/binary"
	"image"

	"ldx/pipeline/exif"
)

// Numbers of a JPEG file and of the Exif data in it (CIPA DC-008, TIFF 6.0).
const (
	jpegApp1       = 0xe1 // holds Exif data
	jpegScan       = 0xda // what comes after is the picture
	tagOrientation = 0x0112
)

// orientation is how a JPEG file says that its picture is to be turned, 1 to 8; 1, as it
// lies, where it says nothing that can be read.
func orientation(file []byte) int {
	if !bytes.HasPrefix(file, []byte{0xff, 0xd8}) {
		return 1
	}
	rest := file[2:]
	for len(rest) >= 4 && rest[0] == 0xff && rest[1] != jpegScan {
		n := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if n > len(rest) {
			return 1
		}
		tiff, found := bytes.CutPrefix(rest[4:max(4, n)], []byte(exif.Mark))
		if rest[1] == jpegApp1 && found {
			return tiffOrientation(tiff)
		}
		rest = rest[n:]
	}
	return 1
}

// tiffOrientation finds the orientation in the first directory of TIFF data.
func tiffOrientation(tiff []byte) int {
	data, ok := exif.Parse(tiff)
	if !ok {
		return 1
	}
	entry := data.Entry(data.First(), tagOrientation)
	if entry == nil {
		return 1
	}
	if o := int(data.Order.Uint16(entry[8:])); 1 <= o && o <= 8 {
		return o
	}
	return 1
}

// upright turns a picture as its orientation says.
func upright(img *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			u, v := x, y // in img
			if orientation >= 5 {
				u, v = y, x
			}
			if orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8 {
				u = w - 1 - u
			}
			if orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7 {
				v = h - 1 - v
			}
			out.SetRGBA(x, y, img.RGBAAt(u, v))
		}
	}
	return out
}
