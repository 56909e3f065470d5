package scenario

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image/gif"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldx/samplers"
)

// TestUnwritable is refused before any work.
func TestUnwritable(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   []string
	}{
		{"picture in a missing folder", []string{"-o", "missing/a.png"}, 1, []string{"cannot write missing/a.png", "no such file"}},
		{"trace in a missing folder", []string{"--trace", "missing/t.safetensors"}, 1, []string{"cannot write missing/t.safetensors", "no such file"}},
		{"folder in a missing folder", []string{"-o", "missing/deep"}, 1, []string{"cannot write missing/deep", "no such file"}},
		{"picture under a file", []string{"-o", "file/a.png"}, 1, []string{"cannot write file/a.png", "not a directory"}},
		{"trace is a folder", []string{"--trace", "folder"}, 1, []string{"cannot write folder", "it is a folder"}},
		{"folder is a file", []string{"-o", "file"}, 2, []string{"output file is a file", "or a folder"}},
		{"device", []string{"-o", "/dev/null"}, 2, []string{"output /dev/null is a file", "or a folder"}},
		{"name too long", []string{"-o", fmt.Sprintf("%0300d.png", 1)}, 1, []string{"cannot write 000", "name too long"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.write("file", "")
			p.write("folder/kept", "")
			p.run(append([]string{"run"}, c.args...)...).fails(t, c.status, c.want...)
			p.holds("file", "folder/kept")
		})
	}
}

// onSmallDisk runs a command in the place's working folder, on a file system of a
// few bytes that only the command sees; then its output lists what is left.
func (p *place) onSmallDisk(size string, args ...string) outcome {
	p.t.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		p.t.Skip("needs a file system of its own: there is no unshare")
	}
	isolate := []string{unshare, "--mount"}
	if os.Geteuid() != 0 {
		isolate = append(isolate, "--user", "--map-root-user")
	}
	const script = `mount -t tmpfs -o size=$1 none "$2" || exit 99; cd "$2" && shift 2; "$@"; status=$?; find . -type f; exit $status`
	cmd := p.command()
	cmd.Path, cmd.Args = unshare, append(append(isolate, "/bin/sh", "-c", script, "sh", size, p.dir), args...)
	o := p.wait(cmd)
	if o.status == 99 || strings.HasPrefix(o.stderr, "unshare:") {
		p.t.Skipf("needs a file system of its own: %s", o.stderr)
	}
	return o
}

// TestFullDisk says which file there was no room for, and leaves nothing.
func TestFullDisk(t *testing.T) {
	for _, c := range []struct {
		name, size, output string
		args               []string
	}{
		{"picture", "16k", "a.png", []string{"-o", "a.png", "--steps", "2"}},
		{"animation", "64k", "a.apng", []string{"-o", "a.apng", "--steps", "5"}},
		{"folder", "64k", "steps", []string{"-o", "steps", "--steps", "5"}},
		{"trace", "64k", "t.safetensors", []string{"--trace", "t.safetensors", "--steps", "10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newPlace(t).onSmallDisk(c.size, append([]string{program, "run"}, c.args...)...)
			o.fails(t, 1, "cannot write "+c.output+": no space left on device")
		})
	}
}

// TestFullCache has no room to keep optimised graphs: it does without.
func TestFullCache(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "XDG_CACHE_HOME="+p.dir)
	p.onSmallDisk("4m", program, "run", "--steps", "1", "-o", filepath.Join(p.home, "a.png")).succeeds(t)
}

// TestKeepsWhatWasThere writes over a file whole or not at all.
func TestKeepsWhatWasThere(t *testing.T) {
	p := newPlace(t)
	p.model(p.path("model"))
	p.replace("model", "unet/model.onnx", []byte("damaged"))
	p.write("a.png", "old")
	p.run("run", "--model", "model", "-o", "a.png").fails(t, 1, "unet/model.onnx")
	if got := p.read("a.png"); string(got) != "old" {
		t.Errorf("a.png holds %q, want what was there", got)
	}
	p.run(append([]string{"run", "-o", "a.png"}, sampling()...)...).succeeds(t)
	decodePNG(t, p.read("a.png"))
}

