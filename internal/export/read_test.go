package export_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"ldx/internal/export"
	"ldx/pipeline"
	"ldx/samplers"
)

// base are settings with something in every field that a picture may leave open.
func base() pipeline.Settings {
	return pipeline.Settings{
		Prompt: "the base's", Negative: "the base's", Guidance: 3, Sampler: "dpm++3m", Sigmas: "lu", Steps: 12, Eta: 0.1, Seed: 9,
		RNG: samplers.Numpy, Spacing: "linspace", Width: 128, Height: 128,
		Guiding: samplers.Guidance{Rescale: 0.5}, Wording: pipeline.Wording{Blend: "b", BlendWeight: 0.5},
		Origin: pipeline.Origin{VariationSeed: 1, VariationStrength: 0.5, Init: "/base.png", InitSHA256: "ff", Strength: 0.8},
		Later:  pipeline.Later{LaterSeed: 4},
	}
}

// theirs are what AUTOMATIC1111's pictures say by not saying it.
func theirs(change func(*pipeline.Settings)) pipeline.Settings {
	s := base()
	s.Prompt, s.Negative, s.Sigmas, s.Eta = "", "", "", 0
	s.Guiding, s.Wording, s.Origin, s.Later = samplers.Guidance{}, pipeline.Wording{Syntax: "a1111"}, pipeline.Origin{}, pipeline.Later{}
	s.RNG = samplers.Philox
	change(&s)
	return s
}

// TestParametersOfAUTOMATIC1111 reads texts in the forms that its versions have written.
func TestParametersOfAUTOMATIC1111(t *testing.T) {
	tests := map[string]struct {
		text    string
		want    pipeline.Settings
		model   string
		ignored []string
	}{
		"1.6": {
			text: "a (red:1.2) apple,\n  studio light\nNegative prompt: blurry,\ntext \nSteps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 3711273204, Size: 512x768, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Clip skip: 2, ENSD: 31337, Version: v1.6.0",
			want: theirs(func(s *pipeline.Settings) {
				s.Prompt, s.Negative = "a (red:1.2) apple,\nstudio light", "blurry,\ntext"
				s.Steps, s.Sampler, s.Sigmas, s.Guidance, s.Seed, s.Width, s.Height = 28, "dpm++2m", "karras", 6.5, 3711273204, 512, 768
			}),
			model: "v1-5-pruned-emaonly", ignored: []string{"Model hash", "Clip skip", "ENSD"},
		},
		"1.10": {
			text: "a dog\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 512x512, Model: x, Eta: 0.67, RNG: CPU, Version: v1.10.1",
			want: theirs(func(s *pipeline.Settings) {
				s.Prompt, s.Steps, s.Sampler, s.Guidance, s.Seed, s.Width, s.Height, s.RNG = "a dog", 20, "euler-a", 7, 1, 512, 512, samplers.Torch
			}),
			model: "x", ignored: []string{"Eta"},
		},
		"noise levels of their own": {
			text: "a\nSteps: 20, Sampler: DPM++ 2M SDE, Schedule type: Align Your Steps, CFG scale: 7, Seed: 1, Size: 64x64, RNG: NV",
			want: theirs(func(s *pipeline.Settings) {
				s.Prompt, s.Steps, s.Sampler, s.Sigmas, s.Guidance, s.Seed, s.Width, s.Height, s.RNG = "a", 20, "dpm++2m-sde", "ays", 7, 1, 64, 64, samplers.NV
			}),
		},
		"variation, DDIM with eta": {
			text: "a\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 64x64, Variation seed: 77, Variation seed strength: 0.3, Seed resize from: 0x0, Eta: 0.5",
			want: theirs(func(s *pipeline.Settings) {
				s.Prompt, s.Steps, s.Sampler, s.Guidance, s.Seed, s.Width, s.Height, s.Eta = "a", 20, "ddim", 7, 1, 64, 64, 0.5
				s.VariationSeed, s.VariationStrength = 77, 0.3
			}),
			ignored: []string{"Seed resize from"},
		},
		"quotes": {
			text: `a` + "\n" + `Steps: 20, Sampler: Heun, CFG scale: 7, Seed: 1, Size: 64x64, Lora hashes: "one: 1a2b, two: \"3c\"", TI hashes: "x: 00", Denoising strength: 0.4, Mask blur: 4`,
			want: theirs(func(s *pipeline.Settings) {
				s.Prompt, s.Steps, s.Sampler, s.Guidance, s.Seed, s.Width, s.Height = "a", 20, "heun", 7, 1, 64, 64
			}),
			ignored: []string{"Lora hashes", "TI hashes", "Mask blur", "Denoising strength"},
		},
		"samplers that ldx does not have": {
			text: "a\nSteps: 20, Sampler: DPM++ SDE Karras, Schedule type: SGM Uniform, CFG scale: 7, Seed: 1, Size: 64x64",
			want: theirs(func(s *pipeline.Settings) {
				s.Prompt, s.Steps, s.Guidance, s.Seed, s.Width, s.Height = "a", 20, 7, 1, 64, 64
			}),
			ignored: []string{"Sampler", "Schedule type"},
		},
		"no prompt, lines after the values": {
			text: "Negative prompt: b\r\nSteps: 20, Sampler: PLMS, CFG scale: 7, Seed: 1, Size: 64x64\r\n\r\nTemplate: {a|b}\n",
			want: theirs(func(s *pipeline.Settings) {
				s.Negative, s.Steps, s.Sampler, s.Guidance, s.Seed, s.Width, s.Height = "b", 20, "ldm-plms", 7, 1, 64, 64
			}),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := export.ParseParameters(tt.text, base())
			if err != nil {
				t.Fatal(err)
			}
			if found.Settings != tt.want || found.Model != tt.model || found.Ours {
				t.Errorf("found\n%+v\nwant\n%+v\nmodel %q, ours %v", found.Settings, tt.want, found.Model, found.Ours)
			}
			var ignored []string
			for _, i := range found.Ignored {
				ignored = append(ignored, i.Name)
			}
			if !slices.Equal(ignored, tt.ignored) {
				t.Errorf("ignored %v, want %v", ignored, tt.ignored)
			}
			if strings.Contains(found.String(), "\n") {
				t.Errorf("more than a line: %s", found)
			}
		})
	}
}

