package plan

import (
	"fmt"
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// fuse puts every node that is no source and no movement into a group.
//
// Forward, in graph order: an elementwise node joins the group of one of its
// arguments that has the same elements in the same order (a Map, or the
// epilogue of a Reduce or MatMul), where that makes no cycle. Then Maps that
// feed the chain of another group join that group. Then, backward, values
// that cost more to store than to compute where they are read are inlined
// there. Last, Maps over the same data become one.
func (p *planner) fuse() error {
	for i := range p.nodes {
		n := &p.nodes[i]
		kind := n.Op.Info().Kind
		switch {
		case kind == ir.KindSource || kind == ir.KindMovement:
			continue
		case n.Op == ir.OpPick:
			g := p.groups[p.group[n.In[0]]]
			g.members = append(g.members, i)
			p.group[i] = g.id
			if g.code = p.emit(g); g.code == nil {
				return p.refused(n)
			}
			continue
		case kind == ir.KindElementwise && !p.opt.NoFuse && p.join(i):
			continue
		}
		g := &group{id: len(p.groups), kind: kind, root: i, shape: n.Shape, members: []int{i}}
		if kind == ir.KindElementwise {
			g.root = -1
		}
		p.groups = append(p.groups, g)
		p.group[i] = g.id
		for _, a := range n.In {
			if d := p.groupOf(a); d >= 0 {
				g.anc.add(d)
				g.anc.or(p.groups[d].anc)
			}
		}
		if g.code = p.emit(g); g.code == nil {
			return p.refused(n)
		}
	}
	if !p.opt.NoFuse {
		p.mergeProducers()
		p.inlineAll()
		p.mergeSiblings()
	}
	return nil
}

func (p *planner) refused(n *Node) error {
	return fmt.Errorf("plan: %v%v %v needs more than %d operands: %w", n.DType, n.Shape, n.Op, p.opt.Limits.Operands, ir.ErrUnsupported)
}

// groupOf returns the group that stores what argument node a reads, or -1.
func (p *planner) groupOf(a int) int { return p.group[p.views[a].base] }

// join puts elementwise node i into the group of one of its arguments.
func (p *planner) join(i int) bool {
	n := &p.nodes[i]
	var cands []*group
	for _, a := range n.In {
		w := &p.views[a]
		d := p.group[w.base]
		if d < 0 || !w.flat(p.nodes) {
			continue
		}
		g := p.groups[d]
		if (g.kind == ir.KindElementwise || g.kind == ir.KindReduction || g.kind == ir.KindMatMul) && !slices.Contains(cands, g) {
			cands = append(cands, g)
		}
	}
	slices.SortFunc(cands, func(a, b *group) int {
		if am, bm := a.root < 0, b.root < 0; am != bm {
			if am {
				return 1
			}
			return -1
		}
		return b.id - a.id
	})
	for _, g := range cands {
		if p.joinGroup(i, g) {
			return true
		}
	}
	return false
}

func (p *planner) joinGroup(i int, g *group) bool {
	n := &p.nodes[i]
	var deps bits
	for _, a := range n.In {
		d := p.groupOf(a)
		if d < 0 || d == g.id {
			continue
		}
		if p.groups[d].anc.has(g.id) {
			return false
		}
		deps.add(d)
		deps.or(p.groups[d].anc)
	}
	shape, members := g.shape, g.members
	p.group[i] = g.id
	g.members = append(slices.Clip(members), i)
	c := p.emit(g)
	if c == nil && g.root < 0 && !slices.Equal(shape, n.Shape) {
		g.shape = n.Shape
		c = p.emit(g)
	}
	if c == nil {
		p.group[i], g.shape, g.members = -1, shape, members
		return false
	}
	g.code = c
	p.depend(g, deps)
	return true
}

// depend records that a set of groups comes before g.
func (p *planner) depend(g *group, deps bits) {
	g.anc.or(deps)
	for _, x := range p.groups {
		if x.anc.has(g.id) {
			x.anc.or(g.anc)
		}
	}
}

// deps calls f with the groups whose values g loads.
func (p *planner) deps(g *group, f func(d *group)) {
	g.code.operands(func(o *ir.Operand) {
		if k := len(p.graph.Inputs); o.Slot >= k {
			f(p.groups[p.group[o.Slot-k]])
		}
	})
}

// between reports whether g needs a group that needs h, h itself aside.
func (p *planner) between(h, g *group) bool {
	found := false
	p.deps(g, func(d *group) {
		if d != h && d.anc.has(h.id) {
			found = true
		}
	})
	return found
}

// merge moves the members of Map h into g, where that is one instruction,
// makes no cycle and costs less.
func (p *planner) merge(h, g *group) bool {
	if h == g || p.between(h, g) || p.between(g, h) {
		return false
	}
	shape, members := g.shape, g.members
	for _, m := range h.members {
		p.group[m] = g.id
	}
	g.members = slices.Concat(h.members, members)
	slices.Sort(g.members)
	c := p.emit(g)
	if c == nil && g.root < 0 && !slices.Equal(shape, h.shape) {
		g.shape = h.shape
		c = p.emit(g)
	}
	if c == nil || c.cost > g.code.cost+h.code.cost {
		g.shape, g.members = shape, members
		for _, m := range h.members {
			p.group[m] = h.id
		}
		return false
	}
	g.code, h.code, h.members = c, &code{}, nil
	for _, x := range p.groups {
		if x != g && x.anc.has(h.id) {
			x.anc.add(g.id)
			x.anc.or(g.anc)
		}
	}
	p.depend(g, h.anc)
	return true
}

// mergeProducers merges Maps into the groups whose chains read them.
func (p *planner) mergeProducers() {
	for _, h := range p.groups {
		if h.root >= 0 {
			continue
		}
		for _, s := range h.code.stores {
			merged := false
			for _, u := range p.uses[s.node] {
				g := p.groups[p.group[u]]
				if p.nodes[u].Op.IsElementwise() && p.sameSize(h, g) && p.merge(h, g) {
					merged = true
					break
				}
			}
			if merged {
				break
			}
		}
	}
}

func (p *planner) sameSize(a, b *group) bool { return ir.Size(a.shape) == ir.Size(b.shape) }

// mergeSiblings merges Maps that load the same value and wait for the same
// groups.
func (p *planner) mergeSiblings() {
	loads := map[int][]*group{} // by slot: Maps that load it
	for _, g := range p.groups {
		if g.root >= 0 || len(g.code.stores) == 0 {
			continue
		}
		for again := true; again; {
			again = false
			for i := range g.code.post.operands {
				s := g.code.post.operands[i].Slot
				if s == ir.NoSlot {
					continue
				}
				for _, h := range loads[s] {
					if len(h.members) > 0 && p.sameSize(g, h) && p.sameDeps(g, h) && p.merge(h, g) {
						again = true
						break
					}
				}
				if again {
					break
				}
			}
		}
		for i := range g.code.post.operands {
			if s := g.code.post.operands[i].Slot; s != ir.NoSlot && !slices.Contains(loads[s], g) {
				loads[s] = append(loads[s], g)
			}
		}
	}
}

func (p *planner) sameDeps(a, b *group) bool {
	var x, y bits
	p.deps(a, func(d *group) { x.add(d.id) })
	p.deps(b, func(d *group) { y.add(d.id) })
	return slices.Equal(x, y)
}
