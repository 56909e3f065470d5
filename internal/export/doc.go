// Package export writes what a run made: pictures with their settings inside,
// animations and traces. Files appear whole or not at all.
package export
