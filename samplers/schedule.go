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
	if err := checkBetas(betas); err != nil {
		return nil, err
	}
	alphas := cumprodOfComplement(betas)
	if p.RescaleBetasZeroSNR && p.boundZeroSNR {
		alphas[len(alphas)-1] = lowestAlphaBar
	}
	return alphas, nil
}

// checkBetas refuses betas that are no share of a variance; with all of them from 0
// to 1, alpha-bar never rises.
func checkBetas[T float32 | float64](betas []T) error {
	for t, b := range betas {
		if v := float64(b); !(v >= 0 && v <= 1) {
			return fmt.Errorf("scheduler config: beta %g at timestep %d takes alpha-bar out of its range, want betas from 0 to 1", v, t)
		}
	}
	return nil
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
		return cappedBetas(n, cosineBar), nil
	case "exp":
		return cappedBetas(n, func(t float64) float64 { return math.Exp(-12 * t) }), nil
	case "sigmoid":
		betas := linspace32(-6, 6, n)
		for i, b := range betas {
			s := float32(1 / (1 + math.Exp(-float64(b))))
			betas[i] = float32(s*float32(p.BetaEnd-p.BetaStart)) + float32(p.BetaStart)
		}
		return betas, nil
	}
	return nil, fmt.Errorf("scheduler config: beta_schedule %q is unknown, want linear, scaled_linear, squaredcos_cap_v2, exp or sigmoid", p.BetaSchedule)
}

// cosineBar is the schedule of Nichol and Dhariwal (arXiv 2102.09672, eq. 17).
func cosineBar(t float64) float64 {
	c := math.Cos((t + 0.008) / 1.008 * math.Pi / 2)
	return c * c
}

// cappedBetas are the betas of a schedule alpha-bar over 0..1, capped as diffusers
// caps them.
func cappedBetas(n int, bar func(float64) float64) []float32 {
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
