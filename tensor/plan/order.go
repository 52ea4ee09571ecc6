package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// order returns the groups that write something, each behind those it reads.
// Groups come in graph order, but for two things: a group that reads inputs
// only waits until it is needed, and one that frees as many temporaries as it
// makes runs as soon as it can.
func (p *planner) order() []*group {
	o := &orderer{p: p, deps: make([][]int, len(p.groups)), users: make([][]int, len(p.groups)),
		begun: make([]bool, len(p.groups)), done: make([]bool, len(p.groups)), reads: map[int]int{}}
	var live []*group
	for _, g := range p.groups {
		if len(g.code.stores) == 0 && g.kind != ir.KindCustom {
			continue
		}
		live = append(live, g)
		p.deps(g, func(d *group) { o.edge(d, g) })
		for _, s := range o.temps(g) {
			o.reads[s]++
		}
	}
	o.readersFirst(live)
	slices.SortStableFunc(live, func(a, b *group) int { return a.members[0] - b.members[0] })
	for _, g := range live {
		if len(o.deps[g.id]) > 0 || len(o.users[g.id]) == 0 {
			o.visit(g)
			o.eager()
		}
	}
	return o.out
}

type orderer struct {
	p     *planner
	deps  [][]int // by group: those that must come first
	users [][]int // by group: those that must come later
	begun []bool
	done  []bool      // is in out
	reads map[int]int // by temporary's slot: groups yet to read it
	out   []*group
	asked int // groups of out whose users eager looked at
}

func (o *orderer) edge(d, g *group) {
	if !slices.Contains(o.deps[g.id], d.id) {
		o.deps[g.id] = append(o.deps[g.id], d.id)
		o.users[d.id] = append(o.users[d.id], g.id)
	}
}

// temps returns the slots of nodes, no outputs, that g loads.
func (o *orderer) temps(g *group) []int {
	var l []int
	k := len(o.p.graph.Inputs)
	g.code.operands(func(x *ir.Operand) {
		if x.Slot >= k && !o.p.isOut[x.Slot-k] && !slices.Contains(l, x.Slot) {
			l = append(l, x.Slot)
		}
	})
	return l
}

// readersFirst puts the readers of a donated input before the group of the
// output that would take over its memory.
func (o *orderer) readersFirst(live []*group) {
	p := o.p
	readers := map[int][]*group{}
	for _, g := range live {
		g.code.operands(func(x *ir.Operand) {
			if x.Slot >= 0 && x.Slot < len(p.graph.Inputs) && p.graph.Inputs[x.Slot].Donated {
				if l := readers[x.Slot]; len(l) == 0 || l[len(l)-1] != g {
					readers[x.Slot] = append(l, g)
				}
			}
		})
	}
	for k, out := range p.graph.Outputs {
		if out.Prefer < 0 {
			continue
		}
		w := p.groups[p.group[p.outs[k]]]
		for _, r := range readers[out.Prefer] {
			if r == w || r.anc.has(w.id) {
				continue
			}
			o.edge(r, w)
			deps := slices.Clone(r.anc)
			deps.add(r.id)
			p.depend(w, deps)
		}
	}
}

// visit puts g out behind what it needs.
func (o *orderer) visit(g *group) {
	if o.begun[g.id] {
		return
	}
	o.begun[g.id] = true
	deps := o.deps[g.id]
	slices.SortFunc(deps, func(a, b int) int { return o.p.groups[a].members[0] - o.p.groups[b].members[0] })
	for _, d := range deps {
		o.visit(o.p.groups[d])
	}
	o.out = append(o.out, g)
	o.done[g.id] = true
	for _, s := range o.temps(g) {
		o.reads[s]--
	}
}

// eager puts out what has become ready and adds no temporaries.
func (o *orderer) eager() {
	for ; o.asked < len(o.out); o.asked++ {
		for _, u := range o.users[o.out[o.asked].id] {
			if x := o.p.groups[u]; !o.begun[u] && o.ready(x) && o.grows(x) <= 0 {
				o.visit(x)
			}
		}
	}
}

func (o *orderer) ready(g *group) bool {
	for _, d := range o.deps[g.id] {
		if !o.done[d] {
			return false
		}
	}
	return true
}

// grows returns how many bytes of temporaries running g adds.
func (o *orderer) grows(g *group) int {
	n := 0
	bytes := func(i int) int {
		x := &o.p.nodes[i]
		return ir.SlotBytes(x.DType, ir.Size(x.Shape))
	}
	for _, s := range g.code.stores {
		if !o.p.isOut[s.node] {
			n += bytes(s.node)
		}
	}
	for _, s := range o.temps(g) {
		if o.reads[s] == 1 {
			n -= bytes(s - len(o.p.graph.Inputs))
		}
	}
	return n
}
