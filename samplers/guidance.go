package samplers

// Guide is classifier-free guidance (Ho and Salimans, arXiv 2207.12598), in the
// form of diffusers: uncond + scale*(cond - uncond). A scale of at most 1 is off,
// as in diffusers' pipelines: the conditional output alone, returned as it is.
// uncond may be nil then.
func Guide(cond, uncond []float32, scale float64) []float32 {
	if !Guided(scale) {
		return cond
	}
	s := float32(scale)
	out := make([]float32, len(cond))
	for i, u := range uncond {
		out[i] = u + float32(s*float32(cond[i]-u))
	}
	return out
}

// Guided reports whether a guidance scale needs the unconditional output.
func Guided(scale float64) bool { return scale > 1 }
