// Package pipeline runs a latent diffusion model (Rombach et al., arXiv
// 2112.10752) one denoiser call at a time: a model folder and its graphs, the
// text encoder, the denoiser under classifier-free guidance, the VAE's decoder,
// and the steps of a run.
//
//	prompt ──tokenizer──text encoder──► conditioning ─┐
//	seed ──noise──► x_T ─► denoiser(x_t, t, cond) ─► eps_cond, eps_uncond ─guidance─► eps ─sampler─► x_{t-1}, x0
//
// A [Model] is loaded once. [Model.Begin] makes the first [Step] of a run,
// [Model.Advance] the next, [Model.Edit] another one at the same place. Steps are
// immutable, so any of them can be gone back to and gone on from.
package pipeline
