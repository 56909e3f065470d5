package convergence

import (
	"fmt"
	"math"

	"ldx/samplers"
)

// Cases has every sampler, and variants whose order is another.
func Cases() []Case {
	few, more, timesteps := [3]int{24, 48, 96}, [3]int{48, 96, 192}, [3]int{50, 100, 200}
	return []Case{
		{Name: "euler", Intervals: few, Order: 1},
		{Name: "euler-a", Intervals: more, Order: 1},
		{Name: "heun", Intervals: few, Order: 2},
		{Name: "dpm2", Intervals: few, Order: 2},
		{Name: "dpm2-a", Intervals: few, Order: 2},
		{Name: "lms", Intervals: few, Order: 4},
		{Name: "dpm++2m", Intervals: few, Order: 2},
		// The third difference that this method adds is half of what Taylor's series
		// has, in diffusers as in its authors' code: with twice that, the order is 3.
		{Name: "dpm++3m", Intervals: more, Order: 2},
		{Name: "dpm-2m", Intervals: few, Order: 2},
		{Name: "dpm-3m", Intervals: more, Order: 2},
		{Name: "dpm++2s", Intervals: more, Order: 2},
		{Name: "dpm++3s", Intervals: few, Order: 3},
		{Name: "dpm++2m-sde", Intervals: more, Order: 2},
		// diffusers takes 1/2 from that difference's factor where it should be added:
		// it does not vanish with the step.
		{Name: "dpm++3m-sde", Intervals: more, Order: 1},
		{Name: "unipc", Intervals: few, Order: 3}, // order 2, and the corrector adds one
		{Name: "unipc, no corrector", Sampler: "unipc", Keys: noCorrector(200), Intervals: few, Order: 2},
		{Name: "unipc, solver_order 3", Sampler: "unipc", Keys: `"solver_order":3`, Intervals: [3]int{16, 32, 48}, Order: 4},
		{Name: "deis", Intervals: few, Order: 2},

		{Name: "ddim", Intervals: timesteps, Order: 1},
		{Name: "ddim, eta 1", Sampler: "ddim", Eta: 1, Intervals: timesteps, Order: 1},
		{Name: "ddpm", Intervals: timesteps, Order: 1},
		// Adams-Bashforth's fourth order is lost in the transfer to the next timestep,
		// which is not linear in time as the method takes the noise to be.
		{Name: "plms", Intervals: timesteps, Order: 2},
		{Name: "pndm", Intervals: [3]int{25, 50, 100}, Order: 2},
		{Name: "ldm-ddim", Intervals: timesteps, Order: 1},
		{Name: "ldm-plms", Intervals: timesteps, Order: 2},
		{Name: "tcd", Keys: `"original_inference_steps":1000`, Intervals: timesteps, Order: 1},
		{Name: "lcm", Intervals: [3]int{1, 4, 16}},
	}
}

// noCorrector is a config that switches UniPC's corrector off for so many steps.
func noCorrector(steps int) string {
	keys := `"disable_corrector":[0`
	for i := 1; i < steps; i++ {
		keys += fmt.Sprintf(",%d", i)
	}
	return keys + "]"
}

const common = `"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,"clip_sample":false`

// endTimestep is where samplers without noise levels to lay out are measured.
const endTimestep = 200

// OverSigmas says whether the case goes over noise levels, and not over timesteps.
func (c Case) OverSigmas() bool {
	s, err := samplers.ByName(c.sampler())
	return err == nil && s.Sigmas
}

// Stochastic says whether the case draws noise in its steps.
func (c Case) Stochastic() bool {
	s, err := samplers.ByName(c.sampler())
	return err == nil && (s.Stochastic || c.Eta > 0)
}

func (c Case) sampler() string {
	if c.Sampler != "" {
		return c.Sampler
	}
	return c.Name
}

// plan lays intervals over the measured part of a run, and says at which call it ends.
//
// Samplers with noise levels go over those of Karras et al., from the highest to the
// lowest; the step from there to 0 is not measured, as it stays as it is however many
// steps there are. The others go over even timesteps; for them, intervals are those of
// a whole run.
func (c Case) plan(intervals int) (p *samplers.Plan, end int, err error) {
	keys := common
	if c.Keys != "" {
		keys += "," + c.Keys
	}
	config, err := samplers.ParseConfig([]byte("{" + keys + "}"))
	if err != nil {
		return nil, 0, err
	}
	r := samplers.Request{Sampler: c.sampler(), Config: config, Steps: intervals}
	if c.OverSigmas() {
		r.Sigmas, r.Steps = "karras", intervals+1
	}
	if p, err = samplers.NewPlan(r); err != nil || c.Order == 0 {
		return p, p.Calls(), err
	}
	for i := 1; i < p.Calls(); i++ {
		begins, last := p.StepOf(i) != p.StepOf(i-1), p.StepOf(i) == intervals
		if !c.OverSigmas() {
			last = math.Abs(float64(p.Timestep(i)-endTimestep)) <= 1
		}
		if begins && last {
			return p, i, nil
		}
	}
	return nil, 0, fmt.Errorf("no step begins where the measured part ends")
}
