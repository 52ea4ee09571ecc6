package devicetest

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
)

func (g *generator) randomMap() {
	shape := g.shape(1500)
	var c chain
	stores := 1 + g.r.IntN(2)
	g.loads(&c, max(1, min(3, g.s.operands()-stores)), shape)
	g.steps(&c, 1+g.r.IntN(8))
	n := ir.Size(shape)
	slots := map[int]bool{}
	for _, o := range c.ops {
		slots[o.Slot] = o.Slot != ir.NoSlot
	}
	if len(slots)+stores > g.s.operands() {
		stores = 1
	}
	for i := range stores {
		reg := len(c.steps) - 1
		if i > 0 {
			reg = g.r.IntN(len(c.steps))
		}
		if to, ok := g.inPlace(&c, c.steps[reg].DType, n); ok {
			c.store(to, reg)
		} else {
			c.store(g.target(c.steps[reg].DType, n), reg)
		}
	}
	g.b.add(c.asMap(shape...))
}

// inPlace returns an output over an input that the chain reads, now and then
// where that may be.
func (g *generator) inPlace(c *chain, d ir.DType, n int) (int, bool) {
	for _, o := range c.ops {
		if o.Slot == ir.NoSlot || !slices.Contains(g.live, o.Slot) || g.r.IntN(3) > 0 {
			continue
		}
		s := g.slot(o.Slot)
		ok := s.Kind == ir.Input && s.Len == n && s.DType.Size() == d.Size()
		for _, p := range c.ops {
			ok = ok && (p.Slot != o.Slot || p.View.IsContiguous())
		}
		if ok {
			g.live = slices.DeleteFunc(g.live, func(i int) bool { return i == o.Slot })
			to := g.b.inPlace(d, n, o.Slot)
			g.live = append(g.live, to)
			g.read[to] = true
			return to, true
		}
	}
	return 0, false
}

func (g *generator) randomReduce() {
	outer, inner := g.shape(200), g.shape(300)
	if len(outer)+len(inner) > ir.MaxRank {
		inner = inner[:1]
	}
	var pre, post chain
	g.loads(&pre, max(1, min(2, g.s.operands()-2)), slices.Concat(outer, inner))
	g.steps(&pre, g.r.IntN(5))
	reg := len(pre.steps) - 1
	d := pre.steps[reg].DType
	op := one(g.r, ir.OpSum, ir.OpSum, ir.OpProd, ir.OpMax, ir.OpMin, ir.OpArgMax, ir.OpArgMin)
	switch {
	case d == ir.Bool:
		op = one(g.r, ir.OpAny, ir.OpAll)
	case d.IsFloat() && op == ir.OpProd:
		op = ir.OpMax
	case d.IsFloat() && op == ir.OpSum:
		reg = g.small(&pre, reg, d)
	}
	post.acc(op.ResultType(d))
	n := ir.Size(outer)
	if g.r.IntN(2) == 0 && g.s.operands() >= 4 && len(pre.ops) == 1 {
		g.loads(&post, 1, outer)
	}
	g.steps(&post, g.r.IntN(4))
	last := len(post.steps) - 1
	post.store(g.target(post.steps[last].DType, n), last)
	g.b.add(&ir.Reduce{
		Outer: outer, Inner: inner, Op: op, DType: d,
		Operands: pre.ops, Pre: pre.steps, Reg: reg, PostOperands: post.ops, Post: post.steps, Stores: post.stores,
	})
}

// wholes adds a Map that makes a temporary of n small whole numbers.
func (g *generator) wholes(d ir.DType, n int) int {
	var c chain
	x := g.pick(ir.Any)
	s := g.slot(x)
	y := g.small(&c, c.load(s.DType, x, g.view(s.Len, []int{n}, false)), d)
	if d == ir.BF16 {
		y = c.op(ir.OpMinimum, y, c.constant(d, 1))
	}
	to := g.b.temp(d, n)
	c.store(to, y)
	g.b.add(c.asMap(n))
	g.live = append(g.live, to)
	return to
}

