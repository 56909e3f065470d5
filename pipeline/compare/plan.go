package compare

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"ldx/pipeline"
)

// Plan is how a number of runs are computed together. It is run once.
type Plan struct {
	// Ways keeps the steps of a run until it is handed on, so that its end has a
	// [pipeline.Step.Path]. Without, only the steps that runs to come branch from are
	// kept, each with the one before it.
	Ways bool

	runs   []layout
	nodes  []*node
	groups []*group
	calls  int // denoiser calls of all runs together
	single int // of each on its own
}

// layout is one run: its nodes from the start to the end, or why there are none.
type layout struct {
	nodes []int
	calls int
	err   error
}

// node is a step that one or more runs pass through.
type node struct {
	parent   int               // the node before, -1 at the start
	need     pipeline.Need     // nothing at the end
	settings pipeline.Settings // of the first run that passes
	group    *group            // nil at the end
	users    int               // runs still to come
	pending  int               // nodes that follow and are not computed
	computed bool
	step     *pipeline.Step // nil before it is computed and when nobody needs it any more
}

// group is the nodes that one denoiser call serves.
type group struct {
	first   *node          // the one that it is made for; guided where any is
	pending int            // nodes that are not computed
	held    *pipeline.Step // of first, while others are pending
	err     error          // of the call that failed
}

// NewPlan lays out the runs under settings. A run that the model refuses has its error
// in [Plan.Err] and costs nothing.
func NewPlan(info pipeline.Info, settings []pipeline.Settings) *Plan {
	l := &layer{info: info, plan: &Plan{}, legs: map[pipeline.LegSpec]*leg{}, nodes: map[nodeKey]int{}, starts: map[startKey]string{}, inputs: map[string][]*node{}}
	for _, s := range settings {
		run, err := l.layOut(s)
		if err != nil {
			run = layout{err: err}
		}
		for _, n := range run.nodes {
			l.plan.nodes[n].users++
		}
		l.plan.single += run.calls
		l.plan.runs = append(l.plan.runs, run)
	}
	for _, in := range l.order {
		l.plan.serve(l.inputs[in])
	}
	return l.plan
}

// Err says why a run is refused, nil where it is not.
func (p *Plan) Err(run int) error { return p.runs[run].err }

// Calls is how many denoiser calls the runs take together; Single, how many one by one.
func (p *Plan) Calls() int { return p.calls }

// Single is how many denoiser calls the runs would take one by one.
func (p *Plan) Single() int { return p.single }

// CallsOf is how many denoiser calls a run takes on its own.
func (p *Plan) CallsOf(run int) int { return p.runs[run].calls }

// layer lays runs out.
type layer struct {
	info   pipeline.Info
	plan   *Plan
	legs   map[pipeline.LegSpec]*leg
	unique []*leg
	nodes  map[nodeKey]int
	starts map[startKey]string // inputs of the first calls
	inputs map[string][]*node  // nodes by what the denoiser is given there
	order  []string            // of inputs, as they came
}

// leg is a plan, under the name of the first of its equals.
type leg struct {
	*pipeline.Leg
	id int
}

// startKey is what the first latent depends on.
type startKey struct {
	leg           int
	seed          uint64
	rng           string
	width, height int
	origin        pipeline.Origin
}

type nodeKey struct {
	parent int
	start  startKey // only at the start
	need   pipeline.Need
	end    bool
}

func (l *layer) layOut(s pipeline.Settings) (layout, error) {
	if err := l.info.Check(s); err != nil {
		return layout{}, err
	}
	leg, err := l.leg(s)
	if err != nil {
		return layout{}, err
	}
	s = plain(s, leg)
	needs, err := l.info.Needs(s, leg.Leg)
	if err != nil {
		return layout{}, err
	}
	start := startKey{leg.id, s.Seed, string(s.RNG), s.Width, s.Height, s.Origin}
	input, err := l.firstInput(s, leg, start)
	if err != nil {
		return layout{}, err
	}
	run := layout{calls: len(needs)}
	key := nodeKey{parent: -1, start: start}
	for _, n := range needs {
		key.need = n
		id := l.node(key, s, input)
		run.nodes = append(run.nodes, id)
		key, input = nodeKey{parent: id}, fmt.Sprint("after ", id)
	}
	key.end = true
	run.nodes = append(run.nodes, l.node(key, s, ""))
	return run, nil
}

