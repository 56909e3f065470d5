package keys

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// special are the keys that have names. Bubble Tea's own name of each is what it is
// called in a binding.
var special = func() map[string]rune {
	codes := []rune{
		tea.KeyEnter, tea.KeyTab, tea.KeyBackspace, tea.KeyEscape, tea.KeySpace, tea.KeyUp, tea.KeyDown, tea.KeyLeft,
		tea.KeyRight, tea.KeyInsert, tea.KeyDelete, tea.KeyPgUp, tea.KeyPgDown, tea.KeyHome, tea.KeyEnd,
	}
	for f := tea.KeyF1; f <= tea.KeyF20; f++ {
		codes = append(codes, f)
	}
	names := map[string]rune{}
	for _, c := range codes {
		names[tea.Key{Code: c}.Keystroke()] = c
	}
	return names
}()

// modifiers in the order in which Bubble Tea writes them.
var modifiers = []struct {
	name string
	mod  tea.KeyMod
}{{"ctrl+", tea.ModCtrl}, {"alt+", tea.ModAlt}, {"shift+", tea.ModShift}}

// Parse reads a key as bindings name it: a character, or a name such as "enter" or
// "f5", after any of "ctrl+", "alt+" and "shift+" in this order. The key's String is
// its name again.
func Parse(name string) (tea.Key, error) {
	var k tea.Key
	rest := name
	for _, m := range modifiers {
		if after, ok := strings.CutPrefix(rest, m.name); ok {
			k.Mod, rest = k.Mod|m.mod, after
		}
	}
	char, size := utf8.DecodeRuneInString(rest)
	named, isNamed := special[rest]
	switch {
	case isNamed:
		k.Code = named
		if named == tea.KeySpace && k.Mod == 0 {
			k.Text = " "
		}
	case size == 0 || size < len(rest) || char == utf8.RuneError || !unicode.IsGraphic(char) || unicode.IsSpace(char):
		return tea.Key{}, fmt.Errorf("%q is no key, want a character, or enter, tab, space, esc, up, pgdown, f5 …, after ctrl+, alt+, shift+", name)
	case k.Mod == 0:
		k = typed(char)
	case unicode.IsUpper(char):
		return tea.Key{}, fmt.Errorf("%q is no key, want it in lower case: %q", name, strings.ToLower(name))
	default:
		k.Code = char
	}
	return k, nil
}

// typed is the key that types a character.
func typed(char rune) tea.Key {
	k := tea.Key{Code: char, Text: string(char)}
	if lower := unicode.ToLower(char); lower != char {
		k.Code, k.ShiftedCode, k.Mod = lower, char, tea.ModShift
	}
	return k
}

// IsText reports whether a key types a character, so that it cannot have another
// meaning in a field.
func IsText(k tea.Key) bool { return k.Text != "" }
