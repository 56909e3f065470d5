// Package exif finds entries in the Exif data of pictures (CIPA DC-008, TIFF 6.0).
package exif

import (
	"bytes"
	"encoding/binary"
)

// Mark is what Exif data begins with in a JPEG's segment.
const Mark = "Exif\x00\x00"

// EntrySize is the length of a directory's entry: tag, type, count, and the value or
// where it is.
const EntrySize = 12

// Data is Exif data as a TIFF file, with its byte order.
type Data struct {
	TIFF  []byte
	Order binary.ByteOrder
}

// Parse reads the head of TIFF data; ok is false where there is none.
func Parse(tiff []byte) (d Data, ok bool) {
	if len(tiff) < 8 {
		return Data{}, false
	}
	d = Data{TIFF: tiff, Order: binary.BigEndian}
	if bytes.HasPrefix(tiff, []byte("II")) {
		d.Order = binary.LittleEndian
	}
	return d, true
}

// First is where the first directory is.
func (d Data) First() uint32 { return d.Order.Uint32(d.TIFF[4:]) }

// Entry finds the entry of a tag in the directory at an offset, nil for none.
func (d Data) Entry(at uint32, tag uint16) []byte {
	if uint64(at)+2 > uint64(len(d.TIFF)) {
		return nil
	}
	rest := d.TIFF[at+2:]
	for range d.Order.Uint16(d.TIFF[at:]) {
		if len(rest) < EntrySize {
			return nil
		}
		if d.Order.Uint16(rest) == tag {
			return rest[:EntrySize]
		}
		rest = rest[EntrySize:]
	}
	return nil
}
