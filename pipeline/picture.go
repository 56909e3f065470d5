package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // its first frame
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math"
	"os"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
	"gorgonia.org/tensor"
)

// Bounds on a picture to start from.
const (
	maxPictureBytes  = 256 << 20
	maxPicturePixels = 100e6
)

// PictureSHA256 is what [Origin.InitSHA256] is for the file at path, which must be a
// picture.
func PictureSHA256(path string) (string, error) {
	data, err := readPicture(path)
	if err != nil {
		return "", err
	}
	return hashOf(data), nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// readPicture reads a file that can be taken for a picture, undecoded.
func readPicture(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("init %s: %w", path, errors.Unwrap(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxPictureBytes {
		return nil, fmt.Errorf("init %s is no picture: want a PNG, JPEG, GIF or WebP file of at most %d MiB", path, maxPictureBytes>>20)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("init %s: %w", path, errors.Unwrap(err))
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("init %s: %w", path, err)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil:
		return nil, notAPicture(path, err)
	case config.Width < 1 || config.Height < 1 || float64(config.Width)*float64(config.Height) > maxPicturePixels:
		return nil, fmt.Errorf("init %s is %dx%d, want 1 to %.0f million pixels", path, config.Width, config.Height, maxPicturePixels/1e6)
	}
	return data, nil
}

func notAPicture(path string, err error) error {
	if errors.Is(err, image.ErrFormat) {
		return fmt.Errorf("init %s is no picture: want PNG, JPEG, GIF or WebP", path)
	}
	return fmt.Errorf("init %s is a damaged picture: %w", path, err)
}

// decodePicture makes file data a picture of the given size: what is transparent is
// white, a JPEG is turned as it says, a picture of another shape is cut evenly at two sides, and one of another size
// resampled with Lanczos' kernel (a = 3), as diffusers does but in one go.
func decodePicture(path string, data []byte, width, height int) (*image.RGBA, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, notAPicture(path, err)
	}
	b := img.Bounds()
	flat := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, img, b.Min, draw.Over)
	flat = upright(flat, orientation(data))
	if flat.Rect.Dx() == width && flat.Rect.Dy() == height {
		return flat, nil
	}
	fitted := image.NewRGBA(image.Rect(0, 0, width, height))
	lanczos.Scale(fitted, fitted.Rect, flat, middle(flat.Rect, width, height), draw.Src, nil)
	return fitted, nil
}

// middle is the largest part of r, in its middle, that has the shape of a picture of
// width and height.
func middle(r image.Rectangle, width, height int) image.Rectangle {
	w, h := r.Dx(), r.Dy()
	part := func(side, of, by int) int {
		return max(1, int(math.Round(float64(side)*float64(of)/float64(by))))
	}
	if w*height > h*width {
		w = part(h, width, height)
	} else {
		h = part(w, height, width)
	}
	at := image.Pt(r.Min.X+(r.Dx()-w)/2, r.Min.Y+(r.Dy()-h)/2)
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}
}

// lanczos is the windowed sinc that PIL calls LANCZOS.
var lanczos = draw.Kernel{Support: 3, At: func(t float64) float64 {
	if t == 0 {
		return 1
	}
	x := math.Pi * t
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}}

// pictureTensor is a picture as the VAE's encoder takes it: [1, 3, H, W] in [-1, 1].
func pictureTensor(img *image.RGBA) *tensor.Dense {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	x := make([]float32, 3*h*w)
	for i := range h * w {
		for k := range 3 {
			x[k*h*w+i] = 2*(float32(img.Pix[4*i+k])/255) - 1
		}
	}
	return tensor.New(tensor.WithShape(1, 3, h, w), tensor.WithBacking(x))
}
