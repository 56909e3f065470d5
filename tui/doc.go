// Package tui is the interface: one root model that owns the screen, the header,
// the help line and the popups, and passes the rest on to the explorer.
package tui
