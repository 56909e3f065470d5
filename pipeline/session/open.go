package session

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"ldx/pipeline"
)

// maxLog bounds the size of session.jsonl, far above what anybody's patience makes.
const maxLog = 1 << 30

// Find is the folder of the session at a path: the folder itself, or a file in it.
func Find(path string) (string, error) {
	dir, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("session %s does not exist", path)
	}
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		dir = filepath.Dir(dir)
		if filepath.Base(dir) == tensorsName {
			dir = filepath.Dir(dir)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, logName)); err != nil {
		return "", fmt.Errorf("%s is no session: want a folder with %s, or a file in one", path, logName)
	}
	return dir, nil
}

// Open goes on with the session at path, a folder or a file in it, and gives the run as
// it stood. info is that of the model to go on with; now says what it is computed on
// from here, see [Session.Notice]. A last line that was not written to its end is cut
// off. The steps' numbers are read when they are asked for.
func Open(path string, info pipeline.Info, now Header) (*Session, *pipeline.Run, error) {
	dir, err := Find(path)
	if err != nil {
		return nil, nil, err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, nil, err
	}
	r, err := readLog(dir)
	if err == nil {
		err = r.suits(info)
	}
	var run *pipeline.Run
	s := &Session{store: newStore(dir), out: writer{disk: osDisk{}, dir: dir, lock: lock}}
	if err == nil {
		run, err = r.restore(s.store, pipeline.NewRestorer(info))
	}
	if err == nil {
		err = s.resume(r, now)
	}
	if err != nil {
		return nil, nil, errors.Join(err, lock.Close())
	}
	return s, run, nil
}

// Check reports why the session at path cannot be opened with a model, or not now. It
// changes nothing.
func Check(path string, info pipeline.Info) error {
	dir, err := Find(path)
	if err != nil {
		return err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return err
	}
	r, err := readLog(dir)
	if err == nil {
		err = r.suits(info)
	}
	if err == nil {
		_, err = r.restore(newStore(dir), pipeline.NewRestorer(info))
	}
	return errors.Join(err, lock.Close())
}

// resume makes the session one that can be written to.
func (s *Session) resume(r *reader, now Header) (err error) {
	s.header, s.notice = r.header, notice(r.machines(), now)
	s.out.log, err = s.out.disk.OpenLog(r.path)
	if err != nil {
		return err
	}
	s.out.end, s.out.torn = r.end, true
	s.store.disk = r.end + tensorBytes(s.store.dir)
	if machines := r.machines(); !machines[len(machines)-1].sameMachine(now) {
		s.pending = []line{{Op: pipeline.Op{Do: resumed}, Header: &now}}
	}
	s.start()
	return nil
}

// tensorBytes is the size of all tensor files.
func tensorBytes(dir string) (total int64) {
	entries, err := os.ReadDir(filepath.Join(dir, tensorsName))
	if err != nil {
		return 0 // each step says so when it is asked for
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			total += info.Size()
		}
	}
	return total
}

// reader is a session.jsonl that was read.
type reader struct {
	path   string
	header Header
	lines  []line
	end    int64 // of the last whole line
}

// readLog reads a session's log, all lines but a torn last one.
func readLog(dir string) (*reader, error) {
	r := &reader{path: filepath.Join(dir, logName)}
	info, err := os.Stat(r.path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxLog {
		return nil, fmt.Errorf("%s has %d bytes, want at most %d", r.path, info.Size(), maxLog)
	}
	data, err := os.ReadFile(r.path)
	if err != nil {
		return nil, err
	}
	return r, r.parse(data)
}

// parse reads the header and all whole lines.
func (r *reader) parse(data []byte) error {
	r.end = int64(bytes.LastIndexByte(data, '\n') + 1)
	if r.end == 0 {
		return fmt.Errorf("%s is empty: the session was never begun", r.path)
	}
	texts := bytes.Split(data[:r.end-1], []byte{'\n'})
	if err := r.readHeader(texts[0]); err != nil {
		return r.wrong(1, err)
	}
	return r.parseLines(texts[1:])
}

// parseLines reads the lines after the first, as many at once as there are processors:
// reading JSON is most of what opening a session takes.
func (r *reader) parseLines(texts [][]byte) error {
	r.lines = make([]line, len(texts))
	var group errgroup.Group
	share := len(texts)/runtime.GOMAXPROCS(0) + 1
	for from := 0; from < len(texts); from += share {
		group.Go(func() (err error) {
			for i := from; i < min(from+share, len(texts)); i++ {
				if r.lines[i], err = parseLine(texts[i]); err != nil {
					return r.wrong(i+2, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// readHeader reads the first line. A version that is not known yet may have anything
// else in it.
func (r *reader) readHeader(text []byte) error {
	var version struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := decode(text, &version); err != nil {
		return err
	}
	if err := (Header{Format: version.Format, Version: version.Version}).check(); err != nil {
		return err
	}
	return decode(text, &r.header)
}

// wrong is an error about a line.
func (r *reader) wrong(number int, err error) error {
	return fmt.Errorf("%s, line %d: %w", r.path, number, err)
}

// machines are those that the session was computed on, in turn.
func (r *reader) machines() []Header {
	all := []Header{r.header}
	for _, l := range r.lines {
		if l.Do == resumed {
			all = append(all, *l.Header)
		}
	}
	return all
}

// suits reports a model whose latents are of another kind than the session's.
func (r *reader) suits(info pipeline.Info) error {
	was, is := r.header.Latent, info.Latent
	if was.Channels == is.Channels && was.Factor == is.Factor {
		return nil
	}
	return fmt.Errorf("session %s is of model %s with latents of %d channels at 1/%d of a picture's size, but %s has %d at 1/%d",
		filepath.Dir(r.path), r.header.Model, was.Channels, was.Factor, info.Name, is.Channels, is.Factor)
}
