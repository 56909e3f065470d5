package samplers

import (
	"fmt"
	"math"
)

// alphasCumprod is the table alpha-bar_t = prod_{s<=t} (1 - beta_s), float32
// with one entry a training timestep (Ho et al., eq. 4).
func (p scheduleParams) alphasCumprod() ([]float32, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	betas, err := p.betas()
	if err != nil {
		return nil, err
	}
	if p.RescaleBetasZeroSNR {
		betas = zeroTerminalSNR(betas)
	}
	alphas := cumprodOfComplement(betas)
	for t, a := range alphas {
		if !(a >= 0 && a <= 1) {
			return nil, fmt.Errorf("scheduler config: the betas give alpha-bar %g at timestep %d, want 0 to 1", a, t)
		}
	}
	return alphas, nil
}

func (p scheduleParams) betas() ([]float32, error) {
	n := p.NumTrainTimesteps
	if p.TrainedBetas != nil {
		betas := make([]float32, n)
		for i, b := range p.TrainedBetas {
			betas[i] = float32(b)
		}
		return betas, nil
	}
	switch p.BetaSchedule {
	case "linear":
		return linspace32(p.BetaStart, p.BetaEnd, n), nil
	case "scaled_linear":
		betas := linspace32(math.Sqrt(p.BetaStart), math.Sqrt(p.BetaEnd), n)
		for i, b := range betas {
			betas[i] = b * b
		}
		return betas, nil
	case "squaredcos_cap_v2":
		return cosineBetas(n), nil
	}
	return nil, fmt.Errorf("scheduler config: beta_schedule %q is unknown, want linear, scaled_linear or squaredcos_cap_v2", p.BetaSchedule)
}

// cosineBetas is the schedule of Nichol and Dhariwal (arXiv 2102.09672, eq. 17),
// capped as diffusers caps it.
func cosineBetas(n int) []float32 {
	bar := func(t float64) float64 {
		c := math.Cos((t + 0.008) / 1.008 * math.Pi / 2)
		return c * c
	}
	betas := make([]float32, n)
	for i := range betas {
		b := 1 - bar(float64(i+1)/float64(n))/bar(float64(i)/float64(n))
		betas[i] = float32(min(b, 0.999))
	}
	return betas
}

// cumprodOfComplement accumulates in float64 and stores float32, as torch does.
func cumprodOfComplement(betas []float32) []float32 {
	out := make([]float32, len(betas))
	product := 1.0
	for i, b := range betas {
		product *= float64(1 - b)
		out[i] = float32(product)
	}
	return out
}

// zeroTerminalSNR shifts and scales sqrt(alpha-bar) so that the last one is 0
// (Lin et al., arXiv 2305.08891, algorithm 1), all in float32.
func zeroTerminalSNR(betas []float32) []float32 {
	roots := cumprodOfComplement(betas)
	for i, a := range roots {
		roots[i] = sqrt32(a)
	}
	first, last := roots[0], roots[len(roots)-1]
	if first == last {
		return betas
	}
	scale := first / float32(first-last)
	out := make([]float32, len(betas))
	var before float32
	for i, r := range roots {
		r = float32(float32(r-last) * scale)
		bar := float32(r * r)
		if i == 0 {
			out[i] = 1 - bar
		} else {
			out[i] = 1 - bar/before
		}
		before = bar
	}
	return out
}
