package pipeline

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"
)

// corners is a picture 40 wide and 24 high whose four quarters are A, B, C and D, by
// their brightness.
func corners() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 40, 24))
	for y := range 24 {
		for x := range 40 {
			v := uint8(50 * (1 + x/20 + y/12*2))
			img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

// turned is the picture as a JPEG file that says how to turn it.
func turned(t testing.TB, o uint16, order binary.AppendByteOrder) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := jpeg.Encode(&file, corners(), nil); err != nil {
		t.Fatal(err)
	}
	mark := map[bool]string{true: "MM", false: "II"}[order == binary.AppendByteOrder(binary.BigEndian)]
	exif := append([]byte("Exif\x00\x00"), mark...)
	exif = order.AppendUint16(exif, 42)
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 2)
	for _, entry := range [][2]uint16{{0x0100, 40}, {tagOrientation, o}} {
		exif = order.AppendUint16(order.AppendUint16(exif, entry[0]), 3) // a short
		exif = order.AppendUint32(exif, 1)
		exif = order.AppendUint16(order.AppendUint16(exif, entry[1]), 0)
	}
	head := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, jpegApp1}
	head = append(binary.BigEndian.AppendUint16(head, uint16(2+len(exif))), exif...)
	return append(head, file.Bytes()[2:]...)
}

// TestPicturesAreTurned holds all eight orientations against what PIL's exif_transpose
// makes of them.
func TestPicturesAreTurned(t *testing.T) {
	want := []string{"ABCD", "BADC", "DCBA", "CDAB", "ACBD", "CADB", "DBCA", "BDAC"}
	for i, want := range want {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			file := turned(t, uint16(i+1), order)
			w, h := 40, 24
			if i >= 4 {
				w, h = h, w
			}
			img, err := decodePicture("a.jpg", file, w, h)
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for _, at := range []image.Point{{3, 3}, {w - 4, 3}, {3, h - 4}, {w - 4, h - 4}} {
				got = append(got, 'A'+(img.RGBAAt(at.X, at.Y).R+25)/50-1)
			}
			if string(got) != want {
				t.Errorf("orientation %d, %v: corners are %s, want %s", i+1, order, got, want)
			}
		}
	}
}

func FuzzOrientation(f *testing.F) {
	for o := range uint16(10) {
		f.Add(turned(f, o, binary.LittleEndian))
		f.Add(slices.Clip(turned(f, o, binary.BigEndian)[:40]))
	}
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 0, 0xff, 0xe1, 0, 9})
	f.Fuzz(func(t *testing.T, file []byte) {
		o := orientation(file)
		if o < 1 || o > 8 {
			t.Fatalf("orientation is %d", o)
		}
		img := upright(corners(), o)
		if back := img.Rect.Dx() * img.Rect.Dy(); back != 40*24 {
			t.Errorf("orientation %d has %d pixels", o, back)
		}
	})
}
