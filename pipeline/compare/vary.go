package compare

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Axis is a setting with the values it takes, as text.
type Axis struct {
	Key    string
	Values []string
}

// MaxCells bounds the cells of a comparison, and so the values of an axis.
const MaxCells = 10000

// ParseVary reads KEY=VALUES. Values are separated by commas or, where there is a |
// outside quotes, by that alone. FROM:TO:STEP, three numbers, is the numbers from FROM
// to TO, both included where STEP meets them. What stands in double or single quotes is
// one value as it is; a backslash there takes the next character as it is.
func ParseVary(text string) (Axis, error) {
	key, values, ok := strings.Cut(text, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return Axis{}, fmt.Errorf("vary is %q, want KEY=VALUES, for example steps=10,20,50", text)
	}
	items, err := split(values)
	if err != nil {
		return Axis{}, fmt.Errorf("vary %s: %w", key, err)
	}
	a := Axis{Key: key}
	for _, it := range items {
		some := []string{it.text}
		if !it.quoted {
			if some, err = expand(it.text); err != nil {
				return Axis{}, fmt.Errorf("vary %s: %w", key, err)
			}
		}
		if a.Values = append(a.Values, some...); len(a.Values) > MaxCells {
			return Axis{}, fmt.Errorf("vary %s has more than %d values, which is the most cells there may be", key, MaxCells)
		}
	}
	return a, a.checkOnce()
}

func (a Axis) checkOnce() error {
	seen := map[string]bool{}
	for _, v := range a.Values {
		if seen[v] {
			return fmt.Errorf("vary %s has the value %q twice", a.Key, v)
		}
		seen[v] = true
	}
	return nil
}

// item is a value, or a range of them unless quoted.
type item struct {
	text   string
	quoted bool
}

// split takes values apart at | or, where there is none outside quotes, at commas.
func split(text string) ([]item, error) {
	if _, bars, _ := splitAt(text, ",|"); bars {
		items, _, err := splitAt(text, "|")
		return items, err
	}
	items, _, err := splitAt(text, ",")
	return items, err
}

// splitter reads values a byte at a time.
type splitter struct {
	items   []item
	now     strings.Builder
	was     bool // now is quoted
	quote   byte // that is open, or 0
	escaped bool
}

// splitAt takes values apart at some characters, and says whether | was one that it met.
func splitAt(text, separators string) (items []item, bars bool, err error) {
	var s splitter
	for i := range len(text) {
		switch c := text[i]; {
		case s.quote != 0:
			s.inside(c)
		case strings.IndexByte(separators, c) >= 0:
			bars = bars || c == '|'
			s.end()
		case (c == '"' || c == '\'') && !s.was && strings.TrimSpace(s.now.String()) == "":
			s.now.Reset()
			s.quote, s.was = c, true
		case s.was && c != ' ':
			err = fmt.Errorf("there is %q behind a closing quote, want %s or the end", string(c), separators)
		case !s.was:
			s.now.WriteByte(c)
		}
	}
	if s.quote != 0 {
		return nil, bars, errors.New("a quote is not closed")
	}
	s.end()
	return s.items, bars, err
}

func (s *splitter) inside(c byte) {
	switch {
	case s.escaped:
		s.escaped = false
		s.now.WriteByte(c)
	case c == '\\':
		s.escaped = true
	case c == s.quote:
		s.quote = 0
	default:
		s.now.WriteByte(c)
	}
}

func (s *splitter) end() {
	text := s.now.String()
	if !s.was {
		text = strings.TrimSpace(text)
	}
	s.items = append(s.items, item{text, s.was})
	s.now.Reset()
	s.was = false
}

// rangeSlack is the share of a step by which rounding may miss the end of a range.
const rangeSlack = 1e-9

// maxRangeEnd keeps the numbers of a range where whole ones are exact.
const maxRangeEnd = 1e15

// expand is the numbers of a range, or text itself where it is none.
func expand(text string) ([]string, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return []string{text}, nil
	}
	var v [3]float64
	for i, p := range parts {
		n, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(n) {
			return []string{text}, nil
		}
		v[i] = n
	}
	from, to, step := v[0], v[1], v[2]
	count := math.Floor((to-from)/step+rangeSlack) + 1
	switch {
	case !(math.Abs(from) <= maxRangeEnd && math.Abs(to) <= maxRangeEnd && math.Abs(step) <= maxRangeEnd):
		return nil, fmt.Errorf("range %s is too far, want numbers up to %g", text, maxRangeEnd)
	case !(count >= 1):
		return nil, fmt.Errorf("range %s leads nowhere, want FROM:TO:STEP with a step towards TO, for example 1:9:2", text)
	case count > MaxCells:
		return nil, fmt.Errorf("range %s has %g values, want at most %d", text, count, MaxCells)
	}
	out := make([]string, int(count))
	for i := range out {
		out[i] = decimal(from + float64(i)*step)
	}
	return out, nil
}

// decimal writes a number with at most 12 significant digits behind which only rounding
// is left, and without an exponent.
func decimal(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64) // its own text
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}