func TestParametersAreRefused(t *testing.T) {
	line := "a\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 64x64, "
	for text, want := range map[string]string{
		"":                              "Steps: 20",
		"only a prompt, as it is":       "Steps: 20",
		"a\nSteps: many, Seed: 1":       `Steps is "many", want a whole number`,
		line + "CFG scale: NaN":         `"NaN", want a number`,
		line + "Seed: -1":               `"-1", want 0 to 18446744073709551615`,
		line + "Size: 64":               `"64", want WIDTHxHEIGHT`,
		line + "Prompt syntax: klingon": "klingon",
		line + "APG: loud":              "loud",
		line + "CFG plus plus: 1":       "on or off",
	} {
		_, err := export.ParseParameters(text, base())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error is %v, want one line with %q", text, err, want)
		}
	}
}

// TestParametersComeBack writes settings of every kind and reads them back, over a base
// that differs in all of them.
func TestParametersComeBack(t *testing.T) {
	pick := func(r *rand.Rand, texts ...string) string { return texts[r.IntN(len(texts))] }
	prompts := []string{"", "a", "猫 on a blue background", "un café", "a\nNegative prompt: b", "Negative prompt:", " b ", "a\n\n", "x\r\ny", "Steps: 3, Seed: 4",
		"a\nSteps: 20, Sampler: DDIM, CFG scale: 7", `"quoted", \back\slash`, "\x00\t<&>\u2028"}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := pipeline.Settings{
			Prompt: pick(r, prompts...), Negative: pick(r, prompts...), Guidance: r.NormFloat64(), Steps: r.IntN(100), Eta: r.Float64(), Seed: r.Uint64(),
			RNG: samplers.Generators()[r.IntN(len(samplers.Generators()))], Width: r.IntN(2000), Height: r.IntN(2000),
			Sampler: pick(r, "DPMSolverMultistepScheduler", "plms", "ldm-plms"), Sigmas: pick(r, append(samplers.SigmaSchedules(), "", "14.6, 5,1e-3")...),
			Spacing: samplers.Spacing(pick(r, "", "leading", "ldm")), Later: pipeline.Later{LaterSeed: r.Uint64N(2) * r.Uint64()},
		}
		if all := samplers.Samplers(); r.IntN(5) > 0 {
			s.Sampler = all[r.IntN(len(all))].Name
		}
		if named, err := samplers.ByName(s.Sampler); err != nil || !named.Eta {
			s.Eta = 0
		}
		if r.IntN(2) > 0 {
			s.Guiding = samplers.Guidance{
				Schedule: "linear:1..7.5", Interval: samplers.GuidanceInterval{SigmaLow: 0.25, SigmaHigh: 1 + r.Float64(), Stop: 0.5}, Rescale: r.Float64(),
				APG: samplers.APG{Enabled: true, Momentum: -r.Float64(), Threshold: 15}, Mimic: samplers.Mimic{Scale: 7, Percentile: 0.99}, PlusPlus: true,
			}
		}
		if r.IntN(2) > 0 {
			s.Wording = pipeline.Wording{Syntax: "a1111", Blend: pick(r, prompts...), BlendWeight: 1 - r.Float64()}
			s.Origin = pipeline.Origin{VariationSeed: r.Uint64(), VariationStrength: 1 - r.Float64(), Init: `/a "b", c/d.png`, InitSHA256: "00ff", Strength: 1 - r.Float64()}
		}
		var file bytes.Buffer
		if err := export.PNG(&file, picture(1), export.Parameters("m, n", s)); err != nil {
			t.Fatal(err)
		}
		found, err := export.ReadSettings(&file, base())
		if err != nil || found.Settings != s || found.Model != "m, n" || !found.Ours || len(found.Ignored) > 0 {
			t.Fatalf("wrote\n%+v\nread\n%+v\nmodel %q, ours %v, ignored %v, error %v", s, found.Settings, found.Model, found.Ours, found.Ignored, err)
		}
	}
}

