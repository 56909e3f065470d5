package samplers

// ddim is the sampler of Song et al. (arXiv 2010.02502), as diffusers'
// DDIMScheduler steps it.
func ddim() Sampler {
	return Sampler{
		Name: "ddim", Class: "DDIMScheduler", Order: 1, CallsPerStep: 1, Eta: true, Renoise: true,
		Summary: "deterministic at eta 0, as noisy as DDPM at eta 1",
		method:  method{defaults: ddimDefaults, plan: planDDIM, zeroSNR: keepsZeroSNR},
	}
}

func ddimDefaults() params {
	c := commonDefaults(Leading)
	c.ClipSample, c.SetAlphaToOne = true, true
	return c
}

// ddimSolver holds, for each call, alpha-bar at the timestep stepped to.
type ddimSolver struct {
	predictor
	prev []float32
}

func planDDIM(p *Plan, c params, n int) error {
	ts, alphas, err := c.layout(n)
	if err != nil {
		return err
	}
	predictor, err := c.predictorAt(ts, alphas, c.clipParams)
	if err != nil {
		return err
	}
	d := &ddimSolver{predictor: predictor, prev: c.prevAlphas(ts, alphas, n)}
	p.vary(ts, alphas, d.prev[len(ts)-1])
	p.solver = d
	return nil
}

// prevAlphas gives alpha-bar at the timestep each call steps to. diffusers
// subtracts num_train_timesteps // steps whatever the spacing; CompVis takes the
// next timestep of its list and ends on the table's first entry. From mid-schedule there
// is no diffusers to follow, and it is the next timestep too.
func (c params) prevAlphas(ts []int, alphas []float32, steps int) []float32 {
	final := alphas[0]
	if c.SetAlphaToOne && c.TimestepSpacing != LDM {
		final = 1
	}
	prev := make([]float32, len(ts))
	for i, t := range ts {
		before := t - c.NumTrainTimesteps/steps
		if c.TimestepSpacing == LDM || c.begins() {
			before = -1
			if i+1 < len(ts) {
				before = ts[i+1]
			}
		}
		if prev[i] = final; before >= 0 {
			prev[i] = alphas[before]
		}
	}
	return prev
}

// step is eq. 12 of the paper with sigma_t = eta * sqrt(variance), eq. 16.
func (d *ddimSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	alpha, prev := p.AlphaBar(s.Index), d.prev[s.Index]
	r := d.read(alpha)
	x0 := d.original(r, s.X, output)
	sigma := float32(o.Eta) * sqrt32(variance(alpha, prev))
	direction := sqrt32(max(1-prev-float32(sigma*sigma), 0))
	a, b := r.eps.of(s.X, output, direction)
	if o.UseClippedOutput {
		a, b = restOf(sqrt32(alpha), sqrt32(1-alpha)).of(s.X, x0, direction)
	}
	if o.Renoise != nil {
		a, b = term{}, term{direction, o.Renoise}
	}
	next := s.still()
	if o.Eta > 0 {
		next = s.drawn(o)
	} else {
		sigma = 0
	}
	combine(next.X, term{sigma, next.X}, term{sqrt32(prev), x0}, a, b)
	return next, x0
}

// variance is that of the noise between alpha and prev (eq. 16 at eta 1); none
// where the step does not move.
func variance(alpha, prev float32) float32 {
	if prev <= alpha {
		return 0
	}
	return float32((1-prev)/(1-alpha)) * (1 - alpha/prev)
}
