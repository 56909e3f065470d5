package samplers

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// lowestSigma and highestSigma bound the noise levels that calls start from: single
// precision holds no picture beside more noise, and no noise beside more picture.
const lowestSigma, highestSigma = 1e-6, 1e6

// SigmaSchedules lists the names that a request's Sigmas may have, beside a list
// of noise levels.
func SigmaSchedules() []string {
	return []string{"normal", "karras", "exponential", "beta", "lu", "ays", "ays-sdxl"}
}

// override replaces what the config says about sigmas by what the request does.
func (s *sigmaParams) override(sigmas string) error {
	if sigmas == "" {
		return nil
	}
	s.requested = true
	s.UseKarrasSigmas, s.UseExponentialSigmas, s.UseBetaSigmas, s.UseLuLambdas = false, false, false, false
	switch sigmas {
	case "normal":
	case "karras":
		s.UseKarrasSigmas = true
	case "exponential":
		s.UseExponentialSigmas = true
	case "beta":
		s.UseBetaSigmas = true
	case "lu":
		s.UseLuLambdas = true
	case "ays":
		s.ays = aysSD
	case "ays-sdxl":
		s.ays = aysSDXL
	default:
		list, err := parseSigmas(sigmas)
		s.list = list
		return err
	}
	return nil
}

// parseSigmas reads a list of falling noise levels; a last one of 0 is left out,
// as the run ends there anyway.
func parseSigmas(text string) ([]float64, error) {
	var list []float64
	for _, field := range strings.Split(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) || v < 0 {
			return nil, fmt.Errorf("sigmas is %q, want %s, or a list of falling noise levels such as 14.6,5,1,0.3", text, join(SigmaSchedules()))
		}
		if n := len(list); n > 0 && v >= list[n-1] {
			return nil, fmt.Errorf("sigmas goes from %g to %g, want a falling list", list[n-1], v)
		}
		list = append(list, v)
	}
	if last := len(list) - 1; list[last] == 0 {
		list = list[:last]
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("sigmas is %q, want at least one noise level above 0", text)
	}
	return list, nil
}

// mode is the conversion that the keys ask for, "" for none.
func (s sigmaParams) mode() (mode string, err error) {
	for _, m := range []struct {
		name string
		on   bool
	}{
		{"karras", s.UseKarrasSigmas}, {"exponential", s.UseExponentialSigmas}, {"beta", s.UseBetaSigmas}, {"lu", s.UseLuLambdas},
		{"ays", s.ays != nil}, {"list", s.list != nil},
	} {
		if m.on && mode != "" {
			return "", fmt.Errorf("scheduler config: %s and %s sigmas are both asked for, want one", mode, m.name)
		}
		if m.on {
			mode = m.name
		}
	}
	return mode, nil
}

// sigmasOf are the noise levels sqrt((1-a)/a) of a table of alpha-bar, float32.
func sigmasOf(alphas []float32) []float32 {
	out := make([]float32, len(alphas))
	for i, a := range alphas {
		out[i] = sqrt32((1 - a) / a)
	}
	return out
}

// logsOf are natural logarithms, rounded to float32.
func logsOf(values []float32) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(math.Log(float64(v)))
	}
	return out
}

// interpolate is numpy's interp of a table at positions, in float64.
func interpolate(at []float64, table []float32) []float64 {
	out := make([]float64, len(at))
	last := len(table) - 1
	for i, t := range at {
		lo := min(max(int(math.Floor(t)), 0), last)
		if lo == last || t <= 0 {
			out[i] = float64(table[lo])
			continue
		}
		slope := float64(table[lo+1]) - float64(table[lo])
		out[i] = float64(slope*(t-float64(lo))) + float64(table[lo])
	}
	return out
}

// timestepOf is the training timestep with a noise level, between timesteps by the
// logarithm of sigma (diffusers' _sigma_to_t); logs is the table's logarithms,
// rising.
func timestepOf(sigma float64, logs []float32) float64 {
	l := math.Log(max(sigma, 1e-10))
	above := sort.Search(len(logs), func(i int) bool { return float64(logs[i]) > l })
	if l >= float64(logs[len(logs)-1]) { // the bound of zero SNR may be below the entry before it
		above = len(logs)
	}
	lo := min(max(above-1, 0), len(logs)-2)
	if lo < 0 {
		return 0
	}
	low, high := float64(logs[lo]), float64(logs[lo+1])
	w := min(max((low-l)/(low-high), 0), 1)
	return float64((1-w)*float64(lo)) + float64(w*float64(lo+1))
}

// karrasRho is the rho of Karras et al. (arXiv 2206.00364, eq. 5).
const karrasRho = 7

