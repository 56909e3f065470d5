package export

import (
	"encoding/json"
	"strings"
)

// splitParameters takes parameters apart as AUTOMATIC1111 does: the prompts, and the
// names and values of the last line that begins with "Steps:". Without such a line, the
// last one counts if it has three names.
func splitParameters(text string) (prompts string, values pairs) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for len(lines) > 1 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	at := len(lines) - 1
	for i := at; i >= 0; i-- {
		if strings.HasPrefix(strings.TrimSpace(lines[i]), keySteps+":") {
			at = i
			break
		}
	}
	values = splitPairs(lines[at])
	if len(values) < 3 && !strings.HasPrefix(strings.TrimSpace(lines[at]), keySteps+":") {
		return strings.Join(lines, "\n"), nil
	}
	return strings.Join(lines[:at], "\n"), values
}

// splitPrompts takes the prompts apart at the line that begins with "Negative prompt:".
func splitPrompts(text string) (positive, negative string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), negativeMark); ok {
			lines[i] = strings.TrimPrefix(rest, " ")
			return strings.Join(lines[:i], "\n"), strings.Join(lines[i:], "\n")
		}
	}
	return text, ""
}

// maxPairs bounds the names that are read; pictures have up to some dozens.
const maxPairs = 1000

// splitPairs reads "Name: value, Name: value". A value in quotes is a JSON string; text
// that is neither is passed over.
func splitPairs(line string) (all pairs) {
	for line != "" && len(all) < maxPairs {
		name, rest, ok := strings.Cut(line, ":")
		if !ok {
			break
		}
		if comma := strings.LastIndexByte(name, ','); comma >= 0 { // a piece without a name
			name = name[comma+1:]
		}
		var value string
		value, line = cutValue(strings.TrimLeft(rest, " "))
		if name = strings.TrimSpace(name); name != "" {
			all.add(name, value)
		}
	}
	return all
}

// cutValue takes a value off the front of text, and the comma after it.
func cutValue(text string) (value, rest string) {
	if end := closingQuote(text); end > 0 {
		if json.Unmarshal([]byte(text[:end]), &value) == nil {
			_, rest, _ = strings.Cut(text[end:], ",")
			return value, rest
		}
	}
	value, rest, _ = strings.Cut(text, ",")
	return strings.TrimSpace(value), rest
}

// closingQuote is where the string that text begins with has ended, 0 for none.
func closingQuote(text string) int {
	if !strings.HasPrefix(text, `"`) {
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}
