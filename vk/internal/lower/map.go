package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

var (
	param0 = splice.Param(0)
	param1 = splice.Param(1)
)

func (l *lowerer) lowerMap(m *ir.Map) {
	if positions(m.Shape) == 0 {
		return
	}
	if l.lowerTurned(m) {
		return
	}
	c := l.dispatch("map", l.isWide(m))
	f := c.fn("element")
	sp := f.space(&param0, []group{{param0, m.Shape}}, views(m.Operands...)...)
	f.stores(m.Stores, f.chain(m.Chain, m.Operands, sp), param0, param1)
	c.emitMap(positions(m.Shape), l.hasNarrow(m.Stores))
}

// emitMap adds a dispatch of the map kernel over n positions.
func (c *dispatcher) emitMap(n int, narrow bool) {
	w := c.l.o.Workgroup
	groups := ceilDiv(n, 4*w)
	c.numbers(n, groups*w)
	spec := []uint32{uint32(w)}
	entries := []string{"spread", "sparse", "words"} // each the stand-in of the one before
	if !c.unrolls() {
		entries = entries[1:]
	}
	if narrow {
		entries = entries[len(entries)-1:]
	}
	for len(entries) > 1 && c.l.off(variant(c.d.Kernel.Module, entries[0], spec)) != "" {
		entries = entries[1:]
	}
	if entries[0] == "spread" {
		bodies := c.d.Kernel.Bodies
		bodies["four"] = four(bodies["element"])
		delete(bodies, "element")
	}
	c.emit(entries[0], fold(groups), spec...)
}

// unrolls reports whether an invocation has the chain four times in its code: a short
// one of cheap ops, for which a loop costs as much as the chain.
func (c *dispatcher) unrolls() bool {
	const most = 40
	calls := c.d.Kernel.Bodies["element"].Calls
	if c.wide || len(calls) > most {
		return false
	}
	for _, call := range calls {
		if f, ok := FindOp(call.Func); ok && !slices.Contains(cheap, f.Op) {
			return false
		}
	}
	return true
}

// cheap are the ops that take a few instructions.
var cheap = []ir.Op{
	ir.OpNeg, ir.OpAbs, ir.OpSquare, ir.OpRelu, ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpMaximum, ir.OpMinimum, ir.OpLess, ir.OpLessEqual,
	ir.OpEqual, ir.OpNotEqual, ir.OpNot, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpWhere, ir.OpCast,
}

// Gather: a Map whose chain computes where to load.
func (l *lowerer) lowerGather(g *ir.Gather) {
	l.checkIndices(g.Name, g.Index, g.X.View.Shape[g.Axis])
	if positions(g.Shape) == 0 {
		return
	}
	c := l.dispatch("map", l.isWide(g))
	c.gatherElement(c.fn("element"), g)
	c.emitMap(positions(g.Shape), narrow(g.DType))
}

// gatherElement splices a Gather's element at position p, the function's first
// parameter; the second is p mod 4.
func (c *dispatcher) gatherElement(f *fn, g *ir.Gather) {
	l := c.l
	x := flatAxis(g.X.View, g.Axis, g.Shape[g.Axis])
	sp := f.space(&param0, []group{{param0, g.Shape}}, g.Index.View, x)
	i := f.call("index_of", f.operand(sp, g.Index))
	var v splice.Arg
	if _, _, any := g.X.View.Bounds(); !any {
		v = splice.Const(regBits(g.DType, g.X.Fill))
		if positions(g.X.View.Shape) == 0 {
			v = splice.Const(0)
		}
	} else {
		// The mask of X's axis applies to the index.
		at, ok := sp.index(x)
		at = f.call("axis_add", at, i, num(c.word(g.X.View.Strides[g.Axis])))
		in := f.call("below", i, num(c.word(g.X.View.Shape[g.Axis])))
		both := in
		if partial(g.X.View, g.Axis) {
			lo, hi := g.X.View.Lo[g.Axis], g.X.View.Hi[g.Axis]
			was := num(1)
			if ok != nil {
				was = *ok
			}
			now := f.call("in_mask", was, i, num(c.word(lo, hi-lo)))
			ok = &now
		}
		if ok != nil {
			both = f.call("both", in, *ok)
		}
		v = f.load(l.mem(g.X.Slot), g.DType, f.call("index_or_0", both, at))
		if ok != nil {
			v = f.call("value_or", *ok, v, splice.Const(regBits(g.DType, g.X.Fill)))
		}
		v = f.call("value_or", in, v, splice.Const(0))
	}
	f.store(l.mem(g.Dst), g.DType, param0, param1, v)
}

// flatAxis gives the view an axis of size n along which it does not move.
func flatAxis(v ir.View, axis, n int) ir.View {
	v = v.Clone()
	v.Shape[axis], v.Strides[axis] = n, 0
	if v.Masked() {
		v.Lo[axis], v.Hi[axis] = 0, n
	}
	return v
}

// checkIndices emits the check that records the first index outside [0, size).
func (l *lowerer) checkIndices(name string, index ir.Operand, size int) {
	v := index.View.Clone()
	if !v.Masked() { // positions that read the same element come once
		for a := range v.Shape {
			if v.Strides[a] == 0 && v.Shape[a] > 1 {
				v.Shape[a] = 1
			}
		}
	}
	n := positions(v.Shape)
	if n == 0 {
		return
	}
	d := l.p.Slots[index.Slot].DType
	w := l.o.Workgroup
	check := Check{Name: name, DType: d}
	emit := func(entry string, groups int) {
		c := l.dispatch("indexcheck", d.Size() == 8)
		c.write(Mem{Status, 0, StatusBytes})
		f := c.fn("index_at")
		sp := f.space(&param0, []group{{param0, v.Shape}}, v)
		f.body.Return = f.operand(sp, ir.Operand{Slot: index.Slot, View: v, Fill: index.Fill})
		c.numbers(n, size, 0)
		check.Dispatch = append(check.Dispatch, len(l.plan.Dispatches))
		c.emit(entry, fold(groups), uint32(w))
	}
	if n <= 16*w {
		emit("once", 1)
	} else {
		emit("scan", ceilDiv(n, w))
		emit("note", 1)
	}
	l.plan.Checks = append(l.plan.Checks, check)
}

// StatusBytes is the size of the status record; see shaders/indexcheck.comp.
const StatusBytes = 32

func (l *lowerer) lowerCustom(k *ir.Custom) {
	d := Dispatch{Instr: l.instr, Custom: k}
	for _, o := range k.Operands {
		d.Reads = append(d.Reads, l.mem(o.Slot))
	}
	for _, s := range k.Dst {
		d.Writes = append(d.Writes, l.mem(s))
	}
	d.Bindings = slices.Concat(d.Reads, d.Writes)
	l.plan.Dispatches = append(l.plan.Dispatches, d)
}
