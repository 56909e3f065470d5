package samplers

import (
	"math"
	"strings"
	"testing"
)

func TestGuidanceScheduleOverTheSteps(t *testing.T) {
	for _, tt := range []struct {
		schedule GuidanceSchedule
		steps    int
		want     []float64
	}{
		{"", 3, []float64{7, 7, 7}},
		{"linear:1..9", 5, []float64{1, 3, 5, 7, 9}},
		{"linear:9..1", 3, []float64{9, 5, 1}},
		{"cosine:10..2", 5, []float64{10, 8.8284271, 6, 3.1715729, 2}},
		{"8,7.5,3.1", 3, []float64{8, 7.5, 3.1}},
		{"8,4", 5, []float64{8, 7, 6, 5, 4}},
		{"1,2,3,4,5", 3, []float64{1, 3, 5}},
		{"2,6,2", 2, []float64{2, 2}},
		{"3,9", 1, []float64{3}},
		{"5", 2, []float64{5, 5}},
	} {
		g := Guidance{Scale: 7, Schedule: tt.schedule}
		for k, want := range tt.want {
			if got := g.ScaleAt(k, tt.steps); math.Abs(got-want) > 1e-6 {
				t.Errorf("%q at step %d of %d is %g, want %g", tt.schedule, k, tt.steps, got, want)
			}
		}
		last := tt.want[len(tt.want)-1]
		if got := g.ScaleAt(tt.steps, tt.steps); got != last && tt.steps > 1 {
			t.Errorf("%q past the end is %g, want the last scale %g", tt.schedule, got, last)
		}
	}
}

func TestGuidanceScheduleIsOneScaleAStepExactly(t *testing.T) {
	list := []string{"0.1", "0.2", "0.3", "7.7", "1.1", "3.3", "2.9"}
	g := Guidance{Schedule: GuidanceSchedule(strings.Join(list, ","))}
	for k, want := range []float64{0.1, 0.2, 0.3, 7.7, 1.1, 3.3, 2.9} {
		if got := g.ScaleAt(k, len(list)); got != want {
			t.Errorf("step %d has scale %v, want %v", k, got, want)
		}
	}
}

func TestParseGuidanceSchedule(t *testing.T) {
	for text, want := range map[string]GuidanceSchedule{
		"": "", " constant ": "", "7.50": "7.5", " 8, 7.0 ,6": "8,7,6",
		"linear: 1 .. 7.5": "linear:1..7.5", "cosine:7.5..0": "cosine:7.5..0",
	} {
		if got, err := ParseGuidanceSchedule(text); got != want || err != nil {
			t.Errorf("%q is read as %q, error %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"linear", "linear:", "linear:1", "linear:1,2", "steep:1..2", "1,,2", "1..2", "-1", "NaN", "1e9", "linear:0..Inf"} {
		if got, err := ParseGuidanceSchedule(text); err == nil || got != "" || !strings.HasPrefix(err.Error(), "guidance schedule ") {
			t.Errorf("%q is read as %q, error %v; want an error", text, got, err)
		}
	}
}

func TestParseGuidanceInterval(t *testing.T) {
	for text, want := range map[string]GuidanceInterval{
		"":                               {},
		"sigma:0.28..5.42":               {SigmaLow: 0.28, SigmaHigh: 5.42},
		"steps:0.2..0.8":                 {Start: 0.2, Stop: 0.8},
		" steps: .. 0.5 , sigma: 1 .. ":  {Stop: 0.5, SigmaLow: 1},
		"sigma:0..3":                     {SigmaHigh: 3},
		"steps:..":                       {},
		"sigma:0.5..1e3,steps:0.25..1.0": {SigmaLow: 0.5, SigmaHigh: 1000, Start: 0.25, Stop: 1},
	} {
		if got, err := ParseGuidanceInterval(text); got != want || err != nil {
			t.Errorf("%q is read as %+v, error %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"0.2..0.8", "sigma", "sigma:1", "steps:0.8..0.2", "steps:0.1..0", "steps:a..b", "time:0..1", ",", "sigma:..NaN"} {
		if got, err := ParseGuidanceInterval(text); err == nil || !strings.HasPrefix(err.Error(), "guidance interval ") {
			t.Errorf("%q is read as %+v, error %v; want an error", text, got, err)
		}
	}
}

func TestParseAPG(t *testing.T) {
	for text, want := range map[string]APG{
		"": {}, " off": {}, "on": {Enabled: true}, "eta=0": {Enabled: true},
		"momentum=-0.5, threshold = 15,eta=0.25": {Enabled: true, Momentum: -0.5, Threshold: 15, Eta: 0.25},
	} {
		if got, err := ParseAPG(text); got != want || err != nil {
			t.Errorf("%q is read as %+v, error %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"yes", "eta", "eta=", "beta=1", "eta=2", "momentum=1", "threshold=Inf", "eta=NaN", ","} {
		if got, err := ParseAPG(text); err == nil || !strings.HasPrefix(err.Error(), "apg ") {
			t.Errorf("%q is read as %+v, error %v; want an error", text, got, err)
		}
	}
}

func TestParseMimic(t *testing.T) {
	for text, want := range map[string]Mimic{
		"": {}, "off": {}, "7": {Scale: 7}, " 7.5 , 0.99": {Scale: 7.5, Percentile: 0.99},
	} {
		if got, err := ParseMimic(text); got != want || err != nil {
			t.Errorf("%q is read as %+v, error %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"on", ",", "7,", "7,0", "7,99", "-1", "7,0.9,1", "NaN"} {
		if got, err := ParseMimic(text); err == nil || !strings.HasPrefix(err.Error(), "mimic ") {
			t.Errorf("%q is read as %+v, error %v; want an error", text, got, err)
		}
	}
}

// FuzzParseGuidance has what a command line may give: what is read is valid, and is
// read the same from how it is written.
func FuzzParseGuidance(f *testing.F) {
	for _, text := range []string{"", "linear:1..7.5", "8,7,6", "sigma:0.28..5.42,steps:..0.8", "momentum=-0.5,threshold=15", "7,0.99", "7", "on", "off"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var g Guidance
		if s, err := ParseGuidanceSchedule(text); err == nil {
			if again, err := ParseGuidanceSchedule(string(s)); err != nil || again != s {
				t.Errorf("%q is written %q and then read as %q, error %v", text, s, again, err)
			}
			g.Schedule = s
		}
		if w, err := ParseGuidanceInterval(text); err == nil {
			if again, err := ParseGuidanceInterval(w.String()); err != nil || again != w {
				t.Errorf("%q is written %q and then read as %+v, error %v", text, w, again, err)
			}
			g.Interval = w
		}
		if a, err := ParseAPG(text); err == nil {
			if again, err := ParseAPG(a.String()); err != nil || again != a {
				t.Errorf("%q is written %q and then read as %+v, error %v", text, a, again, err)
			}
			g.APG = a
		}
		if m, err := ParseMimic(text); err == nil {
			if again, err := ParseMimic(m.String()); err != nil || again != m && m.Scale != 0 {
				t.Errorf("%q is written %q and then read as %+v, error %v", text, m, again, err)
			}
			g.Mimic = m
		}
		if err := g.Check(); err != nil {
			t.Errorf("%q is read as %+v: %v", text, g, err)
		}
		for k := range 3 {
			if s := g.ScaleAt(k, 3); !(s >= 0 && s <= MaxGuidance) {
				t.Errorf("%q has scale %g at step %d", text, s, k)
			}
		}
	})
}
