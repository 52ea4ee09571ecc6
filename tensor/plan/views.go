package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// A view is what a movement node reads of its base, the nearest node below
// that is no movement.
type view struct {
	base int
	v    ir.View
	fill uint64 // of masked positions
}

// flat reports whether the view's elements are the base's, in order.
func (w *view) flat(nodes []Node) bool {
	return w.v.IsContiguous() && ir.Size(w.v.Shape) == ir.Size(nodes[w.base].Shape)
}

// move applies a movement node to a view; ok is false where that needs a copy.
func move(v ir.View, fill uint64, n *Node) (ir.View, uint64, bool) {
	switch n.Op {
	case ir.OpReshape:
		r, ok := v.Reshape(n.Shape)
		return r, fill, ok
	case ir.OpPermute:
		return v.Permute(n.Ints), fill, true
	case ir.OpExpand:
		return v.Expand(n.Shape), fill, true
	case ir.OpSlice:
		r := len(n.Shape)
		for a := range r {
			if n.Ints[a] != 0 || n.Ints[r+a] != 1 || n.Shape[a] != v.Shape[a] {
				v = v.Slice(a, n.Ints[a], n.Ints[r+a], n.Shape[a])
			}
		}
		if !v.Masked() {
			fill = 0
		}
		return v, fill, true
	case ir.OpPad:
		if v.Masked() && !sameBits(n.DType, fill, n.Imm) {
			return v, fill, false
		}
		r := len(n.Shape)
		for a := range r {
			if n.Ints[a] != 0 || n.Ints[r+a] != 0 {
				v = v.Pad(a, n.Ints[a], n.Ints[r+a])
			}
		}
		return v, n.Imm, true
	}
	panic("plan: " + n.Op.String() + " is no movement")
}

// A planner holds the graph between simplification and lowering.
type planner struct {
	opt   Options
	graph *Graph

	nodes []Node
	views []view  // of every node; of what is no movement: itself
	outs  []int   // node of each output, each of its own
	isOut []bool  // by node
	uses  [][]int // by base: the nodes that are no movement and read it, ascending

	group  []int  // by node: the group that stores it if anyone does, or -1
	inline []bool // by node: whoever reads it computes it
	groups []*group
}

// legalize takes over simplified nodes and puts copies where movement cannot
// be told by one view, where an instruction needs memory and gets none, and
// where an output is no value of an instruction.
func (p *planner) legalize(nodes []Node, outs []int) {
	l := &legalizer{p: p, to: make([]int, len(nodes)), copies: map[int]int{}}
	for i := range nodes {
		n := nodes[i]
		n.In = slices.Clone(n.In)
		for k, a := range n.In {
			n.In[k] = l.to[a]
		}
		switch n.Op.Info().Kind {
		case ir.KindMovement:
			l.to[i] = l.movement(n)
			continue
		case ir.KindMatMul, ir.KindGather:
			for k, a := range n.In {
				n.In[k] = l.memory(a, false)
			}
		case ir.KindScatter:
			for k, a := range n.In {
				if c := &p.nodes[a]; k > 0 || c.Op != ir.OpConst || c.Imm != 0 {
					n.In[k] = l.memory(a, false)
				}
			}
		case ir.KindCustom:
			if n.Op == ir.OpCustom {
				for k, a := range n.In {
					n.In[k] = l.memory(a, true)
				}
			}
		}
		l.to[i] = l.add(n)
	}
	taken := map[int]bool{}
	for _, o := range outs {
		n := l.to[o]
		if w := &p.views[n]; w.flat(p.nodes) {
			n = w.base
		}
		switch p.nodes[n].Op.Info().Kind {
		case ir.KindSource, ir.KindMovement:
			n = l.copy(n)
		default:
			if taken[n] {
				n = l.copy(n)
			}
		}
		taken[n] = true
		p.outs = append(p.outs, n)
	}
	p.finish()
}

// finish fills in what follows from the nodes.
func (p *planner) finish() {
	n := len(p.nodes)
	p.isOut, p.uses = make([]bool, n), make([][]int, n)
	p.group, p.inline = make([]int, n), make([]bool, n)
	for i := range p.group {
		p.group[i] = -1
	}
	for _, o := range p.outs {
		p.isOut[o] = true
	}
	for i := range p.nodes {
		if p.nodes[i].Op.Info().Kind == ir.KindMovement {
			continue
		}
		for _, a := range p.nodes[i].In {
			b := p.views[a].base
			if u := p.uses[b]; len(u) == 0 || u[len(u)-1] != i {
				p.uses[b] = append(u, i)
			}
		}
	}
}

type legalizer struct {
	p      *planner
	to     []int
	copies map[int]int
}

func (l *legalizer) add(n Node) int {
	id := len(l.p.nodes)
	l.p.nodes = append(l.p.nodes, n)
	l.p.views = append(l.p.views, view{base: id, v: ir.Contiguous(n.Shape)})
	return id
}

// copy adds a copy of a node.
func (l *legalizer) copy(a int) int {
	x := &l.p.nodes[a]
	return l.add(Node{Op: ir.OpCast, DType: x.DType, From: x.DType, Shape: x.Shape, In: []int{a}})
}

// shared returns a copy that others may read too.
func (l *legalizer) shared(a int) int {
	c, ok := l.copies[a]
	if !ok {
		c = l.copy(a)
		l.copies[a] = c
	}
	return c
}

// movement adds a movement node, over a copy where its view needs one.
func (l *legalizer) movement(n Node) int {
	w := l.p.views[n.In[0]]
	b := &l.p.nodes[w.base]
	v, fill, ok := move(w.v, w.fill, &n)
	if v.Masked() && b.Op.Info().Kind == ir.KindSource && b.Op != ir.OpLoad {
		ok = false
	}
	if !ok {
		c := l.shared(n.In[0])
		n.In = []int{c}
		w = l.p.views[c]
		v, fill, _ = move(w.v, 0, &n)
	}
	id := l.add(n)
	l.p.views[id] = view{base: w.base, v: v, fill: fill}
	return id
}

// memory returns a node with the value of a that instructions can read
// through a view without a mask; packed asks for a contiguous one.
func (l *legalizer) memory(a int, packed bool) int {
	w := &l.p.views[a]
	b := &l.p.nodes[w.base]
	source := b.Op.Info().Kind == ir.KindSource && b.Op != ir.OpLoad
	if source || w.v.Masked() || packed && !w.v.IsContiguous() {
		return l.shared(a)
	}
	return a
}
