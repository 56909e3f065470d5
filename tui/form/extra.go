package form

import "ldx/pipeline/named"

// Extra is a setting that has no field in the pane.
type Extra = named.Setting

// Extras are all settings that have no field in the pane.
func Extras() []Extra { return named.Extras() }
