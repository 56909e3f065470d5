package realterm

import (
	"fmt"
	"io"
	"log"
	"os"
	"testing"

	"github.com/jezek/xgb"
)

// TestMain lets the test binary be the demo program that the tests start in
// terminals.
func TestMain(m *testing.M) {
	if socket := os.Getenv(demoVariable); socket != "" {
		if err := runDemo(socket); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	xgb.Logger = log.New(io.Discard, "", 0) // it tells of every X server without authority
	os.Exit(m.Run())
}
