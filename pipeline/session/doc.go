// Package session keeps a [pipeline.Run] on disk as it happens, and opens it again.
//
// A session is a folder. Its session.jsonl begins with a [Header]; then each line is one
// operation on the run, in the order in which they were done. tensors/NNNNNN.safetensors
// has those numbers that step N was the first to have, as float32 [1, C, H, W]: x (the
// latent), memory.0 and on (what the solver remembers), cond and uncond (the denoiser's
// outputs), eps (with guidance applied), renoise, momentum and x0. What a step shares
// with an earlier one is not written twice: its line says "12:cond" where the numbers
// are step 12's cond.
//
// The operations are those of [pipeline.Op], by their verbs. A step's line has its
// [pipeline.Record], the branch that it is on, how many draws of noise were used up, and
// where its tensors are:
//
//	{"op":"step","branch":0,"record":{"id":3,"parent":2,…},"draws":1,"tensors":{"cond":"3:cond","x":"3:x",…}}
//	{"op":"move","branch":0,"to":2}
//
// A step is written by who made it, maybe before the run takes it; then a second line,
// {"op":"step","branch":0,"step":3}, says when that was. A line {"op":"resume",
// "header":{…}} says that another machine, library or model goes on from there.
//
// A step's tensors are in place, under their final name, before the line that speaks of
// them is written, in one call. A program that is killed loses at most the step that it
// was computing; a loss of power at most what was written in the last second or so.
package session
