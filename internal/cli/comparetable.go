package cli

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"slices"
	"strconv"

	"ldx/pipeline"
	"ldx/pipeline/compare"
)

// table is what `ldx compare --json` prints, and --csv without the sums. Times are
// milliseconds.
type table struct {
	Model   string `json:"model"`
	Device  string `json:"device"`
	Seed    uint64 `json:"seed"`
	Planned int    `json:"calls_planned"`
	Made    int    `json:"calls_made"`
	Single  int    `json:"calls_of_single_runs"`
	Cells   []row  `json:"cells"`

	TotalMS float64 `json:"total_ms"`

	axes []compare.Axis
	kept map[int]outcome // of the runs that others are compared with
	done int             // cells
	lost error           // of a reference
	errs int             // cells that failed, refused ones not counted
}

// row is a cell. What there is no figure of is left out.
type row struct {
	Values  map[string]string `json:"values"`
	Done    bool              `json:"done"`
	Calls   int               `json:"calls"`
	Charged int               `json:"calls_charged"`
	MS      float64           `json:"ms"`
	PSNR    *figure           `json:"psnr_db,omitempty"`
	SSIM    *figure           `json:"ssim,omitempty"`
	RMSE    *figure           `json:"latent_rmse,omitempty"`
	Error   string            `json:"error,omitempty"`
	values  []string
	failed  bool // and was not refused
}

// figure is a number; what JSON has none for, such as the PSNR of equal pictures, is a
// string.
type figure float64

// MarshalJSON implements [json.Marshaler].
func (f figure) MarshalJSON() ([]byte, error) {
	if v := float64(f); !math.IsInf(v, 0) && !math.IsNaN(v) {
		return json.Marshal(v)
	}
	return json.Marshal(f.String())
}

func (f *figure) String() string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*f), 'g', 8, 64)
}

// outcome is a run's result with its picture.
type outcome struct {
	compare.Result
	picture *image.RGBA
	latent  []float32
}

func newTable(m *pipeline.Model, g *cells) *table {
	t := &table{
		Model: m.Info().Name, Device: m.Device(), Seed: g.base.Seed, Planned: g.plan.Calls(), Single: g.plan.Single(),
		axes: g.axes, kept: map[int]outcome{},
	}
	for i := range g.count() {
		r := row{Values: map[string]string{}, Calls: g.plan.CallsOf(i), values: g.values(i)}
		for k, v := range r.values {
			r.Values[g.axes[k].Key] = v
		}
		if err := g.plan.Err(i); err != nil {
			r.Error = err.Error()
		}
		t.Cells = append(t.Cells, r)
	}
	return t
}

// take notes what became of a run. Runs that others are compared with come first, and
// their pictures are kept.
func (t *table) take(g *cells, o outcome) error {
	if o.Err == nil && g.references != nil {
		held, err := o.End.Tensors()
		if err != nil {
			return err
		}
		o.latent = held.X0
		o.End = nil
		if slices.Contains(g.references, o.Run) {
			t.kept[o.Run] = o
		}
	}
	if o.Run >= g.count() {
		if o.Err != nil {
			t.lost = fmt.Errorf("%s: %w", g.name(o.Run), o.Err)
		}
		return nil
	}
	r := &t.Cells[o.Run]
	if o.Err != nil {
		if g.plan.Err(o.Run) == nil {
			t.errs++
			r.failed = true
		}
		r.Error = o.Err.Error()
		return nil
	}
	t.done++
	r.Done, r.Charged, r.MS = true, o.Charged, milliseconds(o.Took)
	if g.references != nil {
		if ref, ok := t.kept[g.references[o.Run]]; ok {
			r.against(o, ref)
		}
	}
	return nil
}

// against takes the figures that there are: pictures of two sizes have none.
func (r *row) against(o, ref outcome) {
	some := func(v float64, err error) *figure {
		if err != nil {
			return nil
		}
		f := figure(v)
		return &f
	}
	r.PSNR = some(compare.PSNR(o.picture, ref.picture))
	r.SSIM = some(compare.SSIM(o.picture, ref.picture))
	r.RMSE = some(compare.LatentRMSE(o.latent, ref.latent))
}

// failed says how many cells did.
func (t *table) failed() error {
	if t.errs == 0 {
		return t.lost
	}
	first := slices.IndexFunc(t.Cells, func(r row) bool { return r.failed })
	return errors.Join(fmt.Errorf("%d of %d cells failed, the first: %s", t.errs, len(t.Cells), t.Cells[first].Error), t.lost)
}

func (t *table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, a := range t.axes {
		head = append(head, a.Key)
	}
	lines := [][]string{append(head, "calls", "calls_charged", "ms", "psnr_db", "ssim", "latent_rmse", "error")}
	for _, r := range t.Cells {
		line := append([]string{}, r.values...)
		note := r.Error
		if note == "" && !r.Done {
			note = notDone
		}
		lines = append(lines, append(line, strconv.Itoa(r.Calls), strconv.Itoa(r.Charged), strconv.FormatFloat(r.MS, 'f', 3, 64),
			r.PSNR.String(), r.SSIM.String(), r.RMSE.String(), note))
	}
	return out.WriteAll(lines)
}

func (t *table) json(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(t)
}
