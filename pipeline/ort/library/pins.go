package library

import "strings"

// member is one file of an archive, and what it must be.
type member struct {
	path   string // in the archive
	name   string // in the cache
	size   int64  // bytes
	sha256 string // lower-case hex
}

// bundle is what one source's archive holds for one platform.
type bundle struct {
	archiveSize int64    // bytes, for progress; 0 = unknown
	members     []member // the library itself first, then what it loads
}

// published is where the pinned release can be had for one platform.
type published struct {
	npm      bundle // with the WebGPU provider, on Windows DirectML too
	pip      bundle // CPU only
	wheelTag string // the platform tag of PyPI's wheel
}

const (
	npmPackage     = "onnxruntime-node@" + Version
	npmArchiveSize = 113_507_888
	npmRoot        = "package/bin/napi-v6/"
	wheelRoot      = "onnxruntime/capi/"
	// pythonVersion picks one wheel whatever Python the machine has. The
	// library is the same in the wheels for 3.11 to 3.14.
	pythonVersion = "3.12"
)

// libraryName is the library's file name on goos, as its own install names it.
func libraryName(goos string) string {
	switch goos {
	case "windows":
		return "onnxruntime.dll"
	case "darwin":
		return "libonnxruntime." + Version + ".dylib"
	}
	return "libonnxruntime.so." + Version
}

// pinned gives the published files of a platform. ONNX Runtime publishes none
// for Intel Macs any more. Sizes and hashes are those of the files in the npm
// package onnxruntime-node 1.30.0 and in PyPI's onnxruntime 1.30.0 wheels.
func pinned(goos, goarch string) (published, bool) {
	switch goos + "/" + goarch {
	case "linux/amd64":
		return pinnedLinuxAMD64(), true
	case "linux/arm64":
		return pinnedLinuxARM64(), true
	case "darwin/arm64":
		return pinnedDarwinARM64(), true
	case "windows/amd64":
		return pinnedWindowsAMD64(), true
	case "windows/arm64":
		return pinnedWindowsARM64(), true
	}
	return published{}, false
}

func pinnedLinuxAMD64() published {
	name := libraryName("linux")
	return published{
		npm: npmBundle(member{"linux/x64/libonnxruntime.so.1", name, 45_828_512,
			"ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23"}),
		pip: wheelBundle(23_585_654, member{name, name, 28_985_152,
			"c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed"}),
		wheelTag: "manylinux_2_28_x86_64",
	}
}

// The two arm64 libraries for Linux have one size but are two builds.
func pinnedLinuxARM64() published {
	name := libraryName("linux")
	return published{
		npm: npmBundle(member{"linux/arm64/libonnxruntime.so.1", name, 25_135_496,
			"1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76"}),
		pip: wheelBundle(21_345_202, member{name, name, 25_135_496,
			"8a218e1e446880131115c368ec7005969a5022af9a15a26173de648fef0b7789"}),
		wheelTag: "manylinux_2_28_aarch64",
	}
}

func pinnedDarwinARM64() published {
	name := libraryName("darwin")
	return published{
		npm: npmBundle(member{"darwin/arm64/" + name, name, 44_589_928,
			"685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d"}),
		pip: wheelBundle(21_544_867, member{name, name, 33_209_560,
			"b46713ea6a25a5227541c21001f6422c1ccdeaecc369aa026a61b752520325c3"}),
		wheelTag: "macosx_14_0_arm64",
	}
}

// npm's onnxruntime.dll delay-loads DirectML.dll, and its WebGPU provider
// compiles shaders with dxcompiler.dll and dxil.dll where they lie beside it
// (without them there is no fp16 on WebGPU). PyPI's needs none of them.
func pinnedWindowsAMD64() published {
	name := libraryName("windows")
	return published{
		npm: npmBundle(
			member{"win32/x64/onnxruntime.dll", name, 28_754_232,
				"508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67"},
			member{"win32/x64/DirectML.dll", "DirectML.dll", 18_527_584,
				"234e8898778cdec88d3cb0539508273494082812c968699f3de665a018971625"},
			member{"win32/x64/dxcompiler.dll", "dxcompiler.dll", 17_986_360,
				"593d42df78c7f9cbd97c1374af107cfe20985759f98b77afc1448fe41ee3cc76"},
			member{"win32/x64/dxil.dll", "dxil.dll", 1_508_664,
				"cf9a3981263f8ec30c9905d136eeaf4b4573209c602198671b958ec86905dea8"}),
		pip: wheelBundle(14_311_470, member{name, name, 18_446_176,
			"e42c5c917207ff706530315177e39dca2539695a6a8d968a22225e34291b1f12"}),
		wheelTag: "win_amd64",
	}
}

func pinnedWindowsARM64() published {
	name := libraryName("windows")
	return published{
		npm: npmBundle(
			member{"win32/arm64/onnxruntime.dll", name, 29_815_136,
				"6c3a2abf5c6aca11c48a0d338a91af309f2266f25ce2e4084e6a87bbcb0fbfd0"},
			member{"win32/arm64/DirectML.dll", "DirectML.dll", 18_444_600,
				"aaf72a9d55aa123e0708d957d30dd4fbeb7a2e335ec6257ed5ff4261a402b9ee"},
			member{"win32/arm64/dxcompiler.dll", "dxcompiler.dll", 22_285_624,
				"442a995492579e1048cf1f05a86ab00f476c46b7f9d0996e588884040a543bbe"},
			member{"win32/arm64/dxil.dll", "dxil.dll", 1_769_784,
				"859b6d638c5ca3df39e9cab2a602cb0f63d0e63d750f84bb2a9ec9031319b73e"}),
		pip: wheelBundle(14_175_072, member{name, name, 18_351_456,
			"73f0a1ed25a088da5dbc5f76af9c32f8b7dd88033715078b0c04632a9d11f745"}),
		wheelTag: "win_arm64",
	}
}

func npmBundle(members ...member) bundle {
	return rooted(npmArchiveSize, npmRoot, members)
}

func wheelBundle(size int64, members ...member) bundle {
	return rooted(size, wheelRoot, members)
}

func rooted(size int64, root string, members []member) bundle {
	for i := range members {
		members[i].path = root + members[i].path
	}
	return bundle{archiveSize: size, members: members}
}

// pinnedRelease gives what a release archive for a platform carries: npm's
// files and, from a wheel, as npm's package lacks them, the licences of ONNX
// Runtime and of what is linked into it. All platforms' wheels hold one text,
// but Windows' with other line ends.
func pinnedRelease(goos, goarch string) (published, bool) {
	pins, ok := pinned(goos, goarch)
	linux := pinnedLinuxAMD64()
	pins.wheelTag = linux.wheelTag
	pins.pip = rooted(linux.pip.archiveSize, "onnxruntime/", []member{
		{"LICENSE", "onnxruntime-LICENSE.txt", 1_073,
			"2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c"},
		{"ThirdPartyNotices.txt", "onnxruntime-ThirdPartyNotices.txt", 338_088,
			"143764b952fdb1a7c69ce653bfba74a7744d6a8a573bfb73e235fba356c83de3"},
	})
	return pins, ok
}

// flat gives the bundle as the project's own archives hold it: npm's files,
// unchanged, without folders.
func (b bundle) flat() bundle {
	members := make([]member, len(b.members))
	for i, m := range b.members {
		m.path = m.name
		members[i] = m
	}
	return bundle{members: members}
}

// cpythonTag is the wheel ABI tag of pythonVersion.
func cpythonTag() string { return "cp" + strings.ReplaceAll(pythonVersion, ".", "") }
