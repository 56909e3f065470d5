package library

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// machoImage builds a Mach-O library whose LC_ID_DYLIB has this version.
func machoImage(cpu uint32, v version) []byte {
	le := binary.LittleEndian
	name := []byte("@rpath/x\x00\x00\x00\x00\x00\x00\x00\x00")
	command := le.AppendUint32(nil, 0xd)
	command = le.AppendUint32(command, uint32(24+len(name)))
	command = le.AppendUint32(command, 24)
	command = le.AppendUint32(command, 0)
	command = le.AppendUint32(command, uint32(v.major<<16|v.minor<<8|v.patch))
	command = le.AppendUint32(command, 0)
	command = append(command, name...)
	var out []byte
	for _, field := range []uint32{0xfeedfacf, cpu, 0, 6, 1, uint32(len(command)), 0, 0} {
		out = le.AppendUint32(out, field)
	}
	return append(out, command...)
}

// fatImage wraps Mach-O libraries in a universal file.
func fatImage(cpus []uint32, parts ...[]byte) []byte {
	be := binary.BigEndian
	out := be.AppendUint32(nil, 0xcafebabe)
	out = be.AppendUint32(out, uint32(len(parts)))
	offset := uint32(8 + 20*len(parts))
	for i, part := range parts {
		for _, field := range []uint32{cpus[i], 0, offset, uint32(len(part)), 0} {
			out = be.AppendUint32(out, field)
		}
		offset += uint32(len(part))
	}
	return append(out, bytes.Join(parts, nil)...)
}

// peImage builds a DLL with a version resource.
func peImage(machine, characteristics uint16, v version) []byte {
	le := binary.LittleEndian
	resource := []byte{9, 9, 9, 9, 0xbd, 0x04, 0xef, 0xfe, 0, 0, 1, 0}
	for _, field := range []int{v.minor, v.major, 909, v.patch} {
		resource = le.AppendUint16(resource, uint16(field))
	}
	out := append([]byte("MZ"), make([]byte, 58)...)
	out = le.AppendUint32(out, 64)
	out = append(out, "PE\x00\x00"...)
	out = le.AppendUint16(out, machine)
	out = le.AppendUint16(out, 1)
	out = append(out, make([]byte, 12)...)
	out = le.AppendUint16(out, 0) // no optional header
	out = le.AppendUint16(out, characteristics)
	out = append(out, ".rsrc\x00\x00\x00"...)
	for _, field := range []uint32{uint32(len(resource)), 0x1000, uint32(len(resource)), 128, 0, 0, 0, 0} {
		out = le.AppendUint32(out, field)
	}
	return append(out, resource...)
}

const (
	cpuAMD64 = 0x01000007
	cpuARM64 = 0x0100000c
	isDLL    = 0x2000
)

func TestInspect(t *testing.T) {
	v := version{1, 30, 2}
	tests := []struct {
		name string
		data []byte
		want image
	}{
		{"ELF", elfImage(machineAMD64, "1.30.2"), image{"linux", "amd64", v}},
		{"ELF for ARM", elfImage(machineARM64, "1.30.2"), image{"linux", "arm64", v}},
		{"ELF for another machine", elfImage(8, "1.30.2"), image{"linux", "", v}},
		{"ELF without versions", elfImage(machineAMD64, ""), image{"linux", "amd64", version{}}},
		{"Mach-O", machoImage(cpuARM64, v), image{"darwin", "arm64", v}},
		{"universal Mach-O", fatImage([]uint32{cpuAMD64, cpuARM64}, machoImage(cpuAMD64, version{1, 2, 3}), machoImage(cpuARM64, v)),
			image{"darwin", "arm64", v}},
		{"universal Mach-O without this part", fatImage([]uint32{cpuAMD64}, machoImage(cpuAMD64, v)), image{"darwin", "", version{}}},
		{"PE", peImage(0x8664, isDLL, v), image{"windows", "amd64", v}},
		{"PE for ARM", peImage(0xaa64, isDLL, v), image{"windows", "arm64", v}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := inspect(bytes.NewReader(test.data), "arm64")
			must(t, err)
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestInspectRefuses(t *testing.T) {
	program := elfImage(machineAMD64, "1.30.0")
	program[16] = 2 // ET_EXEC
	tests := map[string][]byte{
		"nothing":         nil,
		"text":            []byte("INPUT(libonnxruntime.so.1)"),
		"cut ELF":         elfImage(machineAMD64, "1.30.0")[:40],
		"ELF program":     program,
		"cut Mach-O":      machoImage(cpuARM64, version{1, 30, 0})[:40],
		"cut universal":   fatImage([]uint32{cpuARM64}, nil)[:10],
		"cut PE":          peImage(0x8664, isDLL, version{1, 30, 0})[:70],
		"Windows program": peImage(0x8664, 0, version{1, 30, 0}),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if img, err := inspect(bytes.NewReader(data), "amd64"); !errors.Is(err, errNotLibrary) {
				t.Errorf("got %+v, %v, want errNotLibrary", img, err)
			}
		})
	}
}

func FuzzInspect(f *testing.F) {
	v := version{1, 30, 2}
	f.Add(elfImage(machineAMD64, "1.30.2"))
	f.Add(machoImage(cpuARM64, v))
	f.Add(fatImage([]uint32{cpuARM64}, machoImage(cpuARM64, v)))
	f.Add(peImage(0x8664, isDLL, v))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := inspect(bytes.NewReader(data), "arm64")
		if err != nil && img != (image{}) {
			t.Errorf("a refused file gave %+v", img)
		}
		if err == nil && img.goos == "" {
			t.Error("an accepted file has no system")
		}
	})
}