// convert lays n noise levels from high to low as a mode says, in float64: karras,
// exponential, or beta (arXiv 2407.12173, with alpha = beta = 0.6).
func convert(mode string, high, low float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		r := 0.0
		if n > 1 {
			r = float64(i) / float64(n-1)
		}
		switch mode {
		case "karras":
			a, b := math.Pow(high, 1.0/karrasRho), math.Pow(low, 1.0/karrasRho)
			out[i] = math.Pow(a+float64(r*(b-a)), karrasRho)
		case "exponential", "lu":
			a, b := math.Log(high), math.Log(low)
			out[i] = math.Exp(a + float64(r*(b-a)))
		case "beta":
			out[i] = low + float64(betaQuantile(1-r)*(high-low))
		}
	}
	return out
}

// The timesteps of Align Your Steps (arXiv 2404.14507) for 10 steps of Stable
// Diffusion 1 and of SDXL.
var (
	aysSD   = []float64{999, 850, 736, 645, 545, 455, 343, 233, 124, 24}
	aysSDXL = []float64{999, 845, 730, 587, 443, 310, 193, 116, 53, 13}
)

// alignYourSteps gives n noise levels after a table of timesteps of 0 to 999: at them
// for as many, else by interpolating the logarithm of sigma between them, as the paper
// does. Above from, which is the first level then, the table is left out; 0 takes all.
func alignYourSteps(table []float64, sigmas []float32, n int, from float64) ([]float64, error) {
	last := float64(len(sigmas) - 1)
	at := slices.Clone(table)
	for i := range at {
		at[i] *= last / 999
	}
	levels := interpolate(at, sigmas)
	if n == len(levels) && from == 0 {
		return levels, nil
	}
	logs := make([]float64, len(levels))
	for i, s := range levels {
		logs[i] = math.Log(s)
	}
	begin, end := 0.0, float64(len(logs)-1)
	if from > 0 {
		begin = placeOf(math.Log(from), logs)
		if begin == end && n > 1 {
			return nil, fmt.Errorf("steps is %d, and Align Your Steps has no noise level below %g, where the plan is to start; want 1, or other sigmas", n, from)
		}
	}
	out := make([]float64, n)
	for i := range out {
		at := begin
		if n > 1 {
			at += float64(float64(i) / float64(n-1) * (end - begin))
		}
		lo := min(int(at), len(logs)-2)
		out[i] = math.Exp(logs[lo] + float64((at-float64(lo))*(logs[lo+1]-logs[lo])))
	}
	if from > 0 {
		out[0] = from
	}
	return out, nil
}

// placeOf is where between the entries of a falling list a value lies; its ends for what
// is beyond them.
func placeOf(value float64, list []float64) float64 {
	i := 0
	for i < len(list) && list[i] > value {
		i++
	}
	switch i {
	case 0:
		return 0
	case len(list):
		return float64(i - 1)
	}
	return float64(i-1) + (list[i-1]-value)/(list[i-1]-list[i])
}

// listFrom are the noise levels asked for one by one: from one of a plan that starts in
// mid-schedule, those below. Those within half a timestep are that itself, which whole
// timesteps cannot tell from it.
func (c params) listFrom(from float64, logs []float32) []float64 {
	if from == 0 {
		return slices.Clone(c.list)
	}
	list := below(c.list, from)
	for len(list) > 1 && timestepOf(list[1], logs) >= c.from-0.5 {
		list = slices.Delete(list, 1, 2)
	}
	return list
}

// betaQuantile is the quantile function of the beta distribution with both
// parameters 0.6, as scipy.stats.beta.ppf(p, 0.6, 0.6).
func betaQuantile(p float64) float64 {
	lo, hi := 0.0, 1.0
	switch {
	case p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	for range 100 {
		mid := (lo + hi) / 2
		if betaCDF(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// betaShape is both parameters of the beta distribution.
const betaShape = 0.6

// betaCDF is the regularised incomplete beta function with both parameters 0.6: a
// power series, which converges fast below 1/2, and its mirror above.
func betaCDF(x float64) float64 {
	if x > 0.5 {
		return 1 - betaCDF(1-x)
	}
	if x <= 0 {
		return 0
	}
	one, _ := math.Lgamma(betaShape)
	both, _ := math.Lgamma(2 * betaShape)
	term, sum := 1.0, 1/betaShape
	for k := 1; k < 400 && math.Abs(term) > 1e-18; k++ {
		term *= (float64(k) - betaShape) / float64(k) * x
		sum += term / (betaShape + float64(k))
	}
	return math.Exp(float64(betaShape*math.Log(x))-(2*one-both)) * sum
}
