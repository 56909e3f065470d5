package samplers

import (
	"fmt"
	"math"
)

// ldmDDIM is DDIM (arXiv 2010.02502, eq. 12) as CompVis's latent-diffusion has it
// (ldm/models/diffusion/ddim.py): tables in double precision, its own spacing, no bounds
// on x0, and noise drawn at every step, also where eta is 0 and nothing comes of it.
func ldmDDIM() Sampler {
	return Sampler{
		Name: "ldm-ddim", Order: 1, CallsPerStep: 1, Eta: true, Stochastic: true,
		Summary: "ddim as CompVis wrote it",
		method:  method{defaults: ldmDefaults, plan: planLDMDDIM, fixed: fixLDM},
	}
}

// ldmPLMS is the linear multistep method (arXiv 2202.09778, eq. 12) as CompVis's
// latent-diffusion has it (ldm/models/diffusion/plms.py): the steps of [ldmDDIM] at eta 0.
func ldmPLMS() Sampler {
	return Sampler{
		Name: "ldm-plms", Order: 4, CallsPerStep: 1,
		Summary: "plms as CompVis wrote it",
		method:  method{defaults: ldmDefaults, plan: planLDMPLMS, fixed: fixLDM},
	}
}

func ldmDefaults() params { return commonDefaults(LDM) }

func fixLDM(c *params) { c.TimestepSpacing, c.clipParams = LDM, clipParams{} }

// ldmDDIMSolver holds alpha-bar at the timestep each call steps to, and the deviation of
// the noise there at eta 1.
type ldmDDIMSolver struct {
	predictor
	prev      []float32
	deviation []float64
}

// ldmLayout gives timesteps, alpha-bar of each timestep there is and where each step
// goes.
func (c params) ldmLayout(p *Plan, n int) (ts []int, alphas, prev []float32, err error) {
	if c.TimestepSpacing != LDM {
		return nil, nil, nil, fmt.Errorf("spacing is %q, want %q: %s has no other", c.TimestepSpacing, LDM, p.sampler.Name)
	}
	if alphas, err = c.ldmAlphas(); err != nil {
		return nil, nil, nil, err
	}
	if ts, err = c.timesteps(n, c.NumTrainTimesteps); err != nil {
		return nil, nil, nil, err
	}
	return ts, alphas, c.prevAlphas(ts, alphas, n), nil
}

// ldmAlphas is the table of alpha-bar, computed in float64 and stored in float32.
func (c scheduleParams) ldmAlphas() ([]float32, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	betas, err := c.ldmBetas()
	if err != nil {
		return nil, err
	}
	if err := checkBetas(betas); err != nil {
		return nil, err
	}
	out := make([]float32, len(betas))
	product := 1.0
	for i, b := range betas {
		product *= 1 - b
		out[i] = float32(product)
	}
	return out, nil
}

// ldmBetas is CompVis's make_beta_schedule by the names of diffusers.
func (c scheduleParams) ldmBetas() ([]float64, error) {
	n := c.NumTrainTimesteps
	switch {
	case c.TrainedBetas != nil:
		return c.TrainedBetas, nil
	case c.BetaSchedule == "linear":
		return linspace64(c.BetaStart, c.BetaEnd, n), nil
	case c.BetaSchedule == "scaled_linear":
		betas := linspace64(math.Sqrt(c.BetaStart), math.Sqrt(c.BetaEnd), n)
		for i, b := range betas {
			betas[i] = b * b
		}
		return betas, nil
	case c.BetaSchedule == "squaredcos_cap_v2":
		betas := make([]float64, n)
		for i := range betas {
			at, next := float64(i)/float64(n), float64(i+1)/float64(n)
			betas[i] = min(1-cosineBar(next)/cosineBar(at), 0.999)
		}
		return betas, nil
	}
	return nil, fmt.Errorf("scheduler config: beta_schedule %q is none of CompVis's, want linear, scaled_linear or squaredcos_cap_v2", c.BetaSchedule)
}

