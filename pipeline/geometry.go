package pipeline

import (
	"fmt"

	"gorgonia.org/tensor"
)

// Geometry relates latents to pixels.
type Geometry struct {
	Channels int     // of a latent
	Factor   int     // pixels a latent cell, each way
	Halvings int     // how often the UNet halves a latent
	Attended int     // after how many halvings it first attends
	Size     int     // of the latents it was trained on, each way
	Scaling  float32 // what latents were multiplied by for the UNet
	Shift    float32 // what was subtracted before
}

// Multiple is what a picture's width and height must be multiples of.
func (g Geometry) Multiple() int { return g.Factor << g.Halvings }

// Bounds on what a config may claim.
const (
	maxChannels   = 1024
	maxSampleSize = 4096
)

func (g Geometry) check() error {
	switch {
	case g.Channels < 1 || g.Channels > maxChannels:
		return fmt.Errorf("latent_channels is %d, want 1 to %d", g.Channels, maxChannels)
	case g.Size > maxSampleSize:
		return fmt.Errorf("sample_size is %d, want at most %d", g.Size, maxSampleSize)
	case !(g.Scaling > 0):
		return fmt.Errorf("scaling_factor is %g, want more than 0", g.Scaling)
	}
	return nil
}

// shape is that of a latent for a picture of the settings' size: [1, C, H, W].
func (g Geometry) shape(s Settings) tensor.Shape {
	return tensor.Shape{1, g.Channels, s.Height / g.Factor, s.Width / g.Factor}
}

// checkSize holds a picture's size in pixels against the geometry and the memory
// there is.
func (g Geometry) checkSize(width, height int) error {
	if err := g.checkSides(width, height); err != nil {
		return err
	}
	return checkMemory(width, height, g.Factor<<g.Attended)
}

// checkSides holds a picture's size in pixels against the geometry.
func (g Geometry) checkSides(width, height int) error {
	if width > maxSide || height > maxSide {
		return fmt.Errorf("size is %dx%d, want at most %d a side", width, height, maxSide)
	}
	multiple := g.Multiple()
	if width < multiple || height < multiple || width%multiple != 0 || height%multiple != 0 {
		return fmt.Errorf("size is %dx%d, want both sides a multiple of %d, for example %dx%d",
			width, height, multiple, nearest(width, multiple), nearest(height, multiple))
	}
	return nil
}

func nearest(n, multiple int) int {
	return max(multiple, (n+multiple/2)/multiple*multiple)
}
