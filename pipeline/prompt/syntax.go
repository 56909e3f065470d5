package prompt

import "fmt"

// A Syntax says how a prompt is read. The zero value is Plain.
type Syntax string

const (
	// Plain takes a prompt as it stands, as diffusers does: what the text encoder
	// has no room for is cut off.
	Plain Syntax = "plain"
	// A1111 reads weights, schedules and breaks, see the package.
	A1111 Syntax = "a1111"
)

// Syntaxes lists the syntaxes.
func Syntaxes() []Syntax { return []Syntax{Plain, A1111} }

// Check reports whether s names a syntax.
func (s Syntax) Check() error {
	switch s {
	case "", Plain, A1111:
		return nil
	}
	return fmt.Errorf("prompt syntax %q is unknown, want %s or %s", s, Plain, A1111)
}