func (g *generator) randomMatMul() {
	batch := g.shape(6)
	if len(batch) > 3 {
		batch = batch[:3]
	}
	dim := func() int { return one(g.r, 1, 2, 4, 7, 16, 33) }
	m, n, k := dim(), dim(), dim()
	d := g.dtype(ir.Floats)
	la, lb := 1+g.r.IntN(1000), 1+g.r.IntN(1000)
	a, b := g.wholes(d, la), g.wholes(d, lb)
	g.read[a], g.read[b] = true, true
	var post chain
	post.acc(d)
	shape := withBatch(batch, m, n)
	if g.r.IntN(2) == 0 && g.s.operands() >= 4 {
		g.loads(&post, 1, shape)
	}
	g.steps(&post, g.r.IntN(4))
	last := len(post.steps) - 1
	post.store(g.target(post.steps[last].DType, ir.Size(shape)), last)
	g.b.add(&ir.MatMul{
		Batch: batch, M: m, N: n, K: k, DType: d,
		A: operand(a, g.view(la, withBatch(batch, m, k), false)), B: operand(b, g.view(lb, withBatch(batch, k, n), false)),
		PostOperands: post.ops, Post: post.steps, Stores: post.stores,
	})
}

// indices adds a Map that makes a temporary of n indices below size.
func (g *generator) indices(n, size int) int {
	var c chain
	x := g.pick(ir.Any)
	s := g.slot(x)
	y := c.op(ir.OpRem, c.cast(ir.U32, c.load(s.DType, x, g.view(s.Len, []int{n}, false))), c.constant(ir.U32, float64(size)))
	d := one(g.r, ir.I32, ir.U32)
	to := g.b.temp(d, n)
	c.store(to, c.cast(d, y))
	g.b.add(c.asMap(n))
	g.read[to] = true
	return to
}

// axisShape returns a shape of rank at least 1, an axis, and a size for the
// other side of the axis.
func (g *generator) axisShape() (shape []int, axis, size int) {
	shape = g.shape(800)
	if len(shape) == 0 {
		shape = []int{1 + g.r.IntN(50)}
	}
	return shape, g.r.IntN(len(shape)), 1 + g.r.IntN(20)
}

func (g *generator) randomGather() {
	shape, axis, size := g.axisShape()
	x := g.pick(ir.Any)
	s := g.slot(x)
	from := slices.Clone(shape)
	from[axis] = size
	k := 1 + g.r.IntN(200)
	i := g.indices(k, size)
	g.b.add(&ir.Gather{
		Shape: shape, Axis: axis, DType: s.DType, X: operand(x, g.view(s.Len, from, false)),
		Index: operand(i, g.view(k, shape, false)), Dst: g.target(s.DType, ir.Size(shape)), Name: "gather",
	})
}

func (g *generator) randomScatter() {
	shape, axis, size := g.axisShape()
	d := g.dtype(ir.Numbers)
	n := 1 + g.r.IntN(500)
	u := g.wholes(d, n)
	g.read[u] = true
	to := slices.Clone(shape)
	to[axis] = size
	k := 1 + g.r.IntN(200)
	i := g.indices(k, size)
	base := ir.Operand{Slot: ir.NoSlot, View: contiguous(to...)}
	if g.r.IntN(2) == 0 && g.s.operands() >= 4 {
		m := 1 + g.r.IntN(300)
		x := g.wholes(d, m)
		g.read[x] = true
		base = operand(x, g.view(m, to, false))
	}
	g.b.add(&ir.ScatterAdd{
		Shape: to, Axis: axis, DType: d, Base: base, Index: operand(i, g.view(k, shape, false)),
		Updates: operand(u, g.view(n, shape, false)), Dst: g.target(d, ir.Size(to)), Name: "scatter",
	})
}
