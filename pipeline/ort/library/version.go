package library

import (
	"fmt"
	"strconv"
	"strings"
)

// oldestMinor is the oldest 1.x release that offers C API 24, which the Go
// binding asks for. ONNX Runtime keeps API n in every release from 1.n on.
const oldestMinor = 24

// version is an ONNX Runtime release number; the zero value is unknown.
type version struct{ major, minor, patch int }

// String writes the version as releases are named, or "" when unknown.
func (v version) String() string {
	if !v.known() {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.patch)
}

func (v version) known() bool { return v != version{} }

// supported reports whether the release offers the API that is needed. A 2.x
// would be another ABI, so it is not.
func (v version) supported() bool { return v.major == 1 && v.minor >= oldestMinor }

// newer reports whether v is a later release than w.
func (v version) newer(w version) bool {
	if v.major != w.major {
		return v.major > w.major
	}
	if v.minor != w.minor {
		return v.minor > w.minor
	}
	return v.patch > w.patch
}

// parseVersion reads "1.30" or "1.30.0". A bare "1", as in a soname, says
// nothing about the API and is refused.
func parseVersion(s string) (version, bool) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return version{}, false
	}
	var numbers [3]int
	for i, part := range parts {
		// 16 bits are plenty and keep Atoi's signs out.
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return version{}, false
		}
		numbers[i] = int(n)
	}
	v := version{numbers[0], numbers[1], numbers[2]}
	return v, v.known()
}

// versionInName reads the version out of a library's file name:
// libonnxruntime.so.1.30.0 or libonnxruntime.1.30.0.dylib. Windows names
// carry none.
func versionInName(name string) (version, bool) {
	rest, ok := strings.CutPrefix(name, "libonnxruntime.")
	if !ok {
		return version{}, false
	}
	if number, ok := strings.CutPrefix(rest, "so."); ok {
		return parseVersion(number)
	}
	if number, ok := strings.CutSuffix(rest, ".dylib"); ok {
		return parseVersion(number)
	}
	return version{}, false
}
