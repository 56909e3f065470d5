package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ldx/pipeline"
)

// line is one line of session.jsonl after the first: an operation, or a machine that
// goes on with the session. A step has two lines where the screen shows it later than
// it is written: one with its record, as soon as there is one, and one that only names
// it, which says when and on which branch the run took it.
type line struct {
	pipeline.Op
	ID      *int             `json:"step,omitempty"` // of a step whose record is above
	Record  *pipeline.Record `json:"record,omitempty"`
	Draws   int              `json:"draws,omitempty"` // of noise, see samplers.State
	Tensors map[string]ref   `json:"tensors,omitempty"`
	Header  *Header          `json:"header,omitempty"`
}

// resumed is the verb of a line with the header of another machine that goes on.
const resumed pipeline.Verb = "resume"

// bytes is the line as it is written.
func (l line) bytes() ([]byte, error) {
	data, err := json.Marshal(l)
	return append(data, '\n'), err
}

// maxID bounds the numbers of steps, far from where they would overflow.
const maxID = 1 << 30

// parseLine reads a line and checks what can be checked without the others.
func parseLine(data []byte) (line, error) {
	var l line
	if err := decode(data, &l); err != nil {
		return l, err
	}
	known := []pipeline.Verb{pipeline.Take, pipeline.Move, pipeline.Fork, pipeline.Rename, pipeline.Delete, pipeline.Mark, pipeline.Undo, pipeline.Redo, resumed}
	switch {
	case !slices.Contains(known, l.Do):
		return l, fmt.Errorf("op is %q, want one of %q", l.Do, known)
	case l.Do == resumed && l.Header == nil:
		return l, errors.New("resume without a header")
	case l.Do == pipeline.Take && (l.Record == nil) == (l.ID == nil):
		return l, errors.New("step without a record or a number, or with both")
	case l.Do == pipeline.Take && l.Record != nil && (l.Record.ID < 0 || l.Record.ID > maxID):
		return l, fmt.Errorf("step %d, want 0 to %d", l.Record.ID, maxID)
	}
	return l, nil
}

// decode reads one JSON value. Its errors are one line.
func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return nil
}

// ref names a tensor by the step that had it first and by its name there.
type ref struct {
	step int
	name string
}

func (r ref) String() string { return strconv.Itoa(r.step) + ":" + r.name }

// MarshalText implements encoding.TextMarshaler.
func (r ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It takes nothing but what
// MarshalText writes.
func (r *ref) UnmarshalText(text []byte) error {
	step, name, _ := strings.Cut(string(text), ":")
	id, err := strconv.Atoi(step)
	*r = ref{id, name}
	if err != nil || id < 0 || id > maxID || !tensorName(name) || r.String() != string(text) {
		return fmt.Errorf("%q is no tensor of a step, want one such as 12:cond", text)
	}
	return nil
}
