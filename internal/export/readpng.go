package export

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Bounds of what is read from a picture, in bytes.
const (
	maxText   = 4 << 20 // a text, also uncompressed
	maxChunks = 1 << 16 // of a PNG before its parameters
)

var errNoSettings = errors.New("the picture holds no settings: want a PNG with a text named parameters, or a JPEG or WebP with them in its Exif user comment")

// readText finds the parameters in a picture.
func readText(r io.Reader) (string, error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(12)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte(pngSignature)):
		return textOfPNG(in)
	case bytes.HasPrefix(head, []byte{0xff, 0xd8}):
		return textOfJPEG(in)
	case bytes.HasPrefix(head, []byte("RIFF")) && bytes.HasSuffix(head, []byte("WEBP")):
		return textOfWebP(in)
	}
	return "", errors.New("this is no picture with settings: want PNG, JPEG or WebP")
}

// textOfPNG looks through a PNG's chunks (PNG specification 3rd ed., 11.3.3) for the
// text named parameters.
func textOfPNG(in *bufio.Reader) (string, error) {
	if _, err := in.Discard(len(pngSignature)); err != nil {
		return "", err
	}
	missing := errNoSettings
	for range maxChunks {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return "", missing // it is cut off: there is no more
		}
		n, kind := binary.BigEndian.Uint32(head[:4]), string(head[4:])
		if n > maxText || !strings.Contains("tEXt zTXt iTXt", kind) {
			if _, err := io.CopyN(io.Discard, in, int64(n)+4); err != nil || kind == "IEND" {
				return "", missing
			}
			continue
		}
		body, err := wholeChunk(in, kind, int(n))
		if err != nil {
			return "", err
		}
		key, rest, _ := bytes.Cut(body, []byte{0})
		switch string(key) {
		case "parameters":
			return chunkText(kind, rest)
		case "workflow":
			missing = errors.New("the picture holds a ComfyUI workflow, which ldx does not read: want parameters in AUTOMATIC1111's form")
		}
	}
	return "", missing
}

// wholeChunk reads a chunk's n bytes and holds them against its checksum.
func wholeChunk(in io.Reader, kind string, n int) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(in, int64(n)+4)) // grows with what is there, not with what n claims
	if err != nil || len(body) < n+4 {
		return nil, fmt.Errorf("the picture is cut off in its text: %s chunk of %d bytes", kind, n)
	}
	body, sum := body[:n], binary.BigEndian.Uint32(body[n:])
	if crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, body) != sum {
		return nil, fmt.Errorf("the picture's text is damaged: the checksum of its %s chunk is wrong", kind)
	}
	return body, nil
}

// chunkText is the text in a chunk, after its keyword.
func chunkText(kind string, rest []byte) (string, error) {
	damaged := fmt.Errorf("the picture's text is damaged: its %s chunk ends early", kind)
	switch kind {
	case "tEXt":
		return latin1(rest), nil
	case "zTXt":
		if len(rest) < 1 {
			return "", damaged
		}
		text, err := inflated(rest[1:])
		return latin1(text), err
	}
	if len(rest) < 2 {
		return "", damaged
	}
	compressed := rest[0] == 1
	parts := bytes.SplitN(rest[2:], []byte{0}, 3) // language, translated keyword, text
	if len(parts) < 3 {
		return "", damaged
	}
	text := parts[2]
	if compressed {
		var err error
		if text, err = inflated(text); err != nil {
			return "", err
		}
	}
	return strings.ToValidUTF8(string(text), "\ufffd"), nil
}

func latin1(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}

func inflated(data []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture's text is damaged: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxText+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the picture's text is damaged: %w", err)
	case len(text) > maxText:
		return nil, fmt.Errorf("the picture's text has more than %d bytes", maxText)
	}
	return text, nil
}
