// Package termimg draws pictures in a terminal under a Bubble Tea program. It
// is the only writer of image escapes: it finds out what the terminal can do,
// scales and encodes pictures in a goroutine of its own, and owns the output,
// so that text and pictures reach the terminal together and in order.
//
// A [Compositor] is the program's output (tea.WithOutput). Each [Surface] is a
// place for a picture: give it the newest one with Submit, and put the block
// of cells that View returns into the program's view. The picture needs the
// alternate screen.
package termimg
