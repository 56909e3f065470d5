package samplers

import (
	"fmt"
	"math"
)

// leastStep is by how much lambda must grow in a step, in proportion: closer levels
// leave no correct digit in the differences that the solvers divide by.
const leastStep = 1e-6

// dpmClass is how the classes of the family differ in laying out noise levels.
type dpmClass struct {
	// stays ends converted noise levels (Karras and such) where they are instead of
	// on the table's lowest, when they do not end on 0.
	stays bool
	// cuts cuts off fractions of timesteps that other classes round.
	cuts bool
}

// dpmCalls gives the timesteps of the calls and their noise levels, of which there is
// one more: the end.
func (c params) dpmCalls(n int, class dpmClass) (timesteps, sigmas []float32, err error) {
	alphas, err := c.alphasCumprod()
	if err != nil {
		return nil, nil, err
	}
	mode, err := c.mode()
	if err != nil {
		return nil, nil, err
	}
	table := sigmasOf(alphas)
	if mode == "" {
		whole, err := c.dpmTimesteps(n, c.unclipped(alphas))
		for _, t := range whole {
			timesteps, sigmas = append(timesteps, float32(t)), append(sigmas, table[t])
		}
		return timesteps, append(sigmas, c.dpmEnd(table)), err
	}
	logs, rounded := logsOf(table), class.rounds(mode)
	levels, err := c.dpmLevels(mode, table, logs, n)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range levels {
		t := timestepOf(s, logs)
		if rounded {
			t = math.RoundToEven(t)
		}
		timesteps, sigmas = append(timesteps, float32(math.Trunc(t))), append(sigmas, float32(s))
	}
	if c.begins() {
		timesteps[0] = float32(c.wholeFrom())
	}
	if class.stays && c.FinalSigmasType == "sigma_min" && mode != "list" && mode != "ays" {
		return timesteps, append(sigmas, sigmas[len(sigmas)-1]), nil
	}
	return timesteps, append(sigmas, c.dpmEnd(table)), nil
}

// rounds says whether timesteps of a mode's noise levels are rounded, not cut off.
func (d dpmClass) rounds(mode string) bool {
	switch mode {
	case "exponential", "beta":
		return false
	case "karras", "lu":
		return !d.cuts
	}
	return true
}

// dpmEnd is the noise level that a run ends on.
func (c params) dpmEnd(table []float32) float32 {
	if c.FinalSigmasType == "zero" {
		return 0
	}
	return table[0]
}

// dpmLevels are noise levels that are not the table's at given timesteps.
func (c params) dpmLevels(mode string, table, logs []float32, n int) ([]float64, error) {
	low, high, from := float64(table[0]), float64(table[len(table)-1]), c.levelFrom(table, logs)
	if low == 0 {
		return nil, fmt.Errorf("scheduler config: the betas leave no noise at timestep 0, from which %s sigmas cannot be laid out, want a first beta above 0", mode)
	}
	switch mode {
	case "list":
		return c.listFrom(from, logs), nil
	case "ays":
		return alignYourSteps(c.ays, table, n, from)
	case "lu": // the reference has these logarithms in single precision
		low, high = math.Exp(float64(lnOf(table[0]))), math.Exp(float64(lnOf(table[len(table)-1])))
	}
	if c.SigmaMin != nil {
		low = *c.SigmaMin
	}
	if c.SigmaMax != nil {
		high = *c.SigmaMax
	}
	if from > 0 {
		high = from
	}
	if !(low > 0 && (high > low || n == 1 && high == low)) {
		return nil, fmt.Errorf("scheduler config: noise levels go from %g (sigma_max) to %g (sigma_min), want them to fall to above 0", high, low)
	}
	return convert(mode, high, low, n), nil
}

// unclipped is how many timesteps have a lambda of at least lambda_min_clipped.
func (c params) unclipped(alphas []float32) int {
	if c.LambdaMinClipped == nil {
		return len(alphas)
	}
	n := 0
	for _, a := range alphas {
		if lnOf(sqrt32(a))-lnOf(sqrt32(1-a)) >= float32(*c.LambdaMinClipped) {
			n++
		}
	}
	return n
}

// dpmTimesteps lays n timesteps over the first last ones. Unlike the other classes,
// the family takes n+1 points and drops the one without noise, and trailing spacing
// counts from last down in steps as wide as without clipping, so that it may give
// fewer than n.
func (c params) dpmTimesteps(n, last int) (ts []int, err error) {
	if last < 1 {
		return nil, fmt.Errorf("scheduler config: lambda_min_clipped is %g, more than lambda is at any timestep", *c.LambdaMinClipped)
	}
	if c.begins() && c.TimestepSpacing != LDM {
		if first := c.wholeFrom(); first > float64(last-1) {
			return nil, fmt.Errorf("the plan is to start from timestep %g, and lambda_min_clipped %g leaves none above %d: want at most that", first, *c.LambdaMinClipped, last-1)
		}
		return c.wholeRemaining(n, true)
	}
	total := c.NumTrainTimesteps
	switch c.TimestepSpacing {
	case Leading:
		ts = leading(n+1, last, c.StepsOffset)[:n]
	case Linspace:
		ts = linspace(n+1, last)[:n]
	case Trailing:
		start := float64(last)
		delta := (start - float64(total)/float64(n)) - start
		for i := range n {
			t := int(math.RoundToEven(start+float64(float64(i)*delta))) - 1
			if t < 0 {
				break
			}
			ts = append(ts, t)
		}
	default:
		return nil, fmt.Errorf("timestep spacing %q is not one of the DPM family, want leading, trailing or linspace", c.TimestepSpacing)
	}
	if first := ts[0]; first >= total || ts[len(ts)-1] < 0 {
		return nil, fmt.Errorf("steps is %d: %s spacing with steps_offset %d goes from timestep %d to %d, outside 0 to %d; another steps_offset or trailing spacing would do",
			n, c.TimestepSpacing, c.StepsOffset, first, ts[len(ts)-1], total-1)
	}
	return ts, nil
}

// check refuses levels that the solvers cannot go between. A level may come twice, as
// linspace has it in as many steps as there are timesteps, and converted levels at the
// end.
func (d *dpm) check(p *Plan) error {
	last := p.Calls() - 1
	for i, at := range d.levels[:last+1] {
		sigma, next := p.sigmas[i], p.sigmas[i+1]
		growth := d.growth(i)
		switch {
		case !(sigma >= lowestSigma && sigma <= highestSigma):
			return fmt.Errorf("%s has noise level %g at call %d, want %g to %g: other betas or sigmas would do", p.sampler.Name, sigma, i, lowestSigma, highestSigma)
		case math.IsNaN(float64(p.timesteps[i])):
			return fmt.Errorf("%s finds no timestep of noise level %g: the betas give several the same level", p.sampler.Name, sigma)
		case growth == 0 && (i == 0 || d.growth(i-1) > 0):
		case !(growth > leastStep*max(1, float32(math.Abs(float64(at.lambda))))):
			return fmt.Errorf("%s with %d steps goes from noise level %g at call %d to %g, want a lower one: fewer steps or other sigmas would do", p.sampler.Name, p.steps, sigma, i, next)
		}
	}
	return nil
}
