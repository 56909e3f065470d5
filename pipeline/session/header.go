package session

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"

	"ldx/pipeline"
)

// Version is the format that this package writes and reads.
const Version = 1

const format = "ldx session"

// Header says what a session is of, and on what it was computed. Steps that are
// computed again are the same bit for bit where all of it is the same.
type Header struct {
	Format  string            `json:"format"`
	Version int               `json:"version"`
	Model   string            `json:"model"`           // its name
	Where   string            `json:"where,omitempty"` // its folder, "" for the embedded one
	Files   []File            `json:"files"`
	Latent  pipeline.Geometry `json:"latent"`
	Device  string            `json:"device"` // in words
	Library string            `json:"library"`
	CPU     string            `json:"cpu"`
	Threads int               `json:"threads"`
	LDX     string            `json:"ldx"` // version
	Created time.Time         `json:"created"`
}

// File is one of a model's files. SHA256 is that of its first and its last MiB, one
// after the other, or of all of it where it has no more.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// NewHeader describes a session of a model that begins now. library and version are
// those of ONNX Runtime and of ldx; 0 threads is one a core.
func NewHeader(m *pipeline.Model, f pipeline.Folder, library, version string, threads int) (Header, error) {
	if threads == 0 {
		threads = runtime.NumCPU()
	}
	files, err := Fingerprint(f.FS)
	if err != nil {
		return Header{}, fmt.Errorf("model %s: %w", f.Name, err)
	}
	where := f.Dir
	if where != "" {
		if where, err = filepath.Abs(where); err != nil {
			return Header{}, fmt.Errorf("model %s: %w", f.Name, err)
		}
	}
	return Header{
		Model: m.Info().Name, Where: where, Files: files, Latent: m.Info().Latent,
		Device: m.Device(), Library: library, CPU: cpuName(), Threads: threads, LDX: version, Created: time.Now(),
	}, nil
}

// cpuName is the processor's, its architecture where the system does not tell.
func cpuName() string {
	all, err := cpu.Info()
	if err != nil || len(all) == 0 || all[0].ModelName == "" {
		return runtime.GOARCH
	}
	return all[0].ModelName
}

// end is how much of a large file is hashed at either end.
const end = 1 << 20

// Fingerprint lists the files of a model folder's parts: of folders with a graph, the
// tokenizer's and the scheduler's. It reads 2 MiB of each file at most, and nothing of
// what else lies in the folder.
func Fingerprint(fsys fs.FS) ([]File, error) {
	var files []File
	for _, pattern := range []string{"*/model.onnx", "tokenizer/vocab.json", "scheduler/scheduler_config.json"} {
		found, err := fs.Glob(fsys, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			part, err := fingerprints(fsys, path.Dir(name))
			if err != nil {
				return nil, err
			}
			files = append(files, part...)
		}
	}
	return files, nil
}

// fingerprints lists a part's files.
func fingerprints(fsys fs.FS, part string) ([]File, error) {
	entries, err := fs.ReadDir(fsys, part)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		f, err := fingerprint(fsys, path.Join(part, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func fingerprint(fsys fs.FS, name string) (f File, err error) {
	file, err := fsys.Open(name)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return f, err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(file, end)); err != nil {
		return f, err
	}
	if at, ok := file.(io.ReaderAt); ok && info.Size() > end {
		from := max(info.Size()-end, end)
		if _, err := io.Copy(hash, io.NewSectionReader(at, from, info.Size()-from)); err != nil {
			return f, err
		}
	}
	return File{name, info.Size(), hex.EncodeToString(hash.Sum(nil))}, nil
}

// bytes is the header as the first line has it.
func (h Header) bytes() ([]byte, error) {
	data, err := json.Marshal(h)
	return append(data, '\n'), err
}

// check reports a header that this package cannot go on with.
func (h Header) check() error {
	switch {
	case h.Format != format:
		return errors.New("not a session of ldx")
	case h.Version > Version:
		return fmt.Errorf("of version %d, this ldx reads %d: a newer ldx opens it", h.Version, Version)
	case h.Version < 1:
		return fmt.Errorf("of version %d, want 1 to %d", h.Version, Version)
	}
	return nil
}

// sameMachine reports whether steps computed under either are the same bit for bit.
func (h Header) sameMachine(o Header) bool {
	return h.CPU == o.CPU && h.Library == o.Library && h.Threads == o.Threads && h.Device == o.Device && slices.Equal(h.Files, o.Files)
}

// differences says how now is another machine or model than h, a phrase each.
func (h Header) differences(now Header) (all []string) {
	if name := differentFile(h.Files, now.Files); name != "" {
		all = append(all, "the model's "+name)
	}
	was := func(what, a, b string) {
		if a != b {
			all = append(all, fmt.Sprintf("%s (%s, now %s)", what, a, b))
		}
	}
	was("the CPU", h.CPU, now.CPU)
	was("the library", h.Library, now.Library)
	was("the threads", fmt.Sprint(h.Threads), fmt.Sprint(now.Threads))
	if h.Threads == now.Threads {
		was("the device", h.Device, now.Device)
	}
	return all
}

// differentFile is the first file that only one of two models has as it is.
func differentFile(a, b []File) string {
	for _, lists := range [][2][]File{{a, b}, {b, a}} {
		for _, f := range lists[0] {
			if !slices.Contains(lists[1], f) {
				return f.Name
			}
		}
	}
	return ""
}

// notice says in one sentence what differs between those that a session was computed
// on and now, "" for nothing.
func notice(before []Header, now Header) string {
	for _, h := range slices.Backward(before) {
		if all := h.differences(now); len(all) > 0 {
			return "what is computed again may differ from what is kept: another than the session's is " + strings.Join(all, ", ")
		}
	}
	return ""
}
