package library

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// image is what a shared library's own headers say of it.
type image struct {
	goos, goarch string  // "" where Go has no port for it
	version      version // unknown where the headers do not say
}

var errNotLibrary = errors.New("not a shared library")

// inspect reads the headers of the library in r without loading it. The
// version is where the linker put it: the symbol version VERS_x.y.z in ELF,
// the current version of LC_ID_DYLIB in Mach-O, the version resource in PE.
// Other libraries linked in leave version strings of their own in the file,
// so scanning all of it for one would be a guess. Of a universal Mach-O file
// the part for goarch is read.
func inspect(r io.ReaderAt, goarch string) (image, error) {
	var magic [4]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil {
		return image{}, errNotLibrary
	}
	switch {
	case string(magic[:]) == elf.ELFMAG:
		return inspectELF(r)
	case string(magic[:2]) == "MZ":
		return inspectPE(r)
	case binary.BigEndian.Uint32(magic[:]) == macho.MagicFat:
		return inspectFat(r, goarch)
	case binary.LittleEndian.Uint32(magic[:]) == macho.Magic64:
		f, err := macho.NewFile(r)
		if err != nil {
			return image{}, fmt.Errorf("%w: %w", errNotLibrary, err)
		}
		return inspectMachO(f), nil
	}
	return image{}, errNotLibrary
}

func inspectELF(r io.ReaderAt) (image, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return image{}, fmt.Errorf("%w: %w", errNotLibrary, err)
	}
	if f.Type != elf.ET_DYN {
		return image{}, errNotLibrary
	}
	img := image{goos: "linux"}
	switch f.Machine {
	case elf.EM_X86_64:
		img.goarch = "amd64"
	case elf.EM_AARCH64:
		img.goarch = "arm64"
	}
	defined, err := f.DynamicVersions()
	if err != nil {
		// A library linked without a version script is still one.
		return img, nil
	}
	for _, d := range defined {
		if number, ok := strings.CutPrefix(d.Name, "VERS_"); ok {
			img.version, _ = parseVersion(number)
		}
	}
	return img, nil
}

func inspectFat(r io.ReaderAt, goarch string) (image, error) {
	fat, err := macho.NewFatFile(r)
	if err != nil {
		return image{}, fmt.Errorf("%w: %w", errNotLibrary, err)
	}
	for _, part := range fat.Arches {
		if img := inspectMachO(part.File); img.goarch == goarch {
			return img, nil
		}
	}
	return image{goos: "darwin"}, nil
}

func inspectMachO(f *macho.File) image {
	const loadIDDylib = 0xd // LC_ID_DYLIB: command, size, name, time, current version, ...
	img := image{goos: "darwin"}
	switch f.Cpu {
	case macho.CpuAmd64:
		img.goarch = "amd64"
	case macho.CpuArm64:
		img.goarch = "arm64"
	}
	for _, load := range f.Loads {
		raw := load.Raw()
		if len(raw) < 20 || f.ByteOrder.Uint32(raw) != loadIDDylib {
			continue
		}
		v := f.ByteOrder.Uint32(raw[16:])
		img.version = version{int(v >> 16), int(v >> 8 & 0xff), int(v & 0xff)}
	}
	return img
}

func inspectPE(r io.ReaderAt) (image, error) {
	f, err := pe.NewFile(r)
	if err != nil {
		return image{}, fmt.Errorf("%w: %w", errNotLibrary, err)
	}
	if f.Characteristics&pe.IMAGE_FILE_DLL == 0 {
		return image{}, errNotLibrary
	}
	img := image{goos: "windows"}
	switch f.Machine {
	case pe.IMAGE_FILE_MACHINE_AMD64:
		img.goarch = "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		img.goarch = "arm64"
	}
	if resources := f.Section(".rsrc"); resources != nil {
		// A resource section that cannot be read leaves the version unknown.
		if data, err := resources.Data(); err == nil {
			img.version = fixedFileVersion(data)
		}
	}
	return img, nil
}

// fixedFileVersion finds the VS_FIXEDFILEINFO of a resource section: a
// signature, the structure's own version 1.0, then four 16-bit numbers, of
// which ONNX Runtime's fourth is a date.
func fixedFileVersion(resources []byte) version {
	start := []byte{0xbd, 0x04, 0xef, 0xfe, 0, 0, 1, 0}
	at := bytes.Index(resources, start)
	if at < 0 || at+16 > len(resources) {
		return version{}
	}
	field := func(offset int) int { return int(binary.LittleEndian.Uint16(resources[at+offset:])) }
	return version{field(10), field(8), field(14)}
}
