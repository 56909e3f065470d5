// Package prompt reads prompts in AUTOMATIC1111's syntax (stable-diffusion-webui
// 1.10: modules/prompt_parser.py and sd_hijack_clip.py): a schedule of texts over
// the steps, weights, and chunks that a text encoder can take.
//
// # Schedules
//
// [Parse] resolves what changes from step to step, before anything else looks at the
// text. Steps count from 1:
//
//	[from:to:when]  from up to and with step when, then to
//	[to:when]       nothing, then to
//	[from::when]    from, then nothing
//	[a|b|c]         a at step 1, b at 2, c at 3, a at 4 ...; an option may be empty
//
// A when written with a point is a share of the steps, int(when*steps); one without
// is a step ("1" is the first step, "1.0" all of them). It is cut off at the number
// of steps. They nest. A bracket that is not of one of these forms, or is never
// closed, is text, and so are the brackets around it. A | outside brackets, or a
// backslash at the very end, makes the whole prompt text. Whoever numbers the steps
// decides which step a picture begins with: webui's own samplers count calls of the
// model from 0, and so show the first text once more than its table of steps says.
//
// # Weights
//
// [Weigh] cuts a text into pieces with weights, which multiply where they nest:
//
//	(text)      1.1
//	[text]      1/1.1
//	(text:1.2)  1.2
//	\( \) \[ \] \\ the character itself
//	BREAK       fills up the chunk; the next begins
//
// A bracket that is not closed counts to the end; one that was not opened is text.
// BREAK inside brackets is a break too (webui weighs the word "BREAK" there).
//
// # Chunks
//
// [Split] lays the tokens into chunks of as many as the text encoder takes between
// its markers (75 for CLIP). Where a chunk is full and a comma stands among its last
// 20 tokens, what follows the comma moves to the next chunk.
//
// AND, which webui uses to add up the predictions of several prompts, is refused.
package prompt
