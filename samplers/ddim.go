package samplers

// ddim is the sampler of Song et al. (arXiv 2010.02502), as diffusers'
// DDIMScheduler steps it.
func ddim() Sampler {
	return Sampler{
		Name: "ddim", Class: "DDIMScheduler", Order: 1, CallsPerStep: 1, Eta: true,
		Summary: "deterministic at eta 0, as noisy as DDPM at eta 1",
		plan:    planDDIM,
	}
}

// ddimParams are the keys of scheduler_config.json that DDIM honours.
type ddimParams struct {
	scheduleParams
	spacingParams
	clipParams
	PredictionType string `json:"prediction_type"`
	SetAlphaToOne  bool   `json:"set_alpha_to_one"`
}

func ddimDefaults() ddimParams {
	return ddimParams{
		scheduleParams: scheduleParams{NumTrainTimesteps: 1000, BetaStart: 1e-4, BetaEnd: 0.02, BetaSchedule: "linear"},
		spacingParams:  spacingParams{TimestepSpacing: Leading},
		clipParams:     clipParams{ClipSample: true, ClipSampleRange: 1, DynamicThresholdingP: 0.995, ThresholdingSampleMax: 1},
		PredictionType: "epsilon",
		SetAlphaToOne:  true,
	}
}

// ddimSolver holds, for each call, alpha-bar at the timestep stepped to.
type ddimSolver struct {
	predictor predictor
	prev      []float32
}

func planDDIM(p *Plan, r Request) error {
	params := ddimDefaults()
	if err := r.Config.decode(&params); err != nil {
		return err
	}
	if r.Spacing != "" {
		params.TimestepSpacing = r.Spacing
	}
	alphas, err := params.alphasCumprod()
	if err != nil {
		return err
	}
	ts, err := params.timesteps(r.Steps, params.NumTrainTimesteps)
	if err != nil {
		return err
	}
	predictor, err := newPredictor(params.PredictionType, params.clipParams)
	if err != nil {
		return err
	}
	if err := predictor.checkAlphas(ts, alphas); err != nil {
		return err
	}
	p.timesteps, p.alphas = ts, alphas
	p.solver = &ddimSolver{predictor: predictor, prev: params.prevAlphas(ts, alphas, r.Steps)}
	return nil
}

// prevAlphas gives alpha-bar at the timestep each call steps to. diffusers
// subtracts num_train_timesteps // steps whatever the spacing; CompVis takes the
// next timestep of its list and ends on the table's first entry.
func (d ddimParams) prevAlphas(ts []int, alphas []float32, steps int) []float32 {
	final := alphas[0]
	if d.SetAlphaToOne && d.TimestepSpacing != LDM {
		final = 1
	}
	prev := make([]float32, len(ts))
	for i, t := range ts {
		before := t - d.NumTrainTimesteps/steps
		if d.TimestepSpacing == LDM {
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

func (d *ddimSolver) predict(p *Plan, s State, output []float32) (x0, eps []float32) {
	return d.predictor.predict(p.AlphaBar(s.Index), s.X, output)
}

// step is eq. 12 of the paper with sigma_t = eta * sqrt(variance), eq. 16.
func (d *ddimSolver) step(p *Plan, s State, output []float32, o Options) (State, []float32) {
	alpha, prev := p.AlphaBar(s.Index), d.prev[s.Index]
	x0, eps := d.predict(p, s, output)
	sigma := float32(o.Eta) * sqrt32(variance(alpha, prev))
	direction := sqrt32(max(1-prev-float32(sigma*sigma), 0))
	if o.UseClippedOutput {
		eps = noiseFrom(alpha, s.X, x0)
	}
	signal := sqrt32(prev)
	x := make([]float32, len(s.X))
	for i := range x {
		x[i] = float32(signal*x0[i]) + float32(direction*eps[i])
	}
	next := State{Index: s.Index + 1, X: x, Draws: s.Draws}
	if o.Eta > 0 {
		for i, z := range o.Noise.Draw(s.Draws) {
			x[i] += float32(sigma * z)
		}
		next.Draws++
	}
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
