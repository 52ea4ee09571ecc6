package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// scatterRows is ROWS of scatteradd.comp.
const scatterRows = 32

// A scatter is a ScatterAdd as its kernels see it: rows, the positions on the axis of
// the result, columns, those on all other axes, and J updates a column.
type scatter struct {
	*ir.ScatterAdd
	rows, columns, updates int
	inPlace                bool // the result has the memory of what is added to
}

func (l *lowerer) lowerScatterAdd(s *ir.ScatterAdd) {
	l.checkIndices(s.Name, s.Index, s.Shape[s.Axis])
	total := positions(s.Shape)
	if total == 0 {
		return
	}
	x := scatter{s, s.Shape[s.Axis], total / s.Shape[s.Axis], s.Index.View.Shape[s.Axis], false}
	x.inPlace = s.Base.Slot != ir.NoSlot && l.mem(s.Base.Slot) == l.mem(s.Dst) && s.Base.View.IsContiguous() && ir.Size(s.Base.View.Shape) == total
	wide := l.isWide(s)
	c := l.dispatch("scatteradd", wide)
	entry, groups, spec := l.scatterEntry(x, c.d.Kernel.Module)
	if entry == "walk" && !x.inPlace {
		l.copyBase(s, wide)
	}
	c.scatterBase(x)
	if entry == "compare" {
		c.scatterCompare(x)
	} else {
		c.scatterColumns(x)
	}
	f := c.fn("combine")
	f.body.Return = f.call(opName(ir.OpAdd, s.DType, ir.Invalid), param0, param1)
	f = c.fn("post")
	f.store(l.mem(s.Dst), s.DType, param0, param1, splice.Param(2))
	c.numbers(total, x.updates, x.rows, x.columns, int(b2u(!x.inPlace)), ceilDiv(x.columns, l.o.Workgroup))
	c.emit(entry, fold(groups), spec...)
}

// scatterEntry picks the function of scatteradd.comp, and says how many workgroups it
// takes.
func (l *lowerer) scatterEntry(x scatter, module string) (entry string, groups int, spec []uint32) {
	const few = 1 << 14 // comparisons that are no work
	total, w := x.rows*x.columns, l.o.Workgroup
	out := 1
	if narrow(x.DType) {
		out = 4
	}
	spec = []uint32{uint32(w), uint32(out)}
	on := func(entry string) bool { return l.off(variant(module, entry, spec)) == "" }
	shared := true // by all columns
	for a, stride := range x.Index.View.Strides {
		shared = shared && (a == x.Axis || stride == 0 || x.Index.View.Shape[a] == 1) && !partial(x.Index.View, a)
	}
	switch {
	case out > 1 || total*x.updates <= few:
	case shared && on("rows"):
		return "rows", ceilDiv(x.rows, scatterRows) * ceilDiv(x.columns, w), spec
	case x.columns >= 64 && x.updates >= 8 && on("walk"):
		return "walk", ceilDiv(x.columns, w), spec
	}
	return "compare", ceilDiv(total, out*w), spec
}

// copyBase fills the result with what is added to.
func (l *lowerer) copyBase(s *ir.ScatterAdd, wide bool) {
	c := l.dispatch("map", wide)
	f := c.fn("element")
	var v splice.Arg = splice.Const(0)
	if s.Base.Slot != ir.NoSlot {
		v = f.operand(f.space(&param0, []group{{param0, s.Shape}}, s.Base.View), s.Base)
	}
	f.store(l.mem(s.Dst), s.DType, param0, param1, v)
	c.emitMap(positions(s.Shape), narrow(s.DType))
}

// scatterBase splices what is added to at position i.
func (c *dispatcher) scatterBase(x scatter) {
	f := c.fn("base")
	f.body.Return = splice.Const(0)
	if x.Base.Slot != ir.NoSlot {
		f.body.Return = f.operand(f.space(&param0, []group{{param0, x.Shape}}, x.Base.View), x.Base)
	}
}

