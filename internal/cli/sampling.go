package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"ldx/pipeline"
	"ldx/pipeline/prompt"
	"ldx/samplers"
	"ldx/tui/termimg"
)

// sampling holds the flags shared by all commands that sample: where the model
// comes from, and the settings as far as they were typed.
type sampling struct {
	source       source
	typed        pipeline.Settings
	spacing      string
	rng          string
	promptSyntax string
	graphics     string
	like         string
	flags        *pflag.FlagSet
}

func (s *sampling) register(fs *pflag.FlagSet) {
	s.flags = fs
	s.source.register(fs)
	t := &s.typed
	fs.StringVarP(&t.Prompt, "prompt", "p", "", "what to make (default the model's)")
	fs.StringVarP(&t.Negative, "negative", "n", "", "what to keep away from")
	fs.VarP(numberFlag[float64]{&t.Guidance}, "guidance", "g", "guidance scale, at most 1 is off (default the model's)")
	g := &t.Guiding
	fs.StringVar((*string)(&g.Schedule), "guidance-schedule", "", "guidance over the steps: linear:FROM..TO, cosine:FROM..TO or a list")
	fs.Var(parsedFlag[samplers.GuidanceInterval]{&g.Interval, samplers.ParseGuidanceInterval}, "guidance-interval", "where there is guidance: sigma:LOW..HIGH, steps:FROM..TO (default everywhere)")
	fs.Var(numberFlag[float64]{&g.Rescale}, "guidance-rescale", "bring the result's contrast towards the conditional one's, 0 to 1")
	fs.Var(parsedFlag[samplers.APG]{&g.APG, samplers.ParseAPG}, "apg", "adaptive projected guidance: on, or momentum=-0.5,threshold=15,eta=0")
	fs.Var(parsedFlag[samplers.Mimic]{&g.Mimic, samplers.ParseMimic}, "mimic", "dynamic thresholding after a smaller scale: SCALE[,PERCENTILE]")
	fs.BoolVar(&g.PlusPlus, "cfg-plus-plus", false, "go on with the unconditional noise (guidance is then 0 to 1)")
	fs.StringVar(&t.Sampler, "sampler", "", "sampler, or help for a list (default the model's)")
	fs.StringVar(&t.Sigmas, "sigmas", "", "noise levels: "+listed(samplers.SigmaSchedules())+", or a list (default the model's)")
	fs.Var(numberFlag[int]{&t.Steps}, "steps", "number of steps (default the model's)")
	fs.Var(numberFlag[float64]{&t.Eta}, "eta", "noise put back at each step, 0 to 1")
	fs.VarP(seedFlag{&t.Seed}, "seed", "s", "seed of the noise, 0 to 2^64-1 (default random)")
	fs.StringVar(&s.rng, "rng", string(samplers.Torch), "random number generator: "+listed(samplers.Generators()))
	fs.StringVar(&s.spacing, "spacing", "", "timesteps: "+listed(samplers.Spacings())+" (default the model's)")
	fs.Var(sizeFlag{&t.Width, &t.Height}, "size", "picture size in pixels (default the model's)")
	fs.StringVar(&s.like, "like", "", "picture whose settings are the defaults: PNG, JPEG or WebP, by ldx or AUTOMATIC1111")
	registerGraphics(fs, &s.graphics)
	s.registerWording(fs)
	s.registerOrigin(fs)
}

func (s *sampling) registerWording(fs *pflag.FlagSet) {
	t := &s.typed
	fs.StringVar(&s.promptSyntax, "prompt-syntax", string(prompt.Plain), "how prompts are read: "+listed(prompt.Syntaxes())+" (weights, schedules, BREAK)")
	fs.StringVar(&t.Blend, "blend", "", "a second prompt, mixed with the first")
	fs.Var(numberFlag[float64]{&t.BlendWeight}, "blend-weight", "the second prompt's share, 0 to 1 (default 0.5 with --blend)")
}

func (s *sampling) registerOrigin(fs *pflag.FlagSet) {
	t := &s.typed
	fs.Var(seedFlag{&t.VariationSeed}, "variation-seed", "seed that the start noise is turned towards (default random)")
	fs.Var(numberFlag[float64]{&t.VariationStrength}, "variation-strength", "how far: 0 is the seed's own noise, 1 the variation seed's")
	fs.StringVar(&t.Init, "init", "", "picture to start from: PNG, JPEG, GIF or WebP")
	fs.Var(numberFlag[float64]{&t.Strength}, "strength", "share of the steps that a run from a picture takes, above 0 to 1 (default 0.8)")
}