// linspace64 is numpy's linspace.
func linspace64(start, end float64, n int) []float64 {
	out := make([]float64, n)
	step := (end - start) / float64(max(n-1, 1))
	for i := range out {
		out[i] = float64(float64(i)*step) + start
	}
	if n > 1 {
		out[n-1] = end
	}
	return out
}

func planLDMDDIM(p *Plan, c params, n int) error {
	predictor, err := newPredictor(c.PredictionType, c.clipParams)
	if err != nil {
		return err
	}
	ts, alphas, prev, err := c.ldmLayout(p, n)
	if err != nil {
		return err
	}
	if err := predictor.checkAlphas(ts, alphas); err != nil {
		return err
	}
	p.vary(ts, alphas, alphas[0])
	d := &ldmDDIMSolver{predictor: predictor, prev: prev}
	for i, alpha := range p.bars {
		d.deviation = append(d.deviation, ldmDeviation(alpha, prev[i]))
	}
	p.solver = d
	return nil
}

// ldmDeviation is eq. 16 at eta 1, in single and double precision as numpy and torch
// share it in CompVis's code; none where a step does not move.
func ldmDeviation(alpha, prev float32) float64 {
	if prev <= alpha {
		return 0
	}
	share := float64(1/(1-alpha)) * (1 - float64(prev))
	return math.Sqrt(share * (1 - float64(alpha)/float64(prev)))
}

func (d *ldmDDIMSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	prev := d.prev[s.Index]
	sigma := float32(o.Eta * d.deviation[s.Index])
	direction := sqrt32(max(1-prev-float32(sigma*sigma), 0))
	next, noise := s.still(), term{}
	if sigma > 0 {
		next = s.drawn(o)
		noise = term{sigma, next.X}
	} else { // the draw is counted, but not made
		next.Draws++
	}
	return next, d.shift(next.X, p.AlphaBar(s.Index), s.X, output, sqrt32(prev), direction, noise)
}

// ldmPLMSSolver holds how the latent moves at each call.
type ldmPLMSSolver struct {
	predictor
	moves []move
}

func planLDMPLMS(p *Plan, c params, n int) error {
	predictor, err := newPredictor(c.PredictionType, c.clipParams)
	if err != nil {
		return err
	}
	ts, alphas, prev, err := c.ldmLayout(p, n)
	if err != nil {
		return err
	}
	var calls multistepCalls
	for i, t := range ts {
		calls.add(i, t, alphas[t], prev[i])
		if i == 0 { // again, at where it went; at the only timestep, where there is one
			calls.add(0, ts[min(1, len(ts)-1)], alphas[t], prev[0])
		}
	}
	if err := calls.check(); err != nil {
		return err
	}
	p.vary(calls.timesteps, alphas, alphas[0])
	p.stepOf, p.solver = calls.stepOf, &ldmPLMSSolver{predictor: predictor, moves: calls.moves}
	return nil
}

// step draws no noise: CompVis's code does, but times eta, which must be 0 there.
func (d *ldmPLMSSolver) step(p *Plan, s State, output []float32, _ Options) (State, []float32) {
	alpha := p.AlphaBar(s.Index)
	r := d.read(alpha)
	x0, eps := d.original(r, s.X, output), d.noise(r, s.X, output)
	next, by := s.still(), d.moves[s.Index]
	from, along := s.X, slope(eps)
	if p.astray(s, 0) {
		by.from = alpha
	} else {
		from, along, next.Memory = adamsBashforth(s, eps)
	}
	signal, noise := sqrt32(by.from), sqrt32(1-by.from)
	signalTo, noiseTo := sqrt32(by.to), sqrt32(1-by.to)
	latent := signalTo / signal
	along.move(next.X, from, latent, noiseTo-float32(latent*noise))
	return next, x0
}
