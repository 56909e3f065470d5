package samplers

import "testing"

// lent is noise that is always the same slice, so that it costs no allocation.
type lent []float32

func (l lent) Draw(int) []float32 { return l }

// TestStepsAllocateTheirResults counts the allocations of each call of a run: the next
// latent, unless a draw of noise becomes it, and x0; beyond them, the list of what the
// solver remembers, where it does, and for unipc the corrected latent in it.
func TestStepsAllocateTheirResults(t *testing.T) {
	const values = 4 * blockLength
	for _, sampler := range Samplers() {
		p := layOut(t, sampler.Name, stableDiffusion, Request{Steps: 20})
		output, noise := make([]float32, values), make(lent, values)
		s := State{X: make([]float32, values), Draws: 1}
		for !p.Done(s) {
			o := Options{Noise: noise}
			next, _, err := p.Step(s, output, o)
			if err != nil {
				t.Fatal(err)
			}
			want := 2
			if &next.X[0] == &noise[0] {
				want--
			}
			if len(next.Memory) > 0 {
				want++
			}
			if sampler.Name == "unipc" && s.Index > 0 {
				want++
			}
			got := testing.AllocsPerRun(50, func() { _, _, _ = p.Step(s, output, o) })
			if got > float64(want) {
				t.Errorf("%s: call %d makes %g allocations, want at most %d", sampler.Name, s.Index, got, want)
			}
			next.X = s.X // lent noise is written to
			s = next
		}
	}
}
