package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// launchBytes is what an instruction costs beside its traffic: starting a
// kernel takes about as long as moving this many bytes.
const launchBytes = 64 << 10

// A group becomes one instruction.
type group struct {
	id      int
	kind    ir.Kind // KindElementwise: a Map
	root    int     // the node of the instruction's own op; -1 for a Map
	shape   []int   // of the iteration of its chain
	members []int   // root and elementwise nodes, ascending; not what is inlined
	anc     bits    // groups that must come before, and maybe some more
	code    *code
}

// A store is a member that the group writes to memory.
type store struct {
	node, reg int
}

// A code is what a group lowers to. Slots are inputs and, from
// len(graph.Inputs) on, nodes.
type code struct {
	pre         *emitter // of a Reduce
	reg         int
	post        *emitter // of a Map: its chain
	args        []ir.Operand
	batch       []int // of a MatMul
	m, n, k     int
	outer       []int
	inner       []int
	stores      []store
	slots, cost int
}

// operands calls f with all operands, those without memory too.
func (c *code) operands(f func(*ir.Operand)) {
	for i := range c.args {
		f(&c.args[i])
	}
	for _, e := range []*emitter{c.pre, c.post} {
		if e != nil {
			for i := range e.operands {
				f(&e.operands[i])
			}
		}
	}
}

// evals counts how often the group computes node i that is inlined.
func (c *code) evals(i int) int {
	n := 0
	for _, e := range []*emitter{c.pre, c.post} {
		if e != nil {
			for _, x := range e.evals {
				if x == i {
					n++
				}
			}
		}
	}
	return n
}

// emit lowers a group as things stand; nil where that cannot be said in one
// instruction within the limits.
func (p *planner) emit(g *group) *code {
	c := &code{}
	switch g.kind {
	case ir.KindReduction:
		p.emitReduce(g, c)
	case ir.KindMatMul:
		p.emitMatMul(g, c)
	case ir.KindGather, ir.KindScatter, ir.KindCustom:
		p.emitArgs(g, c)
	}
	chained := g.kind == ir.KindElementwise || g.kind == ir.KindReduction || g.kind == ir.KindMatMul
	if chained {
		c.post = newEmitter(p, g, g.shape)
	}
	for _, m := range g.members {
		if g.kind == ir.KindCustom && m == g.root || !p.stored(m) {
			continue
		}
		s := store{node: m}
		if chained {
			s.reg = c.post.value(m, c.post.start(p.nodes[m].Shape))
		}
		c.stores = append(c.stores, s)
	}
	if c.failed() || p.readsOwn(g, c) {
		return nil
	}
	p.measure(c)
	if l := p.opt.Limits.Operands; l > 0 && c.slots > l {
		return nil
	}
	return c
}

// readsOwn reports whether the group reads from memory what it stores: its
// prologue or its arguments need what its epilogue computes.
func (p *planner) readsOwn(g *group, c *code) bool {
	own := false
	k := len(p.graph.Inputs)
	c.operands(func(o *ir.Operand) {
		if o.Slot >= k && p.group[o.Slot-k] == g.id {
			own = true
		}
	})
	return own
}

func (c *code) failed() bool {
	for _, e := range []*emitter{c.pre, c.post} {
		if e != nil && (e.failed || len(e.chain) > maxSteps) {
			return true
		}
	}
	return false
}

func (p *planner) emitReduce(g *group, c *code) {
	n := &p.nodes[g.root]
	x := &p.nodes[n.In[0]]
	perm := make([]int, 0, len(x.Shape))
	for a := range x.Shape {
		if !slices.Contains(n.Ints, a) {
			perm = append(perm, a)
		}
	}
	outer := len(perm)
	perm = append(perm, n.Ints...)
	shape := make([]int, len(perm))
	for i, a := range perm {
		shape[i] = x.Shape[a]
	}
	c.outer, c.inner = shape[:outer:outer], shape[outer:]
	c.pre = newEmitter(p, nil, shape)
	var q *path
	if !slices.IsSorted(perm) {
		q = c.pre.push(&Node{Op: ir.OpPermute, Shape: shape, Ints: perm}, nil)
	}
	c.reg = c.pre.value(n.In[0], q)
}

// slot returns the code slot of a node that is in memory.
func (p *planner) slot(n int) int {
	if p.nodes[n].Op == ir.OpLoad {
		return p.nodes[n].K
	}
	return len(p.graph.Inputs) + n
}