// TestForms writes every form of output and reads each back.
func TestForms(t *testing.T) {
	m := newModel(t)
	path := m.to(m.begin(m.settings()), steps).Path()
	p := newPlace(t)
	for _, output := range []string{"a.png", "a.apng", "a.gif", "steps"} {
		p.run(append([]string{"run", "-o", output}, sampling()...)...).succeeds(t)
	}
	p.holds("a.apng", "a.gif", "a.png", "steps/step-001.png", "steps/step-002.png", "steps/step-003.png",
		"steps/step-004.png", "steps/step-005.png", "steps/step-006.png")

	frames := apngFrames(t, p.read("a.apng"))
	anim, err := gif.DecodeAll(bytes.NewReader(p.read("a.gif")))
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != steps || len(anim.Image) != steps || anim.LoopCount != 0 {
		t.Fatalf("%d frames in the APNG and %d in the GIF, which loops %d times; want %d and for ever", len(frames), len(anim.Image), anim.LoopCount, steps)
	}
	for k := 1; k <= steps; k++ {
		want, err := m.Picture(context.Background(), path[k])
		if err != nil {
			t.Fatal(err)
		}
		samePixels(t, frames[k-1], want)
		samePixels(t, decodePNG(t, p.read(fmt.Sprintf("steps/step-%03d.png", k))), want)
		if k == steps {
			samePixels(t, decodePNG(t, p.read("a.png")), want)
		}
		if size := anim.Image[k-1].Rect.Size(); size != want.Rect.Size() {
			t.Errorf("GIF frame %d has %v pixels, want %v", k, size, want.Rect.Size())
		}
	}
	for _, file := range []string{"a.png", "a.apng", "steps/step-001.png"} {
		says(t, parameters(t, p.read(file)), prompt+"\n", "Steps: 6,", "CFG scale: 3,", "Seed: 42,", "Size: 128x128,", "Model: emoji-128")
	}
}

// TestParameters writes prompts that need quoting or more than Latin-1.
func TestParameters(t *testing.T) {
	for name, text := range map[string]string{
		"Latin-1": "café à la crème",
		"beyond":  "ein Apfel 🍎, 赤いりんご, е́",
		"quotes":  `it's "red" \ $HOME` + "\ttab",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.run("run", "-p", text, "-n", text, "--steps", "1", "-s", "18446744073709551615", "--eta", "0.25", "-o", "a.png").succeeds(t)
			says(t, parameters(t, p.read("a.png")), text+"\nNegative prompt: "+text+"\nSteps: 1,", "Seed: 18446744073709551615,", "Eta: 0.25")
		})
	}
}

// TestTraceRepeats runs the same command twice.
func TestTraceRepeats(t *testing.T) {
	p := newPlace(t)
	for _, file := range []string{"first.safetensors", "second.safetensors"} {
		p.run(append([]string{"run", "--trace", file, "--eta", "1"}, sampling()...)...).succeeds(t)
	}
	if !bytes.Equal(p.read("first.safetensors"), p.read("second.safetensors")) {
		t.Error("two runs of the same command wrote different traces")
	}
	tr := readTrace(t, p.read("first.safetensors"))
	if tr.calls != steps || tr.settings.Prompt != prompt || tr.settings.Seed != seed || tr.settings.Eta != 1 {
		t.Errorf("the trace has %d calls under %+v", tr.calls, tr.settings)
	}
}

// TestGuidanceOff traces a run that has no unconditional output.
func TestGuidanceOff(t *testing.T) {
	p := newPlace(t)
	p.run("run", "--trace", "t.safetensors", "-g", "1", "--steps", "2").succeeds(t)
	if tr := readTrace(t, p.read("t.safetensors")); tr.calls != 2 {
		t.Errorf("the trace has %d calls, want 2", tr.calls)
	}
}

