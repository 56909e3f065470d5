package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandLine holds what is wrong with a command line against its exit
// status and error. Nothing is written, and no model is loaded for it.
func TestCommandLine(t *testing.T) {
	run := func(args ...string) []string { return append([]string{"run", "-o", "a.png"}, args...) }
	for _, c := range []struct {
		args   []string
		status int
		want   []string
	}{
		{run("--steps", "0"), 2, []string{"steps is 0", "1 to 1000"}},
		{run("--steps", "-1"), 2, []string{"steps is -1", "1 to 1000"}},
		{run("--steps", "10000"), 2, []string{"steps is 10000", "1 to 1000"}},
		{run("--steps", "abc"), 2, []string{`"abc"`, "--steps", "a whole number"}},
		{run("--steps", "99999999999999999999"), 2, []string{"--steps", "a whole number"}},
		{run("--steps", ""), 2, []string{"--steps", "a whole number"}},
		{run("--eta", "1.5"), 2, []string{"eta is 1.5", "0 to 1"}},
		{run("--eta", "-0.1"), 2, []string{"eta is -0.1", "0 to 1"}},
		{run("--eta", "NaN"), 2, []string{"eta is NaN", "0 to 1"}},
		{run("--eta", "inf"), 2, []string{"eta is +Inf", "0 to 1"}},
		{run("--guidance", "NaN"), 2, []string{"guidance is NaN", "0 to 1000"}},
		{run("--guidance", "-1"), 2, []string{"guidance is -1", "0 to 1000"}},
		{run("--guidance", "1e308"), 2, []string{"guidance is 1e+308", "0 to 1000"}},
		{run("--guidance", "x"), 2, []string{`"x"`, "--guidance", "a number"}},
		{run("--seed", "-1"), 2, []string{`"-1"`, "--seed", "0 to 18446744073709551615"}},
		{run("--seed", "18446744073709551616"), 2, []string{"--seed", "0 to 18446744073709551615"}},
		{run("--seed", "1.5"), 2, []string{"--seed", "0 to 18446744073709551615"}},
		{run("--size", "30x30"), 2, []string{"size is 30x30", "a multiple of 32", "32x32"}},
		{run("--size", "0x0"), 2, []string{"size is 0x0", "a multiple of 32", "32x32"}},
		{run("--size", "-32x32"), 2, []string{"size is -32x32", "a multiple of 32"}},
		{run("--size", "128"), 2, []string{`"128"`, "--size", "WIDTHxHEIGHT", "128x128"}},
		{run("--size", "16384x16384"), 2, []string{"size is 16384x16384", "GiB", "a smaller size"}},
		{run("--size", "99968x99968"), 2, []string{"size is 99968x99968", "at most 16384"}},
		{run("--threads", "-1"), 2, []string{"threads is -1", "0 (all cores) to 1024"}},
		{run("--nonsense"), 2, []string{"--nonsense", "ldx run --help lists"}},
		{run("-Z"), 2, []string{"-Z", "ldx run --help lists"}},
		{run("extra"), 2, []string{`"extra"`, "no argument"}},
		{run("--sampler", "nonsense"), 2, []string{`sampler "nonsense"`, "want ddim"}},
		{run("--sampler", "ddim", "--sigmas", "karras"), 2, []string{`sigmas is "karras"`, "ddim has no sigma schedule"}},
		{run("--sampler", "euler", "--sigmas", "5,7"), 2, []string{"from 5 to 7", "a falling list"}},
		{run("--sampler", "lcm", "--steps", "200"), 2, []string{"steps is 200", "1 to 50"}},
		{run("--sampler", "lcm", "--spacing", "leading"), 2, []string{`spacing is "leading"`, "leave spacing out"}},
		{run("--sampler", "pndm", "--steps", "3"), 2, []string{"steps is 3", "at least 4"}},
		{run("--sampler", "heun", "--eta", "1"), 2, []string{"eta is 1", "heun has none", "ddim"}},
		{run("--rng", "numpy", "--seed", "4294967296"), 2, []string{"seed is 4294967296", "numpy", "0 to 4294967295"}},
		{run("--rng", "philox:0x0"), 2, []string{"philox"}},
		{run("--guidance-schedule", "up"), 2, []string{`"up"`, "linear", "cosine"}},
		{run("--guidance-interval", "steps:0.5..0.2"), 2, []string{"stops at 0.2", "more than 0.5"}},
		{run("--guidance-rescale", "2"), 2, []string{"guidance rescale is 2", "0 (off) to 1"}},
		{run("--apg", "beta=1"), 2, []string{`apg is "beta=1"`, "momentum="}},
		{run("--mimic", "x"), 2, []string{`mimic is "x"`, "7,0.99"}},
		{run("--cfg-plus-plus", "-g", "3"), 2, []string{"guidance is 3", "0 to 1 with cfg++"}},
		{run("--cfg-plus-plus", "-g", "0.6", "--sampler", "lms"), 2, []string{"lms cannot", "ddim, euler"}},
		{run("--sigmas", "nonsense"), 2, []string{`"nonsense"`, "normal"}},
		{run("--device", "nonsense"), 2, []string{`device "nonsense"`, "auto or cpu"}},
		{run("--spacing", "nonsense"), 2, []string{`spacing "nonsense"`, "leading", "trailing", "linspace", "ldm"}},
		{run("--rng", "nonsense"), 2, []string{`generator "nonsense"`, "want torch"}},
		{run("--prompt-syntax", "nonsense"), 2, []string{`"nonsense"`, "plain or a1111"}},
		{run("--prompt-syntax", "a1111", "-p", "a AND b"), 2, []string{"has AND", "one prompt, or a blend"}},
		{run("--prompt-syntax", "a1111", "-n", "(a:1.2.3)"), 2, []string{`weight "1.2.3"`, "(word:1.2)"}},
		{run("--blend-weight", "0.3"), 2, []string{"blend-weight is 0.3", "--blend too"}},
		{run("--blend", "a", "--blend-weight", "2"), 2, []string{"blend weight is 2", "0 (the prompt alone) to 1"}},
		{run("--variation-seed", "3"), 2, []string{"variation-seed is 3", "--variation-strength too"}},
		{run("--variation-strength", "1.5"), 2, []string{"variation strength is 1.5", "0 to 1"}},
		{run("--strength", "0.5"), 2, []string{"--init too"}},
		{run("--init", "none.png"), 1, []string{"init none.png", "no such file"}},
		{run("--init", "."), 1, []string{"init . is no picture", "PNG, JPEG, GIF or WebP"}},
		{run("-p", strings.Repeat("x", 1<<16), "-n", strings.Repeat("x", 1<<16), "--steps", "0"), 2, []string{"steps is 0"}},
		{[]string{"--graphics", "nonsense"}, 2, []string{`"nonsense"`, "auto, kitty, sixel, iterm2, blocks or off"}},
		{run("--graphics", "nonsense"), 2, []string{`"nonsense"`, "auto, kitty, sixel, iterm2, blocks or off"}},
		{[]string{"--theme", "pink"}, 2, []string{`"pink"`, "auto, light or dark"}},
		{[]string{"--steps", "0"}, 2, []string{"steps is 0"}},
		{[]string{"nonsense"}, 2, []string{`command "nonsense"`, "ldx --help"}},
		{[]string{"run"}, 2, []string{"nothing to write", "-o", "--trace", "--json"}},
		{[]string{"run", "-o", "a.jpg"}, 2, []string{"a.jpg", ".png, .gif, .apng or a folder"}},
		{[]string{"run", "-o", "a.png", "--trace", "./a.png"}, 2, []string{"a.png", "two names"}},
		{[]string{"models", "a", "b"}, 2, []string{"one folder", "2"}},
		{[]string{"doctor", "extra"}, 2, []string{`"extra"`, "no argument"}},
		{[]string{"version", "extra"}, 2, []string{`"extra"`, "no argument"}},
	} {
		t.Run(strings.Join(c.args, " ")[:min(60, len(strings.Join(c.args, " ")))], func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.run(c.args...).fails(t, c.status, c.want...)
			p.holds()
		})
	}
}

