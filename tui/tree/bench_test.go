package tree

import (
	"fmt"
	"testing"

	"ldx/pipeline"
)

// BenchmarkView is a frame of a large tree: as it stands, and with a step more each.
func BenchmarkView(b *testing.B) {
	for name, build := range map[string]func(*grove){
		"branches-10000": func(g *grove) {
			g.advance(20)
			for i := range 9999 {
				parent, _ := g.run.Branch(i / 3)
				g.to(parent.ID, i%parent.Tip.Index())
				g.edit(func(s *pipeline.Settings) { s.Guidance = float64(i%900 + 5) })
				g.advance(g.run.Cursor() + 1)
			}
		},
		"nodes-1000": func(g *grove) {
			for i := range 50 {
				g.restart(uint64(i))
				g.advance(19)
			}
		},
	} {
		g := newGrove(b)
		build(g)
		s := State{Run: g.run, Breaks: []int{3}}
		b.Run(fmt.Sprintf("%s/still", name), func(b *testing.B) {
			m := &Model{}
			m.View(s, 100, 30, plain)
			for b.Loop() {
				m.View(s, 100, 30, plain)
			}
		})
		b.Run(fmt.Sprintf("%s/first", name), func(b *testing.B) {
			for b.Loop() {
				(&Model{}).View(s, 100, 30, plain)
			}
		})
	}
}
