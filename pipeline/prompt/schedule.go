package prompt

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Prompt is a text with what changes in it from step to step.
type Prompt struct {
	text  string
	nodes []node
}

// A node is text[from:to], or a bracket of which one option counts at each step.
type node struct {
	from, to int
	options  [][]node // nil for text
	when     *when    // nil for options that take turns
}

// when is the last step of the first of two options.
type when struct {
	value float64
	share bool // of the steps
}

// step is the step that w means among steps.
func (w when) step(steps int) int {
	v := w.value
	if w.share {
		v *= float64(steps)
	}
	return int(math.Trunc(max(-1, min(v, float64(steps)))))
}

// Parse reads a prompt. Only what cannot be meant is an error: AND between prompts,
// a weight that is no number, brackets nested beyond reason.
func Parse(text string) (Prompt, error) {
	if err := check(text); err != nil {
		return Prompt{}, err
	}
	p := parser{text: text}
	nodes, err := p.parse()
	if err != nil {
		return Prompt{}, err
	}
	if p.failed {
		return Literal(text), nil
	}
	return Prompt{text: text, nodes: nodes}, nil
}

// Literal is a prompt that means what it says.
func Literal(text string) Prompt {
	return Prompt{text: text, nodes: []node{{to: len(text)}}}
}

// At is the text at a step, 1 to steps.
func (p Prompt) At(step, steps int) string {
	var b strings.Builder
	p.write(&b, p.nodes, step, steps)
	return b.String()
}

// Varies reports whether the text is not the same at all steps, whatever their
// number.
func (p Prompt) Varies() bool {
	return slices.ContainsFunc(p.nodes, func(n node) bool { return n.options != nil })
}

func (p Prompt) write(b *strings.Builder, nodes []node, step, steps int) {
	for _, n := range nodes {
		switch {
		case n.options == nil:
			b.WriteString(p.text[n.from:n.to])
		case n.when == nil:
			p.write(b, n.options[(step-1)%len(n.options)], step, steps)
		case step <= n.when.step(steps):
			p.write(b, n.options[0], step, steps)
		default:
			p.write(b, n.options[1], step, steps)
		}
	}
}

// A Span is a text and the last step that it is for.
type Span struct {
	Last int
	Text string
}

// Spans lists the texts over steps, each where it differs from the one before.
func (p Prompt) Spans(steps int) []Span {
	var spans []Span
	for step := 1; step <= steps; step++ {
		text := p.At(step, steps)
		if n := len(spans); n > 0 && spans[n-1].Text == text {
			spans[n-1].Last = step
			continue
		}
		spans = append(spans, Span{step, text})
	}
	return spans
}

// maxDepth bounds how deep brackets nest: 1.1 to that power is beyond float32.
const maxDepth = 512

var errDepth = fmt.Errorf("a prompt opens more than %d brackets inside one another, want fewer", maxDepth-1)

// A frame is a bracket that is open.
type frame struct {
	at         int      // where it stands
	parts      [][]node // between separators
	separators []int    // where those stand
}

// A parser keeps the brackets that are open in a stack, the prompt's own level as its
// first frame.
type parser struct {
	text   string
	stack  []frame
	failed bool // the grammar has no reading for the prompt
}

func (p *parser) parse() ([]node, error) {
	p.stack = []frame{{parts: make([][]node, 1)}}
	for i := 0; i < len(p.text); {
		n := 1
		switch p.text[i] {
		case '(', '[':
			p.stack = append(p.stack, frame{at: i, parts: make([][]node, 1)})
			if len(p.stack) > maxDepth {
				return nil, errDepth
			}
		case ')', ']':
			p.shut(i)
		case ':', '|':
			p.separate(i)
		default:
			n = p.plain(i)
			p.add(node{from: i, to: i + n})
		}
		i += n
	}
	p.flatten()
	return p.stack[0].parts[0], nil
}