// TestManyNamesAreSaidInALine takes a picture with more of them than any tool writes.
func TestManyNamesAreSaidInALine(t *testing.T) {
	text := sample + strings.Repeat(", Sampler: x\x1b, A\u202eb: "+strings.Repeat("c", 100), 1e4)
	found, err := export.ParseParameters(text, base())
	if err != nil {
		t.Fatal(err)
	}
	line := found.String()
	if len(line) > 5000 || !strings.HasSuffix(line, " more") || strings.ContainsAny(line, "\n\x1b\u202e") {
		t.Errorf("%d bytes are said: %.300s", len(line), line)
	}
}

const sample = "猫\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 64x64"

func pngWith(chunks ...[]byte) []byte {
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range append(chunks, []byte("IEND")) {
		file = binary.BigEndian.AppendUint32(file, uint32(len(c)-4))
		file = binary.BigEndian.AppendUint32(append(file, c...), crc32.ChecksumIEEE(c))
	}
	return file
}

func packed(text string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := z.Write([]byte(text))
	if err != nil || z.Close() != nil {
		panic("zlib")
	}
	return b.String()
}

// exif has a UserComment of some code in a TIFF of a byte order.
func exif(order binary.AppendByteOrder, mark, code string, text []byte) []byte {
	entry := func(tiff []byte, tag, kind uint16, n, value int) []byte {
		tiff = order.AppendUint16(order.AppendUint16(order.AppendUint16(tiff, 1), tag), kind)
		tiff = order.AppendUint32(order.AppendUint32(tiff, uint32(n)), uint32(value))
		return order.AppendUint32(tiff, 0)
	}
	tiff := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	tiff = entry(tiff, 0x8769, 4, 1, 26)
	tiff = entry(tiff, 0x9286, 7, 8+len(text), 44)
	return append(append(tiff, code...), text...)
}

func utf16Bytes(order binary.AppendByteOrder, text string) (out []byte) {
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func jpegWith(exif []byte) []byte {
	file := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xe1}
	file = binary.BigEndian.AppendUint16(file, uint16(len(exif)+8))
	file = append(append(file, "Exif\x00\x00"...), exif...)
	return append(file, 0xff, 0xda, 0, 2, 0xff, 0xd9)
}

func webpWith(exif []byte) []byte {
	file := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), 3, 0, 0, 0, 1, 2, 3, 0)
	file = binary.LittleEndian.AppendUint32(append(file, "EXIF"...), uint32(len(exif)))
	return append(file, exif...)
}

var big, little = binary.BigEndian, binary.LittleEndian

