package pipeline

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/mem"
)

// maxSide bounds a picture's side whatever memory there is; no latent diffusion
// model makes sense of more.
const maxSide = 16384

// attentionHeads is how many heads the levels that cost most have.
const attentionHeads = 8

// checkMemory refuses a size whose largest attention map would not fit in memory:
// a UNet attends between all cells of its finest attended grid, and holds the
// scores and their softmax in float32 (Stable Diffusion 1 at 1024x1024: 17 GB, as
// measured). Graphs with fused attention take less, so the check errs on the safe
// side for them.
func checkMemory(width, height, pixelsPerCell int) error {
	cells := float64(width/pixelsPerCell) * float64(height/pixelsPerCell)
	need := 2 * attentionHeads * cells * cells * 4
	memory, err := mem.VirtualMemory()
	if err != nil {
		return nil // a system that cannot be asked: let the run tell
	}
	if need > float64(memory.Available) {
		return fmt.Errorf("size is %dx%d, which takes about %.0f GiB of memory for attention and %.0f GiB are free; want a smaller size",
			width, height, need/(1<<30), float64(memory.Available)/(1<<30))
	}
	return nil
}