// plain is the length of the text from i that has no meaning here. A backslash takes
// the character after it along.
func (p *parser) plain(i int) int {
	at := i
	for at < len(p.text) && strings.IndexByte("()[]:|", p.text[at]) < 0 {
		if p.text[at] == '\\' {
			at++
			if at == len(p.text) || p.text[at] == '\n' {
				p.failed = true
				return at - i
			}
		}
		at++
	}
	return at - i
}

func (p *parser) top() *frame { return &p.stack[len(p.stack)-1] }

// add puts nodes behind those of the innermost bracket. Text that follows text is
// one node with it.
func (p *parser) add(nodes ...node) {
	part := &p.top().parts[len(p.top().parts)-1]
	for _, n := range nodes {
		if last := len(*part) - 1; last >= 0 && n.options == nil && (*part)[last].options == nil {
			(*part)[last].to = n.to
			continue
		}
		*part = append(*part, n)
	}
}

// separate begins the next part of the innermost bracket.
func (p *parser) separate(at int) {
	if len(p.stack) == 1 {
		p.failed = p.failed || p.text[at] == '|'
		p.add(node{from: at, to: at + 1})
		return
	}
	f := p.top()
	f.parts, f.separators = append(f.parts, nil), append(f.separators, at)
}

// shut ends the innermost bracket, if what stands at a place does and it makes sense;
// else no bracket that is open does.
func (p *parser) shut(at int) {
	if len(p.stack) > 1 {
		f := *p.top()
		if nodes, ok := p.bracket(f, at); ok {
			p.stack = p.stack[:len(p.stack)-1]
			p.add(nodes...)
			return
		}
	}
	p.flatten()
	p.add(node{from: at, to: at + 1})
}

// bracket is what a bracket stands for that ends at a place.
func (p *parser) bracket(f frame, end int) ([]node, bool) {
	n := len(f.separators)
	colons := n - p.bars(f)
	literal := func() []node { return append(f.literal(), node{from: end, to: end + 1}) }
	switch p.text[f.at:f.at+1] + p.text[end:end+1] {
	case "()":
		return literal(), n <= 1 && colons == n
	case "[]":
	default:
		return nil, false
	}
	switch {
	case n == 0:
		return literal(), true
	case colons == 0:
		return []node{{options: f.parts}}, true
	case colons > 2 || colons < n:
		return nil, false
	}
	at, ok := p.when(f.parts[n])
	options := f.parts[:n:n]
	if n == 1 {
		options = [][]node{nil, f.parts[0]}
	}
	return []node{{options: options, when: at}}, ok
}

// bars counts the separators of a bracket that are not colons.
func (p *parser) bars(f frame) (n int) {
	for _, at := range f.separators {
		if p.text[at] == '|' {
			n++
		}
	}
	return n
}

// literal is an open bracket as text, with what changes inside it.
func (f frame) literal() []node {
	at := f.at
	var nodes []node
	for i, part := range f.parts {
		nodes = append(nodes, node{from: at, to: at + 1})
		nodes = append(nodes, part...)
		if i < len(f.separators) {
			at = f.separators[i]
		}
	}
	return nodes
}

// flatten makes every bracket that is open text.
func (p *parser) flatten() {
	open := p.stack[1:]
	p.stack = p.stack[:1]
	for _, f := range open {
		p.failed = p.failed || p.bars(f) > 0
		p.add(f.literal()...)
	}
}

var number = regexp.MustCompile(`^[\s\p{Z}]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[\s\p{Z}]*$`)

// when reads the last part of a bracket as a step or a share.
func (p *parser) when(part []node) (*when, bool) {
	if len(part) != 1 || part[0].options != nil {
		return nil, false
	}
	m := number.FindStringSubmatch(p.text[part[0].from:part[0].to])
	if m == nil {
		return nil, false
	}
	v, _ := strconv.ParseFloat(m[1], 64) // infinite where it is out of range, which means never
	return &when{value: v, share: strings.Contains(m[1], ".")}, true
}
