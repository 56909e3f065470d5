package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"ldx/samplers"
)

// samplerHelp is the value of --sampler that asks for the list.
const samplerHelp = "help"

// listSamplers prints what there is: name, order, calls a step, whether eta and
// sigmas apply, and a line each.
func listSamplers(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "-"
	}
	if _, err := fmt.Fprintln(t, "sampler\torder\tcalls\teta\tsigmas\t"); err != nil {
		return err
	}
	for _, s := range samplers.Samplers() {
		if _, err := fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\n", s.Name, s.Order, s.CallsPerStep, yes(s.Eta), yes(s.Sigmas), s.Summary); err != nil {
			return err
		}
	}
	return t.Flush()
}
