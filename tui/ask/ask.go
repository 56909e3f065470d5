// Package ask holds what a screen asks the root model to ask the person. A screen
// returns one of these as a message; the root opens a popup for it, and when the
// person has answered sends what Then makes of the answer. Leaving with esc sends
// nothing.
//
// Check and Then are called from Update: they must not block.
package ask

import (
	tea "charm.land/bubbletea/v2"

	"ldx/pipeline/prompt"
)

// Line asks for one line of text.
type Line struct {
	Title string
	Value string // what stands there at first
	// Check says why a text does not do, in one line; nil takes any.
	Check func(string) error
	// Note says what a text that would do leads to, in one line; nil says nothing.
	Note func(string) string
	Then func(string) tea.Msg
}

// Choice asks for one of several things.
type Choice struct {
	Title string
	Items []Item
	At    int // the item chosen at first
	Then  func(i int) tea.Msg
}

// Item is something to choose.
type Item struct {
	Name   string
	Detail string
}

// Prompts asks for one of the prompts used before.
type Prompts struct {
	Then func(prompt string) tea.Msg
}

// Tokens shows how the model's tokenizers read a text. It asks for nothing.
type Tokens struct {
	Title  string // "prompt", "negative prompt"; "" is the first
	Text   string
	Syntax prompt.Syntax
	// Step of Steps, counted from 1, is where a schedule in the prompt is read; with
	// Steps 0 it is the first of the model's own number.
	Step, Steps int
}

// Cmd is a command that asks: ask.Line, ask.Choice, ask.Prompts or ask.Tokens.
func Cmd(what tea.Msg) tea.Cmd { return func() tea.Msg { return what } }