// TestJSON reads the summary.
func TestJSON(t *testing.T) {
	p := newPlace(t)
	o := p.run(append([]string{"run", "--json"}, sampling("-s", "4294967338")...)...).succeeds(t)
	if o.stderr != "" {
		t.Errorf("standard error %q, want none", o.stderr)
	}
	p.holds()
	var summary map[string]json.RawMessage
	if err := json.Unmarshal([]byte(o.stdout), &summary); err != nil {
		t.Fatalf("%v in %q", err, o.stdout)
	}
	for _, name := range []string{"model", "device", "sampler", "seed", "steps", "timesteps", "unet_calls",
		"library_ms", "load_ms", "encode_ms", "step_ms", "unet_ms", "decode_ms", "total_ms"} {
		if _, ok := summary[name]; !ok {
			t.Errorf("the summary has %q, want %s", slices.Sorted(maps.Keys(summary)), name)
		}
	}
	for name, want := range map[string]string{"model": `"emoji-128"`, "sampler": `"ddim"`, "seed": "4294967338", "steps": "6", "unet_calls": "6"} {
		if got := string(summary[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"timesteps", "step_ms", "unet_ms"} {
		var list []float64
		if err := json.Unmarshal(summary[name], &list); err != nil || len(list) != steps {
			t.Errorf("%s is %s, want %d numbers", name, summary[name], steps)
		}
	}
}

// TestFromPicture goes on from a picture: half of the steps are taken, the settings are
// in the file, and the picture decides what comes out.
func TestFromPicture(t *testing.T) {
	p := newPlace(t)
	p.run(append([]string{"run", "-o", "a.png"}, sampling()...)...).succeeds(t)
	from := func(output string, args ...string) map[string]json.RawMessage {
		o := p.run(append(append([]string{"run", "--json", "-o", output}, sampling()...), args...)...).succeeds(t)
		var summary map[string]json.RawMessage
		if err := json.Unmarshal([]byte(o.stdout), &summary); err != nil {
			t.Fatalf("%v in %q", err, o.stdout)
		}
		return summary
	}
	summary := from("b.png", "--init", "a.png", "--strength", "0.5")
	var timesteps []float64
	if err := json.Unmarshal(summary["timesteps"], &timesteps); err != nil || len(timesteps) != steps/2 {
		t.Errorf("timesteps are %s, want %d", summary["timesteps"], steps/2)
	}
	for name, want := range map[string]string{"steps": "6", "steps_done": "3", "unet_calls": "3"} {
		if got := string(summary[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	says(t, parameters(t, p.read("b.png")), "Denoising strength: 0.5")
	from("c.png", "--init", "b.png", "--strength", "0.5")
	for output, init := range map[string]string{"b.png": "a.png", "c.png": "b.png"} {
		says(t, parameters(t, p.read(output)), "Init image: "+p.path(init), fmt.Sprintf("Init image SHA-256: %x", sha256.Sum256(p.read(init))))
	}
	if bytes.Equal(p.read("b.png"), p.read("c.png")) {
		t.Error("another picture to start from makes no difference")
	}
	from("d.gif", "--init", "a.png", "--strength", "0.5")
	anim, err := gif.DecodeAll(bytes.NewReader(p.read("d.gif")))
	if err != nil || len(anim.Image) != steps/2 {
		t.Errorf("%d frames and error %v, want %d", len(anim.Image), err, steps/2)
	}
}

// TestVariationIsTold checks that a variation seed nobody gave can be had again.
func TestVariationIsTold(t *testing.T) {
	p := newPlace(t)
	o := p.run(append([]string{"run", "--variation-strength", "0.2", "-o", "a.png"}, sampling()...)...).succeeds(t)
	m := regexp.MustCompile(`seed 42 towards (\d+), 6 steps`).FindStringSubmatch(o.stderr)
	if m == nil {
		t.Fatalf("standard error %q, want the variation seed", o.stderr)
	}
	says(t, parameters(t, p.read("a.png")), "Variation seed: "+m[1]+", Variation seed strength: 0.2")
	p.run(append([]string{"run", "--variation-strength", "0.2", "--variation-seed", m[1], "-o", "b.png"}, sampling()...)...).succeeds(t)
	samePixels(t, decodePNG(t, p.read("a.png")), decodePNG(t, p.read("b.png")))
}

// TestStandardOutputFull tells when a summary could not be written.
func TestStandardOutputFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("needs a device that is always full: %v", err)
	}
	defer func() { _ = full.Close() }() // nothing is in it
	for _, args := range [][]string{{"run", "--json", "--steps", "1", "-o", "a.png"}, {"version"}, {"models"}, {"doctor"}} {
		t.Run(args[0], func(t *testing.T) {
			p := newPlace(t)
			cmd := p.command(args...)
			cmd.Stdout = full
			p.wait(cmd).fails(t, 1, "no space left on device")
			if args[0] == "run" {
				decodePNG(t, p.read("a.png")) // the picture was made
			}
		})
	}
}

// TestSamplerList asks for the samplers: each is there once, on a line with what it is.
func TestSamplerList(t *testing.T) {
	p := newPlace(t)
	out := p.run("run", "--sampler", "help").succeeds(t).stdout
	lines := strings.Split(strings.TrimSpace(out), "\n")
	all := samplers.Samplers()
	if len(lines) != len(all)+1 {
		t.Fatalf("%d lines, want a head and %d samplers:\n%s", len(lines), len(all), out)
	}
	for i, s := range all {
		if fields := strings.Fields(lines[i+1]); fields[0] != s.Name || !strings.HasSuffix(lines[i+1], s.Summary) {
			t.Errorf("line %q, want %s and %q", lines[i+1], s.Name, s.Summary)
		}
	}
}
