package plan

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

// maxSteps bounds the length of a fused chain.
const maxSteps = 64

// A path is the movement between a value and the iteration of a chain: the
// node next to the value first. Paths of one emitter are equal exactly when
// their pointers are.
type path struct {
	mv   *Node
	next *path
	pad  bool // there is an OpPad in it
}

type pathKey struct {
	mv   *Node
	next *path
}

type valueKey struct {
	node int
	path *path
}

// An emitter writes one chain.
type emitter struct {
	p     *planner
	g     *group // whose members are registers of the chain; nil in a prologue
	shape []int  // of the iteration

	chain    ir.Chain
	operands []ir.Operand
	evals    []int // inlined nodes, once for each path they are computed through
	failed   bool

	paths map[pathKey]*path
	regs  map[valueKey]int
	flat  *Node // OpReshape to shape
}

func newEmitter(p *planner, g *group, shape []int) *emitter {
	return &emitter{p: p, g: g, shape: shape, paths: map[pathKey]*path{}, regs: map[valueKey]int{},
		flat: &Node{Op: ir.OpReshape, Shape: shape}}
}

func (e *emitter) push(mv *Node, next *path) *path {
	k := pathKey{mv, next}
	q, ok := e.paths[k]
	if !ok {
		q = &path{mv: mv, next: next, pad: mv.Op == ir.OpPad || next != nil && next.pad}
		e.paths[k] = q
	}
	return q
}

// start returns the path of a value of a shape whose elements are the
// iteration's positions in order.
func (e *emitter) start(shape []int) *path {
	if slices.Equal(shape, e.shape) {
		return nil
	}
	return e.push(e.flat, nil)
}

// replay returns the view of a packed array of shape through q.
func replay(shape []int, q *path) (v ir.View, fill uint64, ok bool) {
	v, ok = ir.Contiguous(shape), true
	for ; q != nil && ok; q = q.next {
		v, fill, ok = move(v, fill, q.mv)
	}
	return v, fill, ok
}

func (e *emitter) fail() int {
	e.failed = true
	return 0
}

// value returns the register with node n seen through q.
func (e *emitter) value(n int, q *path) int {
	k := valueKey{n, q}
	if r, ok := e.regs[k]; ok {
		return r
	}
	r := e.compute(n, q)
	e.regs[k] = r
	return r
}

func (e *emitter) compute(i int, q *path) int {
	n := &e.p.nodes[i]
	if e.failed || len(e.chain) > maxSteps {
		return e.fail()
	}
	switch n.Op {
	case ir.OpConst:
		if q != nil && q.pad {
			return e.fail()
		}
		return e.step(ir.Step{Op: ir.OpConst, DType: n.DType, Imm: n.Imm})
	case ir.OpScalar:
		if q != nil && q.pad {
			return e.fail()
		}
		return e.step(ir.Step{Op: ir.OpScalar, DType: n.DType, K: n.K})
	case ir.OpLoad:
		return e.load(n.K, n, q)
	case ir.OpIndex:
		v, _, ok := replay(n.Shape, q)
		if !ok || v.Masked() {
			return e.fail()
		}
		return e.step(ir.Step{Op: ir.OpIndex, DType: n.DType, K: e.operand(ir.Operand{Slot: ir.NoSlot, View: v})})
	}
	if n.Op.Info().Kind == ir.KindMovement {
		return e.value(n.In[0], e.push(n, q))
	}
	switch {
	case e.g != nil && e.p.group[i] == e.g.id:
		if q != nil {
			v, _, ok := replay(n.Shape, q)
			if !ok || !v.IsContiguous() || ir.Size(v.Shape) != ir.Size(n.Shape) {
				return e.fail()
			}
			if c := e.start(n.Shape); c != q {
				return e.value(i, c)
			}
		}
		if i == e.g.root {
			return e.step(ir.Step{Op: ir.OpAcc, DType: n.DType})
		}
		return e.apply(n, q)
	case e.p.inline[i]:
		if q != nil && q.pad {
			return e.fail()
		}
		e.evals = append(e.evals, i)
		return e.apply(n, q)
	}
	return e.load(len(e.p.graph.Inputs)+i, n, q)
}

// apply emits an elementwise node whose arguments are seen through q.
func (e *emitter) apply(n *Node, q *path) int {
	if n.Op == ir.OpCast && n.From == n.DType {
		return e.value(n.In[0], q)
	}
	args := make([]int, len(n.In))
	for k, a := range n.In {
		args[k] = e.value(a, q)
	}
	return e.step(ir.Step{Op: n.Op, DType: n.DType, From: n.From, Args: args})
}

// load emits a read of memory.
func (e *emitter) load(slot int, n *Node, q *path) int {
	v, fill, ok := replay(n.Shape, q)
	if !ok {
		return e.fail()
	}
	if !v.Masked() {
		fill = 0
	} else if _, _, any := v.Bounds(); !any {
		return e.step(ir.Step{Op: ir.OpConst, DType: n.DType, Imm: fill})
	}
	return e.step(ir.Step{Op: ir.OpLoad, DType: n.DType, K: e.operand(ir.Operand{Slot: slot, View: v, Fill: fill})})
}

// operand returns the number of an operand.
func (e *emitter) operand(o ir.Operand) int {
	if !slices.Equal(o.View.Shape, e.shape) {
		return e.fail()
	}
	for i := range e.operands {
		if x := &e.operands[i]; x.Slot == o.Slot && x.Fill == o.Fill && x.View.Equal(o.View) {
			return i
		}
	}
	e.operands = append(e.operands, o)
	return len(e.operands) - 1
}

// step returns the register of a step, the one there is if there is one.
func (e *emitter) step(s ir.Step) int {
	for i := range e.chain {
		x := &e.chain[i]
		if x.Op == s.Op && x.DType == s.DType && x.From == s.From && x.K == s.K && x.Imm == s.Imm && slices.Equal(x.Args, s.Args) {
			return i
		}
	}
	e.chain = append(e.chain, s)
	return len(e.chain) - 1
}
