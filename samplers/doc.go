// Package samplers steps through the reverse process of a diffusion model, one
// model call at a time, with the numbers of the reference implementations.
//
// It is four parts that know nothing of each other's insides: a noise schedule
// ([Config], betas and alpha-bar), timesteps ([Plan]), a solver (one file each)
// and noise ([Noise]). Everything is a pure function on float32 data: a [Plan]
// is immutable, a [State] is a value that is never written to, and a draw of
// noise depends on the generator, the seed and the number of the draw alone. So
// going back is keeping the old State, branching is stepping twice from the
// same one, and a replay is bit-identical.
//
// Symbols are those of Ho et al. (arXiv 2006.11239) and Song et al.
// (arXiv 2010.02502), with the schedule in terms of the cumulative product
// alpha-bar that diffusers calls alphas_cumprod:
//
//	x_t = sqrt(alpha-bar_t) x_0 + sqrt(1 - alpha-bar_t) eps
//
// A step is a handful of coefficients and weighted sums of latents. Coefficients follow
// the reference operation by operation where its single precision shows in the result;
// products are wrapped in float32(...) so that no compiler fuses them with a sum.
package samplers