// TestNotAModel names what is no model folder.
func TestNotAModel(t *testing.T) {
	p := newPlace(t)
	p.must(os.Mkdir(p.path("empty"), 0o755))
	p.write("weights/unet/diffusion_pytorch_model.safetensors", "")
	p.write("sd.safetensors", "")
	p.write("sd.ckpt", "")
	p.write("notes.txt", "")
	p.write("unet.onnx", "")
	for name, want := range map[string][]string{
		"empty":          {"empty is no model folder", "unet/model.onnx"},
		"nowhere":        {`"nowhere"`, "neither installed", "nor a folder"},
		"./nowhere/":     {`"./nowhere/"`, "neither installed", "nor a folder"},
		"weights":        {"weights holds PyTorch weights", "optimum-cli export onnx --model", "weights-onnx"},
		"sd.safetensors": {"sd.safetensors is a PyTorch checkpoint", "from_single_file", "optimum-cli export onnx --model"},
		"sd.ckpt":        {"sd.ckpt is a PyTorch checkpoint", "from_single_file", "optimum-cli export onnx --model"},
		"notes.txt":      {"notes.txt is a file", "want a folder"},
		"unet.onnx":      {"unet.onnx is one graph", "name the folder"},
	} {
		t.Run(name, func(t *testing.T) {
			p := *p
			p.t = t
			p.run("run", "--model", name, "-o", "a.png").fails(t, 1, want...)
			p.run("--model", name).fails(t, 1, want...)
			p.run("models", name).fails(t, 1, want...)
		})
	}
	p.holds("notes.txt", "sd.ckpt", "sd.safetensors", "unet.onnx", "weights/unet/diffusion_pytorch_model.safetensors")
}

