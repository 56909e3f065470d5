package export

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
	"ldx/samplers"
)

// Found are the settings in a picture.
type Found struct {
	Settings pipeline.Settings
	Model    string // what the picture calls its model, "" for nothing
	Ours     bool   // ldx wrote them: whatever the picture does not name is off
	Ignored  []Ignored
}

// Ignored is what a picture says that settings do not hold.
type Ignored struct {
	Pair
	Why string // "" where the name is just none of ours
}

// maxSaid bounds how many names a message has.
const maxSaid = 20

// String lists what was ignored in a line, "" for nothing.
func (f Found) String() string {
	var parts []string
	for n, i := range f.Ignored {
		if n == maxSaid {
			parts = append(parts, fmt.Sprintf("and %d more", len(f.Ignored)-n))
			break
		}
		text := clipped(i.Name) + " " + clipped(i.Value)
		if i.Why != "" {
			text += " (" + i.Why + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// clipped is a value as a message shows it.
func clipped(text string) string {
	const longest = 60
	if r := []rune(text); len(r) > longest {
		text = string(r[:longest]) + "…"
	}
	return strings.Trim(strconv.Quote(text), `"`)
}

// ReadSettings reads the settings out of a picture: a PNG's text named "parameters"
// (tEXt, zTXt or iTXt), or the Exif UserComment of a JPEG or WebP, in AUTOMATIC1111's
// form (its modules/infotext_utils.py). What the picture does not say is as in base; of
// one that ldx made, it is off. Names that are none of ours are in Ignored, a value that
// is not what its name wants is an error. The settings are not held against a model.
func ReadSettings(r io.Reader, base pipeline.Settings) (Found, error) {
	text, err := readText(r)
	if err != nil {
		return Found{}, err
	}
	return ParseParameters(text, base)
}

// ParseParameters reads settings as [Parameters] and AUTOMATIC1111 write them.
func ParseParameters(text string, base pipeline.Settings) (Found, error) {
	prompts, values := splitParameters(text)
	if len(values) == 0 {
		return Found{}, errors.New(`the picture's parameters have no line such as "Steps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 42"`)
	}
	in := reader{Found: Found{Settings: base}, values: values}
	in.Ours = in.value(keyVersion) == ourVersion || samplers.Generator(in.value(keyRNG)).Check() == nil
	s := &in.Settings
	s.Prompt, s.Negative = splitPrompts(prompts)
	if !in.Ours {
		s.Prompt, s.Negative = trimmedLines(s.Prompt), trimmedLines(s.Negative)
	}
	in.start()
	for _, v := range values {
		if err := in.take(v); err != nil {
			return Found{}, err
		}
	}
	in.finish()
	return in.Found, nil
}

// trimmedLines is text without the blanks around its lines.
func trimmedLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

// reader lays the values of a picture over settings.
type reader struct {
	Found
	values pairs
}

// value is that of a name, "" for none.
func (in *reader) value(name string) string {
	for _, v := range in.values {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func (in *reader) has(name string) bool {
	for _, v := range in.values {
		if v.Name == name {
			return true
		}
	}
	return false
}

// start sets what a picture says by not saying it.
func (in *reader) start() {
	s := &in.Settings
	s.Guiding, s.Wording, s.Origin, s.Later = samplers.Guidance{}, pipeline.Wording{}, pipeline.Origin{}, pipeline.Later{}
	s.Sigmas, s.Eta = "", 0
	if in.Ours {
		s.Spacing = ""
		return
	}
	s.Syntax = prompt.A1111
	s.RNG = samplers.Philox // it writes RNG where that is not the GPU's
}

func (in *reader) ignore(v Pair, why string) { in.Ignored = append(in.Ignored, Ignored{v, why}) }

// take lays one value over the settings.
func (in *reader) take(v Pair) error {
	for _, f := range []func(Pair) (bool, error){in.takeNumber, in.takeName, in.takeGuiding, in.takeOrigin, in.takeOurs} {
		if known, err := f(v); known || err != nil {
			return err
		}
	}
	in.ignore(v, reasons[v.Name])
	return nil
}

// reasons say of well known names what leaving them out means.
var reasons = map[string]string{
	"Clip skip": "ldx takes the text encoder's output as the model's folder has it",
	"ENSD":      "ldx has no offset between the seed and later noise",
}

// finish looks at what belongs together.
func (in *reader) finish() {
	s := &in.Settings
	if s.VariationStrength == 0 {
		s.VariationSeed = 0
	}
	if s.BlendWeight == 0 {
		s.Blend = ""
	}
	if s.Init == "" {
		s.InitSHA256, s.Strength = "", 0
		if in.has(keyDenoising) {
			in.ignore(Pair{keyDenoising, in.value(keyDenoising)}, "the picture it started from is not named")
		}
	}
	sampler, err := samplers.ByName(s.Sampler)
	if err == nil && !sampler.Eta && s.Eta != 0 {
		in.ignore(Pair{keyEta, number(s.Eta)}, s.Sampler+" has none")
		s.Eta = 0
	}
}

// wrong says that a value is not what its name wants.
func wrong(v Pair, want string) error {
	return fmt.Errorf("the picture's %s is %q, want %s", v.Name, clipped(v.Value), want)
}
