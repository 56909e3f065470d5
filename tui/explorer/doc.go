// Package explorer is the screen on which one run is stepped through: pictures,
// settings, and the line of steps.
//
// Model work happens in jobs (job.go) and decoding in commands (pictures.go);
// each result says which job or step it belongs to, and stale ones are dropped.
package explorer
