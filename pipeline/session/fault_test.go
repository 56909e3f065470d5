package session

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"ldx/pipeline"
)

// fullDisk is a disk that has room for so many bytes more: what is beyond is written in
// part, as systems do.
type fullDisk struct {
	osDisk
	room atomic.Int64
}

func (d *fullDisk) WriteFile(path string, data []byte) error {
	if d.room.Add(-int64(len(data))) < 0 {
		return &os.PathError{Op: "write", Path: path, Err: syscall.ENOSPC}
	}
	return d.osDisk.WriteFile(path, data)
}

func (d *fullDisk) OpenLog(path string) (logFile, error) {
	f, err := d.osDisk.OpenLog(path)
	return fullLog{f, d}, err
}

type fullLog struct {
	logFile
	disk *fullDisk
}

func (f fullLog) WriteAt(data []byte, at int64) (int, error) {
	left := f.disk.room.Add(-int64(len(data))) + int64(len(data))
	if left < int64(len(data)) {
		n, _ := f.logFile.WriteAt(data[:max(left, 0)], at)
		return n, syscall.ENOSPC
	}
	return f.logFile.WriteAt(data, at)
}

// TestFullDisk lets the disk fill up after every few bytes more: nothing is lost in
// memory, trouble is told of, and once there is room all of it is written.
func TestFullDisk(t *testing.T) {
	for room := int64(0); room < 12000; room += 397 {
		disk := &fullDisk{}
		disk.room.Store(room)
		d := debug(t)
		d.session = create(filepath.Join(t.TempDir(), "s"), testHeader(), disk)
		d.session.SetBudget(0)
		var told []error
		var mu sync.Mutex
		d.session.OnTrouble(func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, err)
		})
		failed := false
		add := func(step *pipeline.Step, err error, to pipeline.Aim) {
			if err != nil {
				t.Fatal(err)
			}
			d.run.Number(step)
			op := pipeline.Op{Do: pipeline.Take, Step: step, Aim: to}
			if err := d.session.Append(op); err != nil {
				failed = true
				if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("error is %v, want that the disk is full", err)
				}
				if step.Held() == nil {
					t.Fatal("a step that is not written is not in memory either")
				}
			}
			if err := d.run.Apply(op); err != nil {
				t.Fatal(err)
			}
			d.session.Queue(op)
		}
		step, err := d.model.Begin(t.Context(), d.model.Settings())
		add(step, err, d.run.AimOn())
		for range 3 {
			step, err := d.model.Advance(t.Context(), d.run.Tip())
			add(step, err, d.run.AimOn())
		}
		disk.room.Store(1 << 30)
		if err := d.session.Append(pipeline.Op{Do: pipeline.Move, To: 1}); err != nil {
			t.Fatal(err)
		}
		if err := d.run.Apply(pipeline.Op{Do: pipeline.Move, To: 1}); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if failed && (len(told) < 2 || told[0] == nil || told[len(told)-1] != nil || d.session.Trouble() != nil) {
			t.Errorf("room for %d bytes: told of %v", room, told)
		}
		mu.Unlock()
		again := d.reopened()
		alike(t, again.run, d.run)
		again.close()
	}
}

// TestFolderGone takes the folder away: the session says so and keeps all in memory.
func TestFolderGone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder with open files cannot be removed here")
	}
	d := debug(t)
	d.begin(nil)
	if err := os.RemoveAll(d.session.Dir()); err != nil {
		t.Fatal(err)
	}
	step, err := d.model.Advance(t.Context(), d.run.Tip())
	if err != nil {
		t.Fatal(err)
	}
	d.run.Number(step)
	err = d.session.Append(pipeline.Op{Do: pipeline.Take, Step: step, Aim: d.run.AimOn()})
	if err == nil || !strings.Contains(err.Error(), d.session.Dir()) || step.Held() == nil {
		t.Errorf("error is %v, want one that names the folder", err)
	}
	if err := d.session.Close(); err == nil {
		t.Error("closed without an error")
	}
}

// TestUnwritableHome is a home that is a file: the run goes on unrecorded.
func TestUnwritableHome(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	d := debug(t)
	s, err := Create(filepath.Join(file, "one"), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	step, err := d.model.Begin(t.Context(), d.model.Settings())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(pipeline.Op{Do: pipeline.Take, Step: step}); err == nil || s.Trouble() == nil {
		t.Errorf("error is %v, want one", err)
	}
	if err := s.Close(); err == nil {
		t.Error("closed without an error")
	}
}