// listed joins names for a flag's help.
func listed[T ~string](names []T) string {
	var all []string
	for _, n := range names {
		all = append(all, string(n))
	}
	return strings.Join(all, ", ")
}

// resolve finds the model and lays what was typed over its defaults, without
// loading anything. What no model could make right is refused.
func (s *sampling) resolve() (pipeline.Folder, pipeline.Settings, error) {
	folder, info, err := s.find()
	if err != nil {
		return folder, pipeline.Settings{}, err
	}
	settings, err := s.over(fresh(info), info)
	return folder, settings, err
}

// fresh are a model's settings with a random seed.
func fresh(info pipeline.Info) pipeline.Settings {
	base := info.Settings()
	base.Seed = pipeline.RandomSeed()
	return base
}

// find finds the model and reads what it says of itself.
func (s *sampling) find() (pipeline.Folder, pipeline.Info, error) {
	if err := s.source.check(); err != nil {
		return pipeline.Folder{}, pipeline.Info{}, err
	}
	if _, err := s.protocol(); err != nil {
		return pipeline.Folder{}, pipeline.Info{}, err
	}
	if err := s.likeModel(); err != nil {
		return pipeline.Folder{}, pipeline.Info{}, err
	}
	folder, err := s.source.folder()
	if err != nil {
		return folder, pipeline.Info{}, err
	}
	info, err := pipeline.ReadInfo(folder)
	return folder, info, err
}

// over lays what was typed over base, or over the picture of --like, and checks the
// result.
func (s *sampling) over(base pipeline.Settings, info pipeline.Info) (pipeline.Settings, error) {
	out, err := s.lay(base)
	if err != nil {
		return out, err
	}
	return out, usage(info.Check(out))
}

// lay is over without the check.
func (s *sampling) lay(base pipeline.Settings) (pipeline.Settings, error) {
	out, err := s.start(base)
	if err != nil {
		return out, err
	}
	t := s.typed
	overlay := map[string]func(){
		"prompt":   func() { out.Prompt = t.Prompt },
		"negative": func() { out.Negative = t.Negative },
		"guidance": func() { out.Guidance = t.Guidance },

		"guidance-schedule": func() { out.Guiding.Schedule = t.Guiding.Schedule },
		"guidance-interval": func() { out.Guiding.Interval = t.Guiding.Interval },
		"guidance-rescale":  func() { out.Guiding.Rescale = t.Guiding.Rescale },
		"apg":               func() { out.Guiding.APG = t.Guiding.APG },
		"mimic":             func() { out.Guiding.Mimic = t.Guiding.Mimic },
		"cfg-plus-plus":     func() { out.Guiding.PlusPlus = t.Guiding.PlusPlus },

		"sampler": func() { out.Sampler = t.Sampler },
		"sigmas":  func() { out.Sigmas = t.Sigmas },
		"steps":   func() { out.Steps = t.Steps },
		"eta":     func() { out.Eta = t.Eta },
		"seed":    func() { out.Seed = t.Seed },
		"rng":     func() { out.RNG = samplers.Generator(s.rng) },
		"spacing": func() { out.Spacing = samplers.Spacing(s.spacing) },
		"size":    func() { out.Width, out.Height = t.Width, t.Height },

		"prompt-syntax":      func() { out.Syntax = syntax(s.promptSyntax) },
		"blend":              func() { out.Blend, out.BlendWeight = t.Blend, defaultBlend },
		"variation-seed":     func() { out.VariationSeed = t.VariationSeed },
		"variation-strength": func() { out.VariationStrength = t.VariationStrength },
	}
	s.flags.Visit(func(f *pflag.Flag) {
		if apply, ok := overlay[f.Name]; ok {
			apply()
		}
	})
	if s.flags.Changed("blend-weight") {
		out.BlendWeight = t.BlendWeight
	}
	return out, s.complete(&out)
}

// protocol is how pictures are drawn.
func (s *sampling) protocol() (termimg.Protocol, error) { return protocol(s.graphics) }

func protocol(name string) (termimg.Protocol, error) {
	p, err := termimg.ParseProtocol(name)
	return p, usage(err)
}

// registerGraphics adds the flag that says how pictures are drawn.
func registerGraphics(fs *pflag.FlagSet, name *string) {
	fs.StringVar(name, "graphics", "auto", "how pictures are drawn: auto, kitty, sixel, iterm2, blocks, off")
}
