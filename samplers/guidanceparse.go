package samplers

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseGuidanceInterval reads windows with commas between: sigma:LOW..HIGH, noise
// levels, and steps:FROM..TO, shares of the steps. Either end may be left out. Empty
// text is the interval that has all.
func ParseGuidanceInterval(text string) (GuidanceInterval, error) {
	var w GuidanceInterval
	windows := map[string][2]*float64{"sigma": {&w.SigmaLow, &w.SigmaHigh}, "steps": {&w.Start, &w.Stop}}
	for _, part := range listed(text) {
		name, ends, _ := strings.Cut(part, ":")
		from, to, ok := strings.Cut(ends, "..")
		window, known := windows[strings.TrimSpace(name)]
		if !ok || !known || !readUnlessEmpty(from, window[0]) || !readUnlessEmpty(to, window[1]) {
			return GuidanceInterval{}, fmt.Errorf("guidance interval is %q, want sigma:LOW..HIGH, steps:FROM..TO (0 to 1), or both with a comma", text)
		}
		if *window[1] == 0 && strings.TrimSpace(to) != "" {
			return GuidanceInterval{}, fmt.Errorf("guidance interval %s ends at 0, want more, or nothing after .. for no limit", part)
		}
	}
	return w, w.check()
}

// String is the text that [ParseGuidanceInterval] reads as w.
func (w GuidanceInterval) String() string {
	var parts []string
	for _, p := range []struct {
		name     string
		from, to float64
	}{{"sigma", w.SigmaLow, w.SigmaHigh}, {"steps", w.Start, w.Stop}} {
		if p.from != 0 || p.to != 0 {
			parts = append(parts, p.name+":"+unlessZero(p.from)+".."+unlessZero(p.to))
		}
	}
	return strings.Join(parts, ",")
}

// ParseAPG reads settings of [APG] with commas between, for example
// momentum=-0.5,threshold=15,eta=0; one left out is 0. "on" is all of them 0, and "off"
// and empty text are no APG.
func ParseAPG(text string) (APG, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "off" {
		return APG{}, nil
	}
	a := APG{Enabled: true}
	if text == "on" {
		return a, nil
	}
	keys := map[string]*float64{"momentum": &a.Momentum, "threshold": &a.Threshold, "eta": &a.Eta}
	for _, part := range listed(text) {
		name, value, ok := strings.Cut(part, "=")
		into := keys[strings.TrimSpace(name)]
		if !ok || into == nil || !readNumber(value, into) {
			return APG{}, fmt.Errorf("apg is %q, want on, off, or some of momentum=-0.5,threshold=15,eta=0", text)
		}
	}
	return a, a.check()
}

// String is the text that [ParseAPG] reads as a.
func (a APG) String() string {
	switch {
	case !a.Enabled:
		return "off"
	case a == APG{Enabled: true}:
		return "on"
	}
	var parts []string
	for _, p := range []struct {
		name  string
		value float64
	}{{"momentum", a.Momentum}, {"threshold", a.Threshold}, {"eta", a.Eta}} {
		if p.value != 0 {
			parts = append(parts, p.name+"="+shortest(p.value))
		}
	}
	return strings.Join(parts, ",")
}

// ParseMimic reads SCALE or SCALE,PERCENTILE for [Mimic]; "off" and empty text are none.
func ParseMimic(text string) (Mimic, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "off" {
		return Mimic{}, nil
	}
	var m Mimic
	scale, percentile, cut := strings.Cut(text, ",")
	if !readNumber(scale, &m.Scale) || cut && (!readNumber(percentile, &m.Percentile) || m.Percentile == 0) {
		return Mimic{}, fmt.Errorf("mimic is %q, want off, or SCALE,PERCENTILE such as 7 or 7,0.99", text)
	}
	return m, m.check()
}

// String is the text that [ParseMimic] reads as m.
func (m Mimic) String() string {
	switch {
	case m.Scale == 0:
		return "off"
	case m.Percentile == 0:
		return shortest(m.Scale)
	}
	return shortest(m.Scale) + "," + shortest(m.Percentile)
}

// listed gives the parts of a list without the blanks around them, none for no text.
func listed(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

// readNumber reads a number and reports whether it is one.
func readNumber(text string, into *float64) bool {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	*into = v
	return err == nil
}

// readUnlessEmpty leaves into as it is for no text.
func readUnlessEmpty(text string, into *float64) bool {
	return strings.TrimSpace(text) == "" || readNumber(text, into)
}

func unlessZero(v float64) string {
	if v == 0 {
		return ""
	}
	return shortest(v)
}