// TestBrokenModel damages one file of a model at a time. The error names it.
func TestBrokenModel(t *testing.T) {
	const unet, text, decoder = "unet/model.onnx", "text_encoder/model.onnx", "vae_decoder/model.onnx"
	cut := func(p *place, file string) []byte { return p.graph(file)[:1<<20] }
	for _, c := range []struct {
		name    string
		file    string
		content func(p *place) []byte
		want    []string
	}{
		{"truncated UNet", unet, func(p *place) []byte { return cut(p, unet) }, []string{"truncated"}},
		{"truncated text encoder", text, func(p *place) []byte { return cut(p, text) }, []string{"truncated"}},
		{"truncated decoder", decoder, func(p *place) []byte { return cut(p, decoder) }, []string{"truncated"}},
		{"empty UNet", unet, func(*place) []byte { return nil }, []string{"not a readable ONNX model"}},
		{"text for a UNet", unet, func(*place) []byte { return []byte("hello\n") }, []string{"not a readable ONNX model"}},
		{"decoder for a UNet", unet, func(p *place) []byte { return p.graph(decoder) }, []string{"latent_sample", "want", "sample"}},
		{"UNet for a decoder", decoder, func(p *place) []byte { return p.graph(unet) }, []string{"takes", "want one latent"}},
		{"VAE encoder for a text encoder", text, func(p *place) []byte { return p.graph("vae_encoder/model.onnx") }, []string{"want input_ids"}},
		{"wrong channels", "vae_decoder/config.json", func(*place) []byte { return []byte(`{"latent_channels": 16}`) },
			[]string{"takes 4 channels", "have 16"}},
		{"scheduler", "scheduler/scheduler_config.json", func(*place) []byte { return []byte(`{"beta`) }, []string{"JSON"}},
		{"UNet config", "unet/config.json", func(*place) []byte { return []byte(`[]`) }, []string{"config.json"}},
		{"decoder config", "vae_decoder/config.json", func(*place) []byte { return []byte("\x00") }, []string{"config.json"}},
		{"defaults", "ldx.json", func(*place) []byte { return []byte(`{"steps":"x"}`) }, []string{"ldx.json"}},
		{"defaults that do not fit", "ldx.json", func(*place) []byte { return []byte(`{"guidance":-3}`) }, []string{"guidance is -3", "0 to 1000"}},
		{"vocabulary", "tokenizer/vocab.json", func(*place) []byte { return []byte(`{"a":`) }, []string{"JSON"}},
		{"merges", "tokenizer/merges.txt", func(*place) []byte { return []byte("a b c d\n") }, []string{"line 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.model(filepath.Join(p.data, "ldx", "models", "broken"))
			p.must(os.Symlink(filepath.Join(p.data, "ldx", "models", "broken"), p.path("broken")))
			p.replace("broken", c.file, c.content(p))
			want := c.want
			if c.file != "vae_decoder/config.json" { // that one is told by the UNet it does not fit
				want = append(want, c.file)
			}
			p.run("run", "--model", "broken", "--steps", "2", "-o", "a.png", "--trace", "t.safetensors").fails(t, 1, want...)
			p.must(os.Remove(p.path("broken")))
			p.holds()
		})
	}
	for _, part := range []string{unet, text, decoder, "tokenizer/vocab.json", "scheduler/scheduler_config.json"} {
		t.Run("no "+part, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.model(p.path("broken"))
			p.must(os.Remove(filepath.Join(p.path("broken"), part)))
			p.run("run", "--model", "broken", "--steps", "2", "-o", "a.png").fails(t, 1, "broken", part)
			p.must(os.RemoveAll(p.path("broken")))
			p.holds()
		})
	}
	t.Run("a folder for a UNet", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.model(p.path("broken"))
		p.must(os.Remove(p.path("broken/unet/model.onnx")))
		p.must(os.Mkdir(p.path("broken/unet/model.onnx"), 0o755))
		p.run("run", "--model", "broken", "--steps", "2", "-o", "a.png").fails(t, 1, unet, "directory")
		p.must(os.RemoveAll(p.path("broken")))
		p.holds()
	})
}

// TestDamagedGraph turns bytes of a graph over, at its ends and in between: it
// runs, or fails with a line that names the file, and nothing crashes.
func TestDamagedGraph(t *testing.T) {
	const unet = "unet/model.onnx"
	for _, c := range []struct {
		name string
		at   func(size int) int
	}{
		{"head", func(int) int { return 16 }},
		{"quarter", func(size int) int { return size / 4 }},
		{"middle", func(size int) int { return size / 2 }},
		{"tail", func(size int) int { return size - 1<<10 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.model(p.path("broken"))
			data := p.graph(unet)
			for i := range 64 {
				data[c.at(len(data))+i*7] ^= 0xff
			}
			p.replace("broken", unet, data)
			if o := p.run("run", "--model", "broken", "--steps", "1", "--json"); o.status != 0 {
				o.fails(t, 1, unet)
			}
		})
	}
}