// scatterCompare splices match(i, j), whether update j is for element i, and
// update(i, j).
func (c *dispatcher) scatterCompare(x scatter) {
	whole, n := []group{{param0, x.Shape}}, x.rows
	coord := ir.View{Shape: x.Shape, Strides: make([]int, len(x.Shape))}
	coord.Strides[x.Axis] = 1
	f := c.fn("match")
	sp := f.space(nil, whole, flatAxis(x.Index.View, x.Axis, n), coord)
	q, _ := sp.index(coord)
	f.body.Return = f.call("same", f.call("index_of", f.alongAxis(sp, x.Index, flatAxis(x.Index.View, x.Axis, n), x.Axis)), q)
	f = c.fn("update")
	sp = f.space(nil, whole, flatAxis(x.Updates.View, x.Axis, n))
	f.body.Return = f.alongAxis(sp, x.Updates, flatAxis(x.Updates.View, x.Axis, n), x.Axis)
}

// scatterColumns splices row_of(c, j), the row that update j of column c is for,
// update(c, j), place(c, r), the position of a row in a column, and current(i).
func (c *dispatcher) scatterColumns(x scatter) {
	others := slices.Delete(slices.Clone(x.Shape), x.Axis, x.Axis+1)
	groups := []group{{param0, others}}
	f := c.fn("row_of")
	v := dropAxis(x.Index.View, x.Axis)
	f.body.Return = f.call("index_of", f.alongAxis(f.space(nil, groups, v), x.Index, v, x.Axis))
	f = c.fn("update")
	v = dropAxis(x.Updates.View, x.Axis)
	f.body.Return = f.alongAxis(f.space(nil, groups, v), x.Updates, v, x.Axis)

	inner := ir.Size(x.Shape[x.Axis+1:])
	f = c.fn("place")
	at := param0
	if x.columns > inner {
		multiplier, shift := magic(inner)
		a := f.call("axis_div", param0, num(c.word(multiplier, shift)))
		at = f.call("axis_add", param0, a, num(c.word((x.rows-1)*inner)))
	}
	f.body.Return = f.call("axis_add", at, param1, num(c.word(inner)))
	f = c.fn("current")
	f.body.Return = f.load(c.l.mem(x.Dst), x.DType, param0)
}

// alongAxis reads an operand at the space's position in v, which does not move along
// the axis, and at the function's second parameter on the axis.
func (f *fn) alongAxis(sp *space, o ir.Operand, v ir.View, axis int) splice.Arg {
	d := f.c.l.p.Slots[o.Slot].DType
	fill := splice.Const(regBits(d, o.Fill))
	if _, _, any := o.View.Bounds(); !any {
		return fill
	}
	at, ok := sp.index(v)
	at = f.call("axis_add", at, param1, num(f.c.word(o.View.Strides[axis])))
	if partial(o.View, axis) {
		lo, hi := o.View.Lo[axis], o.View.Hi[axis]
		was := num(1)
		if ok != nil {
			was = *ok
		}
		now := f.call("in_mask", was, param1, num(f.c.word(lo, hi-lo)))
		ok = &now
	}
	if ok == nil {
		return f.load(f.c.l.mem(o.Slot), d, at)
	}
	return f.call("value_or", *ok, f.load(f.c.l.mem(o.Slot), d, f.call("index_or_0", *ok, at)), fill)
}

// dropAxis is the view at position 0 of an axis, without it.
func dropAxis(v ir.View, axis int) ir.View {
	v = v.Clone()
	v.Shape, v.Strides = slices.Delete(v.Shape, axis, axis+1), slices.Delete(v.Strides, axis, axis+1)
	if v.Masked() {
		v.Lo, v.Hi = slices.Delete(v.Lo, axis, axis+1), slices.Delete(v.Hi, axis, axis+1)
	}
	return v
}
