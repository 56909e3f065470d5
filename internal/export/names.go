package export

import (
	"strings"

	"ldx/samplers"
)

// name pairs one of our names with AUTOMATIC1111's.
type name struct{ ours, theirs string }

// samplerNames are the samplers that both have. Its ancestral DPM++ 2S and its DPM++ SDE
// are none of ours.
var samplerNames = []name{
	{"ddim", "DDIM"}, {"ldm-plms", "PLMS"}, {"unipc", "UniPC"}, {"lcm", "LCM"},
	{"euler", "Euler"}, {"euler-a", "Euler a"}, {"heun", "Heun"}, {"lms", "LMS"},
	{"dpm2", "DPM2"}, {"dpm2-a", "DPM2 a"},
	{"dpm++2m", "DPM++ 2M"}, {"dpm++2m-sde", "DPM++ 2M SDE"}, {"dpm++3m-sde", "DPM++ 3M SDE"},
}

// scheduleNames likewise. Its Polyexponential is Exponential at its default rho of 1.
var scheduleNames = []name{
	{"karras", "Karras"}, {"exponential", "Exponential"}, {"beta", "Beta"}, {"ays", "Align Your Steps"},
	{"exponential", "Polyexponential"}, {"", "Automatic"}, {"", "Uniform"},
}

func samplerTheirs(ours string) string { return theirs(samplerNames, ours) }

func scheduleTheirs(ours string) string {
	if ours == "" {
		return ""
	}
	return theirs(scheduleNames, ours)
}

func theirs(names []name, ours string) string {
	for _, n := range names {
		if n.ours == ours {
			return n.theirs
		}
	}
	return ours
}

func ours(names []name, theirs string) (string, bool) {
	for _, n := range names {
		if strings.EqualFold(n.theirs, theirs) {
			return n.ours, true
		}
	}
	return "", false
}

// samplerOurs finds a sampler by a picture's name for it. Older names end in their noise
// levels, as in "DPM++ 2M Karras".
func samplerOurs(theirs string) (sampler, sigmas string, ok bool) {
	if s, err := samplers.ByName(theirs); err == nil {
		return s.Name, "", true
	}
	if s, ok := ours(samplerNames, theirs); ok {
		return s, "", true
	}
	for _, n := range scheduleNames {
		if at := len(theirs) - len(n.theirs) - 1; n.ours != "" && at > 0 && strings.EqualFold(theirs[at:], " "+n.theirs) {
			s, ok := ours(samplerNames, theirs[:at])
			return s, n.ours, ok
		}
	}
	s, err := samplers.ByName(strings.ToLower(theirs))
	return s.Name, "", err == nil
}

// sigmasOurs finds noise levels by a picture's name for them.
func sigmasOurs(theirs string) (string, bool) {
	if s, ok := ours(scheduleNames, theirs); ok {
		return s, true
	}
	for _, s := range samplers.SigmaSchedules() {
		if s == theirs {
			return s, true
		}
	}
	return theirs, theirs != "" && strings.Trim(theirs, "0123456789.,+-eE ") == ""
}
