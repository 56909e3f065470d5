package export

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
)

// PNG writes img with parameters in a text chunk of that name, where other tools
// look for them.
func PNG(w io.Writer, img image.Image, parameters string) error {
	return png.Encode(&withText{w: w, parameters: parameters, header: pngHeader}, img)
}

// pngHeader is the length of a PNG's signature and of its first chunk, IHDR.
const pngHeader = 8 + 12 + 13

// withText puts parameters into a PNG that is written to it: after the header, before
// the pixels.
type withText struct {
	w          io.Writer
	parameters string
	header     int // bytes still to come of it
}

func (t *withText) Write(data []byte) (int, error) {
	head := min(t.header, len(data))
	n, err := t.w.Write(data[:head])
	t.header -= n
	if err != nil || head == len(data) && t.header > 0 {
		return n, err
	}
	if t.header == 0 && t.parameters != "" {
		if err := textChunk("parameters", t.parameters).write(t.w); err != nil {
			return n, err
		}
		t.parameters = ""
	}
	rest, err := t.w.Write(data[head:])
	return n + rest, err
}

const pngSignature = "\x89PNG\r\n\x1a\n"

// chunk is one chunk of a PNG file.
type chunk struct {
	kind string
	data []byte
}

func (c chunk) write(w io.Writer) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(c.data)))
	body := append([]byte(c.kind), c.data...)
	tail := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))
	for _, part := range [][]byte{head, body, tail} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// pngChunks encodes img and takes the file apart again.
func pngChunks(img image.Image) ([]chunk, error) {
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		return nil, err
	}
	rest := file.Bytes()[len(pngSignature):]
	var chunks []chunk
	for len(rest) >= 12 {
		n := int(binary.BigEndian.Uint32(rest))
		chunks = append(chunks, chunk{kind: string(rest[4:8]), data: rest[8 : 8+n]})
		rest = rest[12+n:]
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("png: %d bytes after the last chunk", len(rest))
	}
	return chunks, nil
}

// textChunk is tEXt where the text is Latin-1, else iTXt with UTF-8 (PNG
// specification, 11.3.4).
func textChunk(key, text string) chunk {
	latin := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			head := append([]byte(key), 0, 0, 0, 0, 0) // not compressed, no language, no translated key
			return chunk{kind: "iTXt", data: append(head, text...)}
		}
		latin = append(latin, byte(r))
	}
	return chunk{kind: "tEXt", data: append(append([]byte(key), 0), latin...)}
}