// arg returns the operand that reads argument k of a node from memory.
func (p *planner) arg(n, k int) ir.Operand {
	w := &p.views[p.nodes[n].In[k]]
	return ir.Operand{Slot: p.slot(w.base), View: w.v.Clone()}
}

// emitMatMul sets the iteration of a matrix product, which depends on the
// views of A and B only: so the epilogue changes nothing in how the sums are
// taken.
func (p *planner) emitMatMul(g *group, c *code) {
	a, b := p.arg(g.root, 0), p.arg(g.root, 1)
	r := len(a.View.Shape)
	c.m, c.k, c.n = a.View.Shape[r-2], a.View.Shape[r-1], b.View.Shape[r-1]
	collapse([]*ir.View{&a.View, &b.View}, 0, r-2)
	// A batch that steps A as one more row does and leaves B alone is rows.
	if r = len(a.View.Shape); r == 3 {
		v, w := &a.View, &b.View
		if w.Strides[0] == 0 && (v.Strides[0] == v.Strides[1]*c.m || c.m == 1) {
			if c.m == 1 {
				v.Strides[1] = v.Strides[0]
			}
			c.m *= v.Shape[0]
			*v = ir.View{Offset: v.Offset, Shape: []int{c.m, c.k}, Strides: v.Strides[1:]}
			*w = ir.View{Offset: w.Offset, Shape: []int{c.k, c.n}, Strides: w.Strides[1:]}
		}
	}
	c.args = []ir.Operand{a, b}
	c.batch = slices.Clone(a.View.Shape[:len(a.View.Shape)-2])
	g.shape = append(slices.Clone(c.batch), c.m, c.n)
}

func (p *planner) emitArgs(g *group, c *code) {
	n := &p.nodes[g.root]
	for k, a := range n.In {
		if x := &p.nodes[a]; g.kind == ir.KindScatter && k == 0 && x.Op == ir.OpConst {
			c.args = append(c.args, ir.Operand{Slot: ir.NoSlot, View: ir.Contiguous(n.Shape)})
			continue
		}
		c.args = append(c.args, p.arg(g.root, k))
	}
}

// measure counts distinct slots and bytes moved.
func (p *planner) measure(c *code) {
	var seen []int
	c.operands(func(o *ir.Operand) {
		if o.Slot == ir.NoSlot {
			return
		}
		if !slices.Contains(seen, o.Slot) {
			seen = append(seen, o.Slot)
		}
		elems := 1
		for a, n := range o.View.Shape {
			if o.View.Strides[a] != 0 {
				elems *= n
			}
		}
		c.cost += elems * width(p.slotType(o.Slot))
	})
	c.slots = len(seen) + len(c.stores)
	for _, s := range c.stores {
		n := &p.nodes[s.node]
		c.cost += ir.Size(n.Shape) * width(n.DType)
	}
	if len(c.stores) > 0 {
		c.cost += launchBytes
	}
}

// width returns the bytes that moving an element counts for. A mask counts
// for more than it takes: devices without 8-bit types write it slowly, and
// what it is computed from is mostly kept anyway.
func width(d ir.DType) int {
	if d == ir.Bool {
		return 3
	}
	return d.Size()
}

func (p *planner) slotType(slot int) ir.DType {
	if k := len(p.graph.Inputs); slot >= k {
		return p.nodes[slot-k].DType
	}
	return p.graph.Inputs[slot].DType
}

// stored reports whether a member must be in memory: as an output, or because
// someone outside its group reads it or may yet.
func (p *planner) stored(m int) bool {
	if p.isOut[m] || p.nodes[m].Op == ir.OpPick {
		return true
	}
	return p.readOutside(m, p.group[m])
}

func (p *planner) readOutside(m, g int) bool {
	for _, u := range p.uses[m] {
		if p.inline[u] {
			if p.readOutside(u, g) {
				return true
			}
		} else if p.group[u] != g {
			return true
		}
	}
	return false
}

// readers appends the groups that read m, or compute it where it is inlined.
func (p *planner) readers(m int, l []int) []int {
	for _, u := range p.uses[m] {
		if p.inline[u] {
			l = p.readers(u, l)
		} else if !slices.Contains(l, p.group[u]) {
			l = append(l, p.group[u])
		}
	}
	return l
}
