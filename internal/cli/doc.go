// Package cli is the command line of ldx: flags to settings, a model and a
// library to run it with, progress, and exit statuses.
package cli
