package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ldx/internal/screentest"
	"ldx/pipeline/ort/library"
)

// place is a machine's corner for one test: a working folder, and homes for the
// program's state and models that nothing else uses.
type place struct {
	t     *testing.T
	dir   string   // working folder
	state string   // XDG_STATE_HOME
	data  string   // XDG_DATA_HOME
	home  string   // HOME
	env   []string // over everything else
}

func newPlace(t *testing.T) *place {
	t.Helper()
	root := t.TempDir()
	p := &place{t: t, dir: filepath.Join(root, "work"), state: filepath.Join(root, "state"), data: filepath.Join(root, "data"), home: filepath.Join(root, "home")}
	for _, dir := range []string{p.dir, p.state, p.data, p.home} {
		p.must(os.Mkdir(dir, 0o755))
	}
	p.env = []string{
		"HOME=" + p.home, "XDG_STATE_HOME=" + p.state, "XDG_DATA_HOME=" + p.data, "XDG_CONFIG_HOME=" + filepath.Join(p.home, "config"),
		"XDG_CACHE_HOME=" + filepath.Join(filepath.Dir(program), "cache"), // of all tests: it saves time
		"LDX_ORT_LIBRARY=" + libraryPath(t),
	}
	return p
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// libraryPath is the library that all tests run with.
func libraryPath(t *testing.T) string {
	t.Helper()
	location, err := library.Ensure(context.Background(), library.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return location.Path
}

// outcome is what a command without a screen did.
type outcome struct {
	status         int
	stdout, stderr string
}

// run runs ldx in the place, without a terminal.
func (p *place) run(args ...string) outcome {
	p.t.Helper()
	return p.wait(p.command(args...))
}

func (p *place) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 3*screentest.Timeout)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), p.env...)
	return cmd
}

func (p *place) wait(cmd *exec.Cmd) outcome {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return outcome{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

// fails holds an outcome against an exit status, one line of error that holds
// the given parts, and nothing on standard output.
func (o outcome) fails(t *testing.T, status int, parts ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d", o.status, status)
	}
	if o.stdout != "" {
		t.Errorf("standard output %q, want none", o.stdout)
	}
	line, rest, ended := strings.Cut(o.stderr, "\n")
	if !strings.HasPrefix(line, "ldx: ") || !ended || rest != "" {
		t.Errorf("standard error is %q, want one line that begins with ldx:", o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("the error is %q, want %q in it", line, part)
		}
	}
}

// succeeds stops the test unless the command did.
func (o outcome) succeeds(t *testing.T) outcome {
	t.Helper()
	if o.status != 0 {
		t.Fatalf("exit status %d, want 0: %s", o.status, o.stderr)
	}
	return o
}

// holds holds the files in the working folder, hidden ones too, against a list.
func (p *place) holds(want ...string) {
	p.t.Helper()
	if got := p.list(); fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("the working folder holds %q, want %q", got, want)
	}
}

// list lists the files in the working folder and its folders, in order.
func (p *place) list() (files []string) {
	p.t.Helper()
	p.must(fs.WalkDir(os.DirFS(p.dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	}))
	return files
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) read(name string) []byte {
	p.t.Helper()
	data, err := os.ReadFile(p.path(name))
	p.must(err)
	return data
}

func (p *place) write(name, content string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	p.must(os.WriteFile(p.path(name), []byte(content), 0o644))
}

// models is where the embedded model's files lie in the source tree.
const models = "../../assets/model"

// model makes a model folder at dir whose files are links to the embedded
// model's.
func (p *place) model(dir string) {
	p.t.Helper()
	from, err := filepath.Abs(models)
	p.must(err)
	p.must(fs.WalkDir(os.DirFS(from), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, path), 0o755)
		}
		return os.Symlink(filepath.Join(from, path), filepath.Join(dir, path))
	}))
}

// graph is a file of the embedded model.
func (p *place) graph(path string) []byte {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(models, filepath.FromSlash(path)))
	p.must(err)
	return data
}

// replace puts a file of another content in the place of a model's.
func (p *place) replace(model, file string, content []byte) {
	p.t.Helper()
	path := filepath.Join(p.path(model), filepath.FromSlash(file))
	p.must(os.Remove(path))
	p.must(os.WriteFile(path, content, 0o644))
}

// screen starts ldx in the place on a terminal.
func (p *place) screen(o screentest.Options, args ...string) *screentest.Screen {
	p.t.Helper()
	o.Cell = image.Pt(cell.X, cell.Y)
	o.Env = append(append([]string{"COLORTERM=truecolor"}, p.env...), o.Env...)
	// The shell becomes the program: a signal to the one reaches the other.
	args = append([]string{"-c", `cd "$0" && exec "$@"`, p.dir, program}, args...)
	return screentest.Start(p.t, o, "/bin/sh", args...)
}

// sampling are the flags that make every scenario's settings.
func sampling(more ...string) []string {
	return append([]string{"-p", prompt, "-s", fmt.Sprint(seed), "--steps", fmt.Sprint(steps), "-g", "3"}, more...)
}