// node finds a node or makes it.
func (l *layer) node(key nodeKey, s pipeline.Settings, input string) int {
	id, ok := l.nodes[key]
	if ok {
		return id
	}
	id = len(l.plan.nodes)
	n := &node{parent: key.parent, need: key.need, settings: s}
	l.plan.nodes = append(l.plan.nodes, n)
	l.nodes[key] = id
	if key.parent >= 0 {
		l.plan.nodes[key.parent].pending++
	}
	if key.end {
		return id
	}
	if len(l.inputs[input]) == 0 {
		l.order = append(l.order, input)
	}
	l.inputs[input] = append(l.inputs[input], n)
	return id
}

// leg lays out a leg, or finds one that is laid out alike.
func (l *layer) leg(s pipeline.Settings) (*leg, error) {
	laid, err := l.info.Outset(s)
	if err != nil {
		return nil, err
	}
	if known, ok := l.legs[laid.LegSpec]; ok {
		return known, nil
	}
	for _, other := range l.unique {
		if other.Plan.Equal(laid.Plan) {
			l.legs[laid.LegSpec] = other
			return other, nil
		}
	}
	made := &leg{laid, len(l.unique)}
	l.unique = append(l.unique, made)
	l.legs[laid.LegSpec] = made
	return made, nil
}

// plain is s with the leg's own spelling of its plan, and without what has no effect, so
// that the pipeline takes one run's steps for another's.
func plain(s pipeline.Settings, l *leg) pipeline.Settings {
	s.Sampler, s.Sigmas, s.Spacing, s.Steps = l.Sampler, l.Sigmas, l.Spacing, l.Steps
	if s.VariationStrength == 0 {
		s.VariationSeed = 0
	}
	if s.Init == "" {
		s.InitSHA256, s.Strength = "", 0
	}
	return s
}

// firstInput names what the denoiser is given at the start. From noise that is computed,
// so that samplers of other scales share it just where no bit differs; from a picture,
// which takes the VAE, runs share it only under equal plans.
func (l *layer) firstInput(s pipeline.Settings, leg *leg, key startKey) (string, error) {
	if name, ok := l.starts[key]; ok {
		return name, nil
	}
	name := fmt.Sprint("start ", len(l.starts))
	if s.Init == "" {
		x, t, err := l.info.FirstInput(s, leg.Leg)
		if err != nil {
			return "", err
		}
		data := binary.LittleEndian.AppendUint32(nil, math.Float32bits(t))
		data = binary.LittleEndian.AppendUint64(data, uint64(s.Width))
		for _, v := range x {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		name = fmt.Sprintf("noise %x", sha256.Sum256(data))
	}
	l.starts[key] = name
	return name, nil
}

// serve groups the nodes of one input by the calls that serve them: one for each wording
// with guidance, and one for each without that none of those serves.
func (p *Plan) serve(nodes []*node) {
	var groups []*group
	for _, guided := range []bool{true, false} {
		for _, n := range nodes {
			if n.need.Guided == guided {
				groups = p.join(groups, n)
			}
		}
	}
	p.calls += len(groups)
	p.groups = append(p.groups, groups...)
}

func (p *Plan) join(groups []*group, n *node) []*group {
	for _, g := range groups {
		if n.need.ServedBy(g.first.need.Served) {
			n.group = g
			g.pending++
			return groups
		}
	}
	n.group = &group{first: n, pending: 1}
	return append(groups, n.group)
}
