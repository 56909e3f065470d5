package export

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"

	"ldx/pipeline/exif"
)

// textOfJPEG looks through a JPEG's segments for Exif (APP1), up to the pixels.
func textOfJPEG(in *bufio.Reader) (string, error) {
	if _, err := in.Discard(2); err != nil {
		return "", err
	}
	for {
		var head [4]byte
		if _, err := io.ReadFull(in, head[:]); err != nil || head[0] != 0xff {
			return "", errNoSettings
		}
		const app1, startOfScan, endOfImage = 0xe1, 0xda, 0xd9
		n := int(binary.BigEndian.Uint16(head[2:])) - 2
		if head[1] == startOfScan || head[1] == endOfImage || n < 0 {
			return "", errNoSettings
		}
		body, err := io.ReadAll(io.LimitReader(in, int64(n)))
		if err != nil || len(body) < n {
			return "", errNoSettings
		}
		if tiff, ok := bytes.CutPrefix(body, []byte(exif.Mark)); ok && head[1] == app1 {
			return userComment(tiff)
		}
	}
}

// textOfWebP looks through a WebP's chunks (RFC 9649, 2.3) for EXIF.
func textOfWebP(in *bufio.Reader) (string, error) {
	if _, err := in.Discard(12); err != nil {
		return "", err
	}
	for range maxChunks {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			break
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == "EXIF" && n <= maxText {
			body, err := io.ReadAll(io.LimitReader(in, n))
			if err != nil {
				return "", err
			}
			return userComment(bytes.TrimPrefix(body, []byte(exif.Mark)))
		}
		if _, err := io.CopyN(io.Discard, in, n+n%2); err != nil {
			break
		}
	}
	return "", errNoSettings
}

// Tags of Exif (CIPA DC-008, 4.6.3 and 4.6.5).
const (
	tagExif        = 0x8769 // where the Exif directory is
	tagUserComment = 0x9286
)

// userComment is the text of Exif's UserComment.
func userComment(tiff []byte) (string, error) {
	data, ok := exif.Parse(tiff)
	if !ok {
		return "", errNoSettings
	}
	directory := data.Entry(data.First(), tagExif)
	if directory == nil {
		return "", errNoSettings
	}
	comment := data.Entry(data.Order.Uint32(directory[8:]), tagUserComment)
	if comment == nil {
		return "", errNoSettings
	}
	n, at := uint64(data.Order.Uint32(comment[4:])), uint64(data.Order.Uint32(comment[8:]))
	if n < 8 || at+n > uint64(len(tiff)) {
		return "", errNoSettings
	}
	code, text := string(tiff[at:at+8]), tiff[at+8:at+n]
	if code == "UNICODE\x00" {
		return utf16Text(text), nil
	}
	return strings.TrimRight(strings.ToValidUTF8(string(text), "\ufffd"), "\x00"), nil
}

// utf16Text reads UTF-16. Exif leaves its byte order open: AUTOMATIC1111 writes big
// endian in any file, others as the file is. Text is mostly of characters below 256, so
// the high bytes are those that are more often 0.
func utf16Text(data []byte) string {
	var order binary.ByteOrder = binary.BigEndian
	zeros := [2]int{}
	for i, b := range data {
		if b == 0 {
			zeros[i%2]++
		}
	}
	if zeros[1] > zeros[0] {
		order = binary.LittleEndian
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return strings.TrimRight(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"), "\x00")
}
