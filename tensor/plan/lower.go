package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// lower writes the program of groups in order. Temporaries have no offsets
// yet.
func (p *planner) lower(groups []*group) *ir.Program {
	in, out := len(p.graph.Inputs), len(p.outs)
	l := &lowerer{p: p, slots: make([]int, len(p.nodes)), prog: &ir.Program{
		Slots: make([]ir.Slot, 0, in+out), Inputs: in, Outputs: out, Scalars: slices.Clone(p.graph.Scalars)}}
	for _, x := range p.graph.Inputs {
		l.slot(ir.Input, x.DType, x.Len)
	}
	for i := range l.slots {
		l.slots[i] = ir.NoSlot
	}
	for _, n := range p.outs {
		x := &p.nodes[n]
		l.slots[n] = l.slot(ir.Output, x.DType, ir.Size(x.Shape))
	}
	for _, g := range groups {
		if i := l.instr(g); i != nil {
			l.prog.Instrs = append(l.prog.Instrs, i)
		}
	}
	return l.prog
}

type lowerer struct {
	p     *planner
	prog  *ir.Program
	slots []int // by node
}

func (l *lowerer) slot(k ir.SlotKind, d ir.DType, n int) int {
	l.prog.Slots = append(l.prog.Slots, ir.Slot{Kind: k, DType: d, Len: n, Alias: ir.NoSlot})
	return len(l.prog.Slots) - 1
}

// temp returns the slot of a node, a new temporary where it has none.
func (l *lowerer) temp(n int) int {
	if l.slots[n] == ir.NoSlot {
		x := &l.p.nodes[n]
		l.slots[n] = l.slot(ir.Temp, x.DType, ir.Size(x.Shape))
	}
	return l.slots[n]
}

// instr returns the instruction of a group, nil where there is nothing to
// write.
func (l *lowerer) instr(g *group) ir.Instr {
	c := g.code
	in := len(l.p.graph.Inputs)
	c.operands(func(o *ir.Operand) {
		if o.Slot >= in {
			o.Slot = l.slots[o.Slot-in]
		}
	})
	n := &Node{}
	if g.root >= 0 {
		n = &l.p.nodes[g.root]
	}
	switch g.kind {
	case ir.KindGather:
		x, index := c.args[0], c.args[1]
		axis := collapseAround([]*ir.View{&x.View, &index.View}, n.Ints[0])
		return &ir.Gather{Shape: slices.Clone(index.View.Shape), Axis: axis, DType: n.DType, X: x, Index: index, Dst: l.temp(g.root), Name: n.Name}
	case ir.KindScatter:
		base, index, updates := c.args[0], c.args[1], c.args[2]
		axis := collapseAround([]*ir.View{&base.View, &index.View, &updates.View}, n.Ints[0])
		return &ir.ScatterAdd{Shape: slices.Clone(base.View.Shape), Axis: axis, DType: n.DType, Base: base, Index: index, Updates: updates, Dst: l.temp(g.root), Name: n.Name}
	case ir.KindCustom:
		return l.custom(g, n)
	}
	stores := make([]ir.Store, len(c.stores))
	for i, s := range c.stores {
		stores[i] = ir.Store{Slot: l.temp(s.node), Reg: s.reg}
	}
	dst := ir.Contiguous(g.shape) // what the stores step through
	views := []*ir.View{&dst}
	post := c.post.operands
	for i := range post {
		views = append(views, &post[i].View)
	}
	switch g.kind {
	case ir.KindReduction:
		inner := ir.Contiguous(slices.Concat(c.outer, c.inner))
		pre := []*ir.View{&inner}
		for i := range c.pre.operands {
			pre = append(pre, &c.pre.operands[i].View)
		}
		r := len(c.outer)
		collapse(pre, r, r+len(c.inner))
		r = collapse(append(views, pre...), 0, r)
		return &ir.Reduce{Outer: dst.Shape, Inner: slices.Clone(inner.Shape[r:]), Op: n.Op, DType: l.p.nodes[n.In[0]].DType,
			Operands: c.pre.operands, Pre: c.pre.chain, Reg: c.reg, PostOperands: post, Post: c.post.chain, Stores: stores}
	case ir.KindMatMul:
		return &ir.MatMul{Batch: c.batch, M: c.m, N: c.n, K: c.k, DType: n.DType, A: c.args[0], B: c.args[1],
			PostOperands: post, Post: c.post.chain, Stores: stores}
	}
	if ir.Size(g.shape) == 0 {
		return nil
	}
	collapse(views, 0, len(g.shape))
	return &ir.Map{Shape: dst.Shape, Operands: post, Chain: c.post.chain, Stores: stores}
}

// custom lowers a custom op; outputs that nobody picked get memory too.
func (l *lowerer) custom(g *group, n *Node) ir.Instr {
	c := &ir.Custom{Name: n.Name, Operands: g.code.args, Attrs: slices.Clone(n.Attrs), Dst: make([]int, len(n.Types))}
	for k := range c.Dst {
		c.Dst[k] = ir.NoSlot
	}
	for _, s := range g.code.stores {
		c.Dst[l.p.nodes[s.node].K] = l.temp(s.node)
	}
	for k, t := range n.Types {
		if c.Dst[k] == ir.NoSlot {
			c.Dst[k] = l.slot(ir.Temp, t.DType, ir.Size(t.Shape))
		}
	}
	return c
}

// collapseAround collapses the axes before and behind one axis, on which the
// views differ, and returns where it ends up.
func collapseAround(views []*ir.View, axis int) int {
	collapse(views, axis+1, len(views[0].Shape))
	return collapse(views, 0, axis)
}