// TestSettingsAreFoundInPictures looks into every kind of file, made by hand.
func TestSettingsAreFoundInPictures(t *testing.T) {
	plain := strings.Replace(sample, "猫", "un caf\xe9", 1)
	tests := map[string]struct {
		file   []byte
		prompt string
	}{
		"tEXt":             {pngWith([]byte("IHDR1234567890123"), []byte("tEXtTitle\x00no"), []byte("tEXtparameters\x00"+plain)), "un café"},
		"zTXt":             {pngWith([]byte("zTXtparameters\x00\x00" + packed(plain))), "un café"},
		"iTXt":             {pngWith([]byte("iTXtparameters\x00\x00\x00en\x00wörter\x00" + sample)), "猫"},
		"iTXt, packed":     {pngWith([]byte("iTXtparameters\x00\x01\x00\x00\x00" + packed(sample))), "猫"},
		"JPEG, big":        {jpegWith(exif(big, "MM", "UNICODE\x00", utf16Bytes(big, sample))), "猫"},
		"JPEG, big in II":  {jpegWith(exif(little, "II", "UNICODE\x00", utf16Bytes(big, sample))), "猫"},
		"JPEG, little":     {jpegWith(exif(little, "II", "UNICODE\x00", utf16Bytes(little, sample))), "猫"},
		"JPEG, ASCII":      {jpegWith(exif(big, "MM", "ASCII\x00\x00\x00", []byte("a"+strings.TrimPrefix(sample, "猫")+"\x00"))), "a"},
		"WebP":             {webpWith(exif(big, "MM", "UNICODE\x00", utf16Bytes(big, sample))), "猫"},
		"WebP, marked":     {webpWith(append([]byte("Exif\x00\x00"), exif(big, "MM", "UNICODE\x00", utf16Bytes(big, sample))...)), "猫"},
		"after the pixels": {pngWith([]byte("IDAT0"), []byte("tEXtparameters\x00"+plain)), "un café"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found, err := export.ReadSettings(bytes.NewReader(tt.file), base())
			if err != nil {
				t.Fatal(err)
			}
			if found.Settings.Prompt != tt.prompt || found.Settings.Width != 64 {
				t.Errorf("found %+v, want prompt %q", found.Settings, tt.prompt)
			}
		})
	}
}

func TestPicturesWithoutSettingsAreRefused(t *testing.T) {
	damaged := pngWith([]byte("tEXtparameters\x00" + sample))
	damaged[40] ^= 1
	huge := pngWith([]byte("zTXtparameters\x00\x00" + packed(strings.Repeat("a", 5<<20))))
	cut := pngWith([]byte("tEXtparameters\x00" + sample))
	for name, tt := range map[string]struct {
		file []byte
		want string
	}{
		"no picture":       {[]byte("hello"), "want PNG, JPEG or WebP"},
		"empty":            {nil, "want PNG, JPEG or WebP"},
		"no text":          {pngWith(), "holds no settings"},
		"ComfyUI":          {pngWith([]byte("tEXtworkflow\x00{}")), "ComfyUI"},
		"damaged":          {damaged, "checksum"},
		"cut off":          {cut[:60], "cut off"},
		"too long":         {huge, "more than"},
		"not packed":       {pngWith([]byte("zTXtparameters\x00\x00abc")), "damaged"},
		"iTXt ends early":  {pngWith([]byte("iTXtparameters\x00\x00")), "ends early"},
		"JPEG without":     {jpegWith(nil), "holds no settings"},
		"Exif out of file": {jpegWith(exif(big, "MM", "UNICODE\x00", nil)[:40]), "holds no settings"},
		"WebP without":     {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "holds no settings"},
	} {
		_, err := export.ReadSettings(bytes.NewReader(tt.file), base())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line with %q", name, err, tt.want)
		}
	}
}

func FuzzReadSettings(f *testing.F) {
	f.Add(pngWith([]byte("iTXtparameters\x00\x01\x00\x00\x00" + packed(sample))))
	f.Add(jpegWith(exif(little, "II", "UNICODE\x00", utf16Bytes(big, sample))))
	f.Add(webpWith(exif(big, "MM", "ASCII\x00\x00\x00", []byte(sample))))
	f.Fuzz(func(_ *testing.T, file []byte) {
		_, _ = export.ReadSettings(bytes.NewReader(file), base()) // must only end
	})
}

// FuzzParseParameters writes what was read, and reads it again.
func FuzzParseParameters(f *testing.F) {
	f.Add(sample)
	f.Add("a\nNegative prompt: b\nSteps: 2, Sampler: DPM++ 2M Karras, Model: \"x, y\", Version: ldx")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := export.ParseParameters(strings.ToValidUTF8(text, "?"), base())
		if err != nil {
			return
		}
		again, err := export.ParseParameters(export.Parameters(first.Model, first.Settings), base())
		if err != nil || again.Settings != first.Settings {
			t.Errorf("read\n%+v\nwrote and read\n%+v, error %v", first.Settings, again.Settings, err)
		}
	})
}
