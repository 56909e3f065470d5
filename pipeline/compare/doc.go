// Package compare runs a model under many settings at once and computes what the runs
// share only once. [NewPlan] lays all runs out before anything is computed and counts
// the denoiser's calls; [Plan.Run] makes exactly these.
//
// Two runs share a step where they start from the same latent under equal plans and all
// that matters up to there is equal; they share a call where its input is bit-identical
// and the prompts are. So each run's bits are those of a run of its own.
package compare
