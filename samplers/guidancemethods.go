package samplers

import (
	"fmt"
	"math"
)

// APG is adaptive projected guidance (Sadat et al., arXiv 2410.02416) as diffusers'
// AdaptiveProjectedGuidance computes it: on the model's output, and as
// uncond + scale*update, where the paper has it on x0, and cond + (scale-1)*update.
// The update is the difference of the outputs, summed up with its past, limited in
// length, and with the part along the conditional output, which oversaturates,
// weighed by Eta. Momentum 0, Threshold 0 and Eta 1 are plain guidance.
type APG struct {
	Enabled bool `json:"enabled,omitempty"`
	// Momentum is beta, the weight of the sum so far; below 0 it pushes away from it.
	Momentum float64 `json:"momentum,omitempty"`
	// Threshold is r, the greatest length of the difference; 0 is no limit.
	Threshold float64 `json:"threshold,omitempty"`
	// Eta is the weight of the parallel part: 0 leaves it out.
	Eta float64 `json:"eta,omitempty"`
}

func (a APG) check() error {
	switch {
	case !(a.Momentum > -1 && a.Momentum < 1):
		return fmt.Errorf("apg momentum is %g, want more than -1 and less than 1", a.Momentum)
	case !(a.Threshold >= 0) || math.IsInf(a.Threshold, 1):
		return fmt.Errorf("apg threshold is %g, want 0 (no limit) or more", a.Threshold)
	case !(a.Eta >= 0 && a.Eta <= 1):
		return fmt.Errorf("apg eta is %g, want 0 to 1", a.Eta)
	}
	return nil
}

// remembers reports whether calls depend on the ones before.
func (a APG) remembers() bool { return a.Enabled && a.Momentum != 0 }

// guide combines outputs, and gives the running average with this call's difference.
func (a APG) guide(cond, uncond, momentum []float32, scale float64) (out, average []float32) {
	average = make([]float32, len(cond))
	beta := float32(a.Momentum)
	var length2, along, cond2 float64
	for i, c := range cond {
		d := c - uncond[i]
		if momentum != nil {
			d += float32(beta * momentum[i])
		}
		average[i] = d
		length2 += float64(float64(d) * float64(d))
		along += float64(float64(d) * float64(c))
		cond2 += float64(float64(c) * float64(c))
	}
	factor := a.factor(float32(math.Sqrt(length2)))
	// The floor is torch's, for a conditional output of zeros.
	length := max(math.Sqrt(cond2), 1e-12)
	along = float64(factor) * along / length
	eta, s := float32(a.Eta), float32(scale)
	out = average
	if a.remembers() {
		out = make([]float32, len(cond))
	}
	for i, c := range cond {
		parallel := float64(along * (float64(c) / length))
		d := float64(float32(average[i]*factor)) - parallel
		out[i] = uncond[i] + float32(s*(float32(d)+float32(eta*float32(parallel))))
	}
	if !a.remembers() {
		average = nil
	}
	return out, average
}

// factor shortens a difference to Threshold where it is longer.
func (a APG) factor(length float32) float32 {
	if a.Threshold == 0 || length == 0 {
		return 1
	}
	return min(1, float32(a.Threshold)/length)
}

// rescaleTo multiplies guided, in place, with the ratio of the standard deviations of
// cond and itself, and mixes that and what it was by phi (Lin et al., arXiv
// 2305.08891, eq. 15 and 16). Both are over the whole latent; an output of one value
// throughout has none and is left alone.
func rescaleTo(cond, guided []float32, phi float64) {
	factor := deviation(cond) / deviation(guided)
	if math.IsNaN(float64(factor)) || math.IsInf(float64(factor), 0) {
		return
	}
	combine(guided, term{float32(float32(phi)*factor) + float32(1-phi), guided})
}

// deviation is the unbiased standard deviation, torch's std. Values are taken relative
// to the first, so that equal ones give exactly 0.
func deviation(values []float32) float32 {
	if len(values) < 2 {
		return 0
	}
	first, n := float64(values[0]), float64(len(values))
	var sum, squares float64
	for _, v := range values {
		d := float64(v) - first
		sum += d
		squares += float64(d * d)
	}
	return float32(math.Sqrt(max(squares-float64(sum*sum)/n, 0) / (n - 1)))
}

// leastPart is the least share of signal or noise by which anything is divided here:
// below, rounding errors are all that is left.
const leastPart = 1e-6

// parts are the roots of alpha-bar and of 1 - alpha-bar; the latter from sigma, as
// alpha-bar near 1 has lost the digits.
func (at Point) parts() (signal, noise float32) {
	signal = sqrt32(at.AlphaBar)
	noise = float32(signal * at.Sigma)
	if signal == 0 || math.IsInf(float64(noise), 0) {
		noise = sqrt32(1 - at.AlphaBar)
	}
	return signal, noise
}

// original gives x0 = a*x + b*output; ok is false where it could not be turned back.
func (at Point) original() (a, b float32, ok bool) {
	signal, noise := at.parts()
	switch at.Prediction {
	case "epsilon":
		return 1 / signal, -noise / signal, signal >= leastPart && noise >= leastPart
	case "v_prediction":
		return signal, -noise, noise >= leastPart
	case "sample":
		return 0, 1, true
	}
	return 0, 0, false
}

// noise is the predicted noise that an output stands for; nil, for the solver's own,
// where a predicted x0 cannot tell.
func (at Point) noise(output []float32) []float32 {
	signal, noise := at.parts()
	if at.Prediction == "epsilon" {
		return output
	}
	if at.Prediction == "sample" && noise < leastPart {
		return nil
	}
	return readingOf(at.Prediction, signal, noise).eps.latent(at.X, output)
}
