package samplers

import (
	"math"
	"testing"
)

// The latents that diffusers 0.42.1 ends on for what the golden traces do not reach:
// Stable Diffusion's betas and the config given, from dpmStart with the outputs of
// dpmOutput and the draws of steppedNoise.
var dpmReference = []struct {
	class, config string
	steps, calls  int
	want          []float32
}{
	{"DPMSolverMultistepScheduler", `{"algorithm_type":"dpmsolver","solver_type":"heun","final_sigmas_type":"sigma_min"}`, 7, 7, []float32{-3.8079214, -0.12415028, 0.74771845, 5.7000179}},
	{"DPMSolverMultistepScheduler", `{"algorithm_type":"dpmsolver","thresholding":true,"sample_max_value":1.5,"prediction_type":"v_prediction","final_sigmas_type":"sigma_min"}`, 7, 7, []float32{-0.61384535, 0.071027666, 0.083679736, 0.74565899}},
	{"DPMSolverMultistepScheduler", `{"algorithm_type":"dpmsolver","solver_order":3,"lower_order_final":false,"prediction_type":"sample","final_sigmas_type":"sigma_min"}`, 7, 7, []float32{1.9630852, -0.92763811, -2.2091978, 3.9769943}},
	{"DPMSolverMultistepScheduler", `{"algorithm_type":"dpmsolver","solver_order":1,"prediction_type":"v_prediction","final_sigmas_type":"sigma_min"}`, 7, 7, []float32{-0.58869666, 0.056854278, 0.12525068, 0.59762233}},
	{"DPMSolverMultistepScheduler", `{"algorithm_type":"sde-dpmsolver","solver_type":"heun","final_sigmas_type":"sigma_min"}`, 7, 7, []float32{-0.27731919, 0.099805921, 0.18273936, 0.5874089}},
	{"DPMSolverMultistepScheduler", `{"solver_order":3,"lambda_min_clipped":-1.5,"timestep_spacing":"trailing"}`, 9, 7, []float32{-1.9710143, -0.25959703, 0.52331704, 2.8950531}},
	{"DPMSolverMultistepScheduler", `{"solver_order":3,"final_sigmas_type":"sigma_min"}`, 16, 16, []float32{-2.6171746, 0.85729796, 0.077841341, 6.9874716}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":3,"solver_type":"heun","prediction_type":"v_prediction"}`, 7, 7, []float32{-0.50914496, 0.14989507, -0.016512956, 0.89695781}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":3,"solver_type":"heun","lower_order_final":false,"final_sigmas_type":"sigma_min"}`, 6, 6, []float32{-4.2082038, 5.6217227, -4.9391437, 13.426289}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":3,"lower_order_final":false,"use_karras_sigmas":true,"final_sigmas_type":"sigma_min","prediction_type":"sample"}`, 6, 6, []float32{-0.66298234, 0.065989256, 0.33666986, 0.386989}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":3,"solver_type":"heun","algorithm_type":"dpmsolver","final_sigmas_type":"sigma_min","prediction_type":"v_prediction"}`, 8, 8, []float32{-0.23718888, -0.59413016, 0.56329429, 1.5193768}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":2,"solver_type":"heun","algorithm_type":"dpmsolver","final_sigmas_type":"sigma_min"}`, 8, 8, []float32{-4.5458207, 0.44803679, 1.3852584, 4.6976051}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":3,"solver_type":"heun","algorithm_type":"sde-dpmsolver++"}`, 8, 8, []float32{-3.0009167, -12.68519, 10.649151, 2.1135063}},
	{"DPMSolverSinglestepScheduler", `{"solver_order":1,"lambda_min_clipped":-2.0}`, 5, 5, []float32{-2.7212965, -0.42423859, 0.56811661, 4.4019442}},
	{"UniPCMultistepScheduler", `{"solver_order":4}`, 8, 8, []float32{-3.6548822, -0.19863763, 1.2679738, 5.1331048}},
	{"UniPCMultistepScheduler", `{"solver_order":3,"disable_corrector":[0,3],"prediction_type":"v_prediction"}`, 8, 8, []float32{-0.68907595, 0.05334723, 0.25785306, 0.82699567}},
	{"UniPCMultistepScheduler", `{"solver_order":3,"solver_type":"bh1","predict_x0":false,"final_sigmas_type":"sigma_min","prediction_type":"sample"}`, 8, 8, []float32{-1.0027918, 0.1582585, -0.25646505, 0.79025376}},
	{"UniPCMultistepScheduler", `{"predict_x0":false,"use_exponential_sigmas":true,"sigma_min":0.1,"sigma_max":9.0,"final_sigmas_type":"sigma_min","prediction_type":"v_prediction"}`, 8, 8, []float32{-0.80272603, -0.13476412, 0.25295666, 1.0224609}},
	{"UniPCMultistepScheduler", `{"solver_order":1}`, 4, 4, []float32{-3.8550406, -0.13237886, 0.29998392, 6.9808698}},
	{"DEISMultistepScheduler", `{"thresholding":true,"sample_max_value":1.5,"solver_order":3,"lower_order_final":false}`, 8, 8, []float32{0.84745914, -1.2602022, -0.15689686, 1.7520978}},
	{"DEISMultistepScheduler", `{"solver_order":1,"prediction_type":"v_prediction"}`, 5, 5, []float32{-0.56297791, -0.25520244, 0.27804446, 0.61213171}},
	{"DEISMultistepScheduler", `{"use_exponential_sigmas":true,"timestep_spacing":"trailing","prediction_type":"sample"}`, 16, 16, []float32{-0.28438973, 0.12018622, -0.0053304932, 0.53035742}},
}

var dpmStart = []float32{-1.5, -0.25, 0.5, 2}

// dpmOutput is a model that float32 holds exactly, but for its half of x.
func dpmOutput(s State) []float32 {
	out := make([]float32, len(s.X))
	for j, v := range s.X {
		out[j] = v/2 + float32((7*j+3*s.Index)%5-2)/4
	}
	return out
}

// steppedNoise has draws of a few even values.
type steppedNoise struct{ n int }

func (z steppedNoise) Draw(k int) []float32 {
	out := make([]float32, z.n)
	for j := range out {
		out[j] = float32((5*j+3*k)%7-3) / 2
	}
	return out
}

func TestDPMFollowsTheReference(t *testing.T) {
	betas := `{"beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,`
	for _, r := range dpmReference {
		p := dpmPlan(t, r.class, betas+r.config[1:], r.steps)
		s := State{X: dpmStart, Draws: 1}
		for !p.Done(s) {
			next, _, err := p.Step(s, dpmOutput(s), Options{Noise: steppedNoise{4}})
			if err != nil {
				t.Fatal(err)
			}
			s = next
		}
		if p.Calls() != r.calls {
			t.Errorf("%s %s: %d calls, want %d", r.class, r.config, p.Calls(), r.calls)
		}
		for j, want := range r.want {
			if off := math.Abs(float64(s.X[j]-want)) / max(1, math.Abs(float64(want))); !(off < 5e-5) {
				t.Errorf("%s %s: value %d is %g, want %g", r.class, r.config, j, s.X[j], want)
			}
		}
	}
}
