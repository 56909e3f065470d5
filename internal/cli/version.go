package cli

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"ldx/assets"
	"ldx/pipeline/ort/library"
)

func newVersion(version string) *cobra.Command {
	var licences bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text := fmt.Sprintf("ldx %s (%s, %s/%s, ONNX Runtime %s)\n",
				version, runtime.Version(), runtime.GOOS, runtime.GOARCH, library.Version)
			if licences {
				text += "\n" + assets.Attribution()
			}
			_, err := io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().BoolVar(&licences, "licences", false, "also print what the embedded model was trained on")
	return cmd
}
