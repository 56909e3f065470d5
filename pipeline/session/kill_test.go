package session

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ldx/internal/toy"
	"ldx/pipeline"
)

// Environment of the tests. A test binary with childVariable set is the program that
// gets killed: it writes a session there.
const (
	childVariable = "LDX_TEST_SESSION_CHILD"
	killsVariable = "LDX_SESSION_KILLS"
	defaultKills  = 40
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child goes on with a run, or begins it, until it is killed: steps and edits, each
// step's number on standard output once it is written.
func child(dir string) error {
	model := (&toy.Toy{}).Model()
	s, run, err := openOrCreate(dir, model)
	if err != nil {
		return err
	}
	s.SetBudget(2000)
	for n := 0; ; n++ {
		step, aim, err := nextStep(model, run, n)
		if err != nil {
			return err
		}
		run.Number(step)
		op := pipeline.Op{Do: pipeline.Take, Step: step, Aim: aim}
		if err := s.Append(op); err != nil {
			return err
		}
		fmt.Println(step.ID())
		for _, op := range []pipeline.Op{op, {Do: pipeline.Mark, To: step.ID()}, {Do: pipeline.Move, Aim: pipeline.Aim{Branch: aim.Branch}, To: step.Index()}} {
			if err := run.Apply(op); err != nil {
				return err
			}
			s.Queue(op)
		}
	}
}

func openOrCreate(dir string, model *pipeline.Model) (*Session, *pipeline.Run, error) {
	if _, err := Find(dir); err == nil {
		return Open(dir, model.Info(), testHeader())
	}
	s, err := Create(dir, testHeader())
	return s, pipeline.NewRun(), err
}

// nextStep begins, edits in the middle every third time, or goes on.
func nextStep(model *pipeline.Model, run *pipeline.Run, n int) (*pipeline.Step, pipeline.Aim, error) {
	ctx := context.Background()
	if run.Len() == 0 {
		step, err := model.Begin(ctx, model.Settings())
		return step, run.AimEdit(0), err
	}
	if n%3 == 2 || run.Tip().Done() {
		at := run.Path()[len(run.Path())/2]
		to := at.Settings
		to.Prompt = strconv.Itoa(n)
		step, err := model.Edit(ctx, at, to)
		return step, run.AimEdit(at.Index()), err
	}
	step, err := model.Advance(ctx, run.Tip())
	return step, run.AimOn(), err
}

// TestKilled kills a program that writes a session, at random moments, now and then
// while it goes on with one that was killed before. Every session opens, and no step
// that the program reported is missing.
func TestKilled(t *testing.T) {
	kills := defaultKills
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s is %q, want a number", killsVariable, text)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	dir, reported, none := "", map[int]bool{}, 0
	for n := range kills {
		if n%3 == 0 {
			dir, reported = filepath.Join(t.TempDir(), "killed"), map[int]bool{}
		}
		for _, id := range killedAt(t, dir, random) {
			reported[id] = true
		}
		if _, err := Find(dir); err != nil && len(reported) == 0 {
			none++ // killed before the session began
			continue
		}
		checkKilled(t, dir, reported)
	}
	if none > kills/2 {
		t.Errorf("%d of %d programs were killed before they had begun", none, kills)
	}
}

// killedAt starts the program, kills it after a random number of steps and a little
// more, and lists the steps that it reported.
func killedAt(t *testing.T, dir string, random *rand.Rand) (ids []int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait, extra := random.IntN(40), time.Duration(random.IntN(3000))*time.Microsecond
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, err := strconv.Atoi(lines.Text())
		if err != nil {
			break // the kill cut it off
		}
		ids = append(ids, id)
		if len(ids) == wait {
			time.AfterFunc(extra, func() { _ = cmd.Process.Kill() })
		}
		if wait == 0 && len(ids) == 1 {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("the program was not killed: %v %s", err, stderr.String())
	}
	return ids
}

// TestTwoProcesses opens a session that another process writes: refused with that one's
// number, until it is gone.
func TestTwoProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "one")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	_, _, err = Open(dir, toyModel().Info(), testHeader())
	if want := fmt.Sprintf("(process %d)", cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), want) && runtime.GOOS != "windows" {
		t.Errorf("error is %v, want one that names %s", err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it wrote meanwhile
	}
	_ = cmd.Wait() // it was killed
	s, _, err := Open(dir, toyModel().Info(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func checkKilled(t *testing.T, dir string, reported map[int]bool) {
	t.Helper()
	s, run, err := Open(dir, toyModel().Info(), testHeader())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for id := range reported {
		if run.Step(id) == nil {
			t.Errorf("step %d was reported and is missing", id)
		}
	}
	for id := range run.Len() {
		if step := run.Step(id); step == nil {
			t.Errorf("step %d of %d is missing", id, run.Len())
		} else if _, err := step.Tensors(); err != nil {
			t.Error(err)
		}
	}
	if most := len(reported) + 3; run.Len() > most {
		t.Errorf("%d steps, but %d were reported", run.Len(), len(reported))
	}
}
