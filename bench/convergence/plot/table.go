package main

import (
	"fmt"
	"strings"

	"ldx/samplers"
)

const intro = `# Convergence of the samplers

How fast each sampler comes near the exact solution as its steps get smaller. Written by
` + "`cd bench/convergence/plot && go run . ../../../docs`" + `; ` + "`go test ./bench/convergence`" + ` holds the orders to
what is said here.

![Relative error over model calls, on logarithmic scales](convergence.svg)

The data are normal, so that the best denoiser is linear and the standard deviation of the
latent at a noise level is known. The error is that of the standard deviation, relative. A
deterministic sampler follows the probability-flow ODE, where this is the error of the
latent itself; for a stochastic one it is the weak order. It is exact, not estimated from
samples: each element of the latent is given one draw of noise alone. Single precision
ends at about 1e-6.

Samplers with noise levels go over those of Karras et al. from 14.6 to 0.03; the last step,
to 0, is not measured, as it does not get smaller. The others go over even timesteps
down to 200; the two are not comparable with each other. Nothing is left out at the start:
what a multistep sampler loses in its first steps is in the figures.

"Nominal" is the order that the method is named for. The two orders are those between the
first and the second, and the second and the third number of steps.

| sampler | steps | error at the last | order | nominal |
|---|---|---|---|---|
`

const outro = `
- **dpm++3m, dpm-3m**: of second order. The term of the third difference is half of what
  Taylor's series has, in diffusers and in its authors' code; doubled, the order is 3.
- **dpm++3m-sde**: of first order, and less accurate than dpm++2m-sde. In diffusers the
  factor of the third difference is (…) − 1/2 where it should be (…) + 1/2, and so does not
  vanish with the step; with the sign turned, the order is 2.
- **unipc** gains an order by its corrector.
- **plms, pndm, ldm-plms**: of second order. The coefficients are those of Adams and
  Bashforth, of fourth order, but the transfer to the next timestep is not linear in time.
- **lms** begins with a step of Euler's method, which is what keeps it below 4 here.
- **lcm** is exact with a perfect consistency model, whatever the number of steps; with an
  ordinary denoiser it does not converge.
`

// table is docs/convergence.md.
func table(curves []curve) string {
	var b strings.Builder
	b.WriteString(intro)
	for _, c := range curves {
		order := fmt.Sprintf("%.2f, %.2f", c.order[0], c.order[1])
		nominal := "–"
		if s, err := samplers.ByName(c.Name); err == nil { // not a variant
			nominal = fmt.Sprint(s.Order)
		}
		if c.Order == 0 {
			order, nominal = "exact", "–"
		}
		fmt.Fprintf(&b, "| %s | %d, %d, %d | %.1e | %s | %s |\n", c.Name, c.Intervals[0], c.Intervals[1], c.Intervals[2], c.last.Error, order, nominal)
	}
	b.WriteString(outro)
	return b.String()
}
