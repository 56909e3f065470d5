package termimg

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"ldx/internal/screentest"
)

// peersProgram names the variable with the program that encodes with other
// libraries: see bench/sixel.
const peersProgram = "LDX_SIXEL_PEERS"

// contestant is an encoder in the comparison.
type contestant struct {
	name string
	// encode encodes the picture and returns how long that took.
	encode func() (time.Duration, error)
	// frame returns what it made of it.
	frame func() ([]byte, error)
	times []float64 // milliseconds
}

// peers is a running program that encodes a picture.
type peers struct {
	folder string
	in     io.Writer
	out    *bufio.Scanner
}

// startPeers starts the program for a picture.
func startPeers(b *testing.B, program string, img *image.RGBA) *peers {
	b.Helper()
	folder := b.TempDir()
	var raw []byte
	for y := range img.Rect.Dy() {
		for pix := pixelRow(img, y); len(pix) > 0; pix = pix[4:] {
			raw = append(raw, pix[:3]...)
		}
	}
	file := filepath.Join(folder, "picture")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, fmt.Sprint(img.Rect.Dx()), fmt.Sprint(img.Rect.Dy()), file)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := in.Close(); err != nil {
			b.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	return &peers{folder: folder, in: in, out: bufio.NewScanner(out)}
}

// encode has a frame encoded, and written to a file unless that is "-".
func (p *peers) encode(encoder, file string) (time.Duration, error) {
	if _, err := fmt.Fprintln(p.in, encoder, 1, file); err != nil {
		return 0, err
	}
	var spent time.Duration
	var size int
	if !p.out.Scan() {
		return 0, fmt.Errorf("%s: no answer", encoder)
	}
	_, err := fmt.Sscan(p.out.Text(), &spent, &size)
	return spent, err
}

// contestant returns one of the program's encoders.
func (p *peers) contestant(name string) *contestant {
	return &contestant{
		name:   name,
		encode: func() (time.Duration, error) { return p.encode(name, "-") },
		frame: func() ([]byte, error) {
			file := filepath.Join(p.folder, name)
			if _, err := p.encode(name, file); err != nil {
				return nil, err
			}
			return os.ReadFile(file)
		},
	}
}

// own returns an encoder of ours.
func own(name string, encode func([]byte) []byte) *contestant {
	var frame []byte
	return &contestant{
		name: name,
		encode: func() (time.Duration, error) {
			start := time.Now()
			frame = encode(frame[:0])
			return time.Since(start), nil
		},
		frame: func() ([]byte, error) { return frame, nil },
	}
}

// BenchmarkSixelPeers encodes pictures with our encoders and with those of other
// libraries, in turns, and prints medians. The height of pictures is a multiple
// of what every library takes whole.
func BenchmarkSixelPeers(b *testing.B) {
	program := os.Getenv(peersProgram)
	if program == "" {
		b.Skipf("%s does not name the program that bench/sixel/build.sh builds", peersProgram)
	}
	const width, height = 512, 516
	for _, picture := range []struct {
		name string
		img  *image.RGBA
	}{
		{"noisy", noisyGradient(width, height, 24)},
		{"smooth", noisyGradient(width, height, 0)},
		{"emoji", sub(emoji(height), image.Rect(0, 0, width, height))},
	} {
		b.Run(picture.name, func(b *testing.B) {
			img, live, still := picture.img, newSixelEncoder(), newStillEncoder()
			all := []*contestant{
				own("ldx live", func(dst []byte) []byte { return live.append(dst, img, 0, height) }),
				own("ldx still", func(dst []byte) []byte { still.prepare(img); return still.append(dst, img, 0, height) }),
			}
			p := startPeers(b, program, img)
			for _, name := range []string{
				"libsixel", "libsixel-fixed", "libsixel-ordered", "libsixel-fastest",
				"chafa", "chafa-fastest", "chafa-diffusion",
			} {
				all = append(all, p.contestant(name))
			}
			compete(b, all)
			// The log of a benchmark has no room for it.
			fmt.Printf("\n%s\n%s", picture.name, table(b, img, all))
		})
	}
}

// compete runs rounds, forwards and backwards, after one that does not count.
func compete(b *testing.B, all []*contestant) {
	b.Helper()
	order := slices.Clone(all)
	round := func() {
		for _, c := range order {
			spent, err := c.encode()
			if err != nil {
				b.Fatal(err)
			}
			c.times = append(c.times, float64(spent)/float64(time.Millisecond))
		}
		slices.Reverse(order)
	}
	round()
	for _, c := range all {
		c.times = nil
	}
	for b.Loop() {
		round()
	}
}

// table returns the results: the ratio is the median of the rounds' ratios of
// the first contestant's time to this one's.
func table(b *testing.B, img *image.RGBA, all []*contestant) string {
	b.Helper()
	rows := []byte("encoder\tms\tlive/it\tbytes\tdB\tdB, any box\n")
	for _, c := range all {
		frame, err := c.frame()
		if err != nil {
			b.Fatal(err)
		}
		_, data, _ := bytes.Cut(frame, []byte("q"))
		data, _, ended := bytes.Cut(data, []byte("\x1b\\"))
		if !ended {
			b.Fatalf("%s: not a sixel sequence", c.name)
		}
		got, err := screentest.DecodeSixel(data)
		if err != nil || got.Rect != (image.Rectangle{Max: img.Rect.Size()}) {
			b.Fatalf("%s: decoded %v: %v", c.name, got.Rect, err)
		}
		ratios := make([]float64, len(c.times))
		for i, t := range c.times {
			ratios[i] = all[0].times[i] / t
		}
		rows = fmt.Appendf(rows, "%s\t%.2f\t%.3f\t%d\t%.1f\t%.1f\n", c.name, median(c.times), median(ratios),
			len(frame), boxPSNR(img, got, 4), meanPSNR(img, got))
	}
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	if _, err := w.Write(rows); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return text.String()
}

// median returns the middle value.
func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
