// Command ldx is a step debugger for latent diffusion in the terminal.
package main

import (
	"os"

	"ldx/internal/cli"
)

// version is set by the release build.
var version = "dev"

func main() {
	os.Exit(cli.Main(version, os.Args[1:]))
}
