package samplers

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestTrap05NothingIsFused compiles the package for arm64, where the compiler makes one
// rounding of x*y+z unless the product is converted. Only fma32 may have that: its
// products are exact.
func TestTrap05NothingIsFused(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the package")
	}
	program, err := exec.LookPath("go")
	if err != nil {
		t.Skipf("needs the go command: %v", err)
	}
	cmd := exec.Command(program, "build", "-o", os.DevNull, "-gcflags=-S", ".")
	cmd.Env = append(os.Environ(), "GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0")
	assembly, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, assembly)
	}
	fused := regexp.MustCompile(`\(\S*?(\w+\.go):(\d+)\)\s+FN?M(ADD|SUB)`).FindAllSubmatch(assembly, -1)
	if len(fused) == 0 {
		t.Error("not even fma32 is fused: is the assembly read right?")
	}
	for _, m := range fused {
		if string(m[1]) != "f32.go" {
			t.Errorf("%s:%s is fused on arm64: wrap the product in a conversion", m[1], m[2])
		}
	}
}
