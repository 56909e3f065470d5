package samplers

import (
	"fmt"
	"reflect"
	"strings"
)

// Sampler describes one sampling method.
type Sampler struct {
	Name         string // as --sampler takes it
	Class        string // diffusers' class; empty for CompVis's own
	Summary      string // one line
	Order        int    // nominal order; docs/convergence.md has what is measured
	CallsPerStep int    // evaluations of the denoiser a step
	Eta          bool   // whether eta applies
	Sigmas       bool   // whether it takes a sigma schedule
	Timesteps    bool   // whether it takes a list of timesteps
	Stochastic   bool   // whether it draws noise at every step
	Renoise      bool   // whether it can go on with another noise than predicted
	OwnSpacing   bool   // whether it lays out its timesteps in one way only

	method method
}

// Samplers lists the samplers in the order in which they are offered. A new one
// is a file of its own and a line here.
func Samplers() []Sampler {
	return []Sampler{
		ddim(), ddpm(), plms(), pndm(),
		euler(), eulerAncestral(), heun(), lms(), kdpm2(), kdpm2Ancestral(),
		dpmpp2M(), dpmpp3M(), dpmpp2MSDE(), dpmpp3MSDE(), dpmpp2S(), dpmpp3S(), dpm2M(), dpm3M(),
		uniPC(), deis(), lcm(), tcd(), ldmDDIM(), ldmPLMS(),
	}
}

// classes lists diffusers' classes for configs that name them: the sampler is then
// what the config says, and not what one of our names fixes.
func classes() []Sampler {
	var all []Sampler
	seen := map[string]bool{}
	for _, s := range Samplers() {
		if s.Class == "" || seen[s.Class] {
			continue
		}
		seen[s.Class] = true
		s.Name, s.method.fixed = s.Class, nil
		all = append(all, s)
	}
	return all
}

// Sampler is the name of the sampler that the config is for: one of [Samplers] whose
// name says no more and no less than the config, else the class as it is. A config
// without a class is for ddim.
func (c Config) Sampler() string {
	class := c.Class()
	if class == "" {
		return "ddim"
	}
	for _, s := range Samplers() {
		if s.Class != class {
			continue
		}
		named, err := s.method.resolve(Request{Config: c})
		s.method.fixed = nil
		plain, plainErr := s.method.resolve(Request{Config: c})
		if err == nil && plainErr == nil && reflect.DeepEqual(named, plain) {
			return s.Name
		}
	}
	return class
}

// ByName finds a sampler by its name or by the name of its class in diffusers; the
// error lists the names there are.
func ByName(name string) (Sampler, error) {
	for _, s := range Samplers() {
		if s.Name == name {
			return s, nil
		}
	}
	for _, s := range classes() {
		if s.Class == name {
			return s, nil
		}
	}
	return Sampler{}, fmt.Errorf("sampler %q is unknown, want %s", name, Names(func(Sampler) bool { return true }))
}

// Names lists, for a message, the samplers of which something holds.
func Names(holds func(Sampler) bool) string {
	var names []string
	for _, s := range Samplers() {
		if holds(s) {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, ", ")
}
