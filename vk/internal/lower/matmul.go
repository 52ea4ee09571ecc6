package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

func (l *lowerer) lowerMatMul(m *ir.MatMul) {
	sums := computedAs(m.DType)
	wide := sums.Size() == 8
	if sums != ir.F32 && sums != ir.F64 {
		unsupported("matmul of %v", m.DType)
	}
	batch := positions(m.Batch)
	total := positions(m.Batch, []int{m.M, m.N})
	if total == 0 {
		return
	}
	if r := l.asReduce(m, sums); r != nil {
		l.lowerReduce(r)
		return
	}
	parts := l.parts(batch, m)
	positions(m.Batch, []int{m.M, m.N, parts})
	r := len(m.Batch)
	p := Product{
		Batch: batch, M: m.M, N: m.N, K: m.K, Parts: parts, DType: sums, Stored: m.DType,
		AlongK: along(m.A.View.Strides[r+1], m.A.View.Strides[r]), AlongN: along(m.B.View.Strides[r+1], m.B.View.Strides[r]),
	}
	p.RunA = runs(m.A.View, m.DType, r, p.AlongK)
	p.RunB = runs(m.B.View, m.DType, r, p.AlongN)
	fused, narrow := parts == 1 && l.fusesEpilogue(m), l.hasNarrow(m.Stores)
	p.Packed = fused && narrow && m.N%4 == 0
	k := l.chooseMatMul(p)
	fused = fused && (!narrow || p.Packed && k.Packs)
	c := l.dispatchOf(k.Module, wide)
	for _, x := range []struct {
		o    ir.Operand
		name string
		run  int
	}{{m.A, "a", p.RunA}, {m.B, "b", p.RunB}} {
		if k.Matrix.M > 0 {
			c.loadHalves(x.o, x.name, x.run == 8)
		} else {
			c.load(x.o, m.DType, x.name, x.run >= 4, m.K)
		}
	}
	if k.Matrix.Flexible > 0 {
		c.loadWhole(m.B, p.RunA == 8 && p.RunB == 8)
	}
	// Strides and parts have fixed places: they are the block's first words.
	depth := max(partDepth(m.K, parts), 1)
	c.word(m.A.View.Strides[r], m.A.View.Strides[r+1], m.B.View.Strides[r], m.B.View.Strides[r+1], parts, depth)
	for _, x := range []struct {
		o    ir.Operand
		base string
	}{{m.A, "a_base"}, {m.B, "b_base"}} {
		f := c.fn(x.base)
		v := ir.View{Offset: x.o.View.Offset, Shape: m.Batch, Strides: x.o.View.Strides[:r]}
		sp := f.space(nil, []group{{param0, m.Batch}}, v)
		f.body.Return, _ = sp.index(v)
	}
	rows, columns := ceilDiv(m.M, k.BM), ceilDiv(m.N, k.BN)
	groups := fold(rows * columns * batch * parts)
	panel := columns
	if k.Panel > 0 {
		panel = min(panel, k.Panel)
	}
	c.numbers(m.M, m.N, m.K, rows, rows*columns, rows*columns*batch*parts, columns, panel)

	f := c.fn("post")
	acc := splice.Param(4)
	c.fours = true
	if fused {
		axes := []group{{param1, m.Batch}, {splice.Param(2), []int{m.M}}, {splice.Param(3), []int{m.N}}}
		sp := f.space(&param0, axes, views(m.PostOperands...)...)
		f.stores(m.Stores, f.chain(m.Post, m.PostOperands, sp, acc), param0, f.call("fourth", param0))
		c.d.Kernel.Subgroup = k.Matrix.Subgroup
		c.emit("", groups, k.spec...)
		return
	}
	product := l.takeScratch(total * parts * sums.Size())
	f.store(product, sums, param0, num(0), acc)
	c.d.Kernel.Subgroup = k.Matrix.Subgroup
	c.emit("", groups, k.spec...)
	l.addParts(m, product, sums, parts)
}

// asReduce is a product with a vector as the sum that it is, for GPUs: tiles would be
// padding for the most part, and the reductions have workgroups for long sums. Nil
// where tiles are better.
func (l *lowerer) asReduce(m *ir.MatMul, sums ir.DType) *ir.Reduce {
	const short = 32
	if l.o.Software || min(m.M, m.N) != 1 || m.K < short || ir.Size(m.Batch)*m.M*m.N > maxPositions/m.K {
		return nil
	}
	r := len(m.Batch)
	outer := slices.Concat(m.Batch, []int{m.M, m.N})
	stretch := func(o ir.Operand, strides ...int) ir.Operand {
		o.View = ir.View{Offset: o.View.Offset, Shape: append(slices.Clone(outer), m.K), Strides: slices.Concat(o.View.Strides[:r], strides)}
		return o
	}
	a, b := m.A.View.Strides[r:], m.B.View.Strides[r:]
	pre := ir.Chain{{Op: ir.OpLoad, K: 0, DType: m.DType}, {Op: ir.OpLoad, K: 1, DType: m.DType}}
	x, y := 0, 1
	if sums != m.DType {
		x, y = 2, 3
		pre = append(pre, ir.Step{Op: ir.OpCast, DType: sums, From: m.DType, Args: []int{0}}, ir.Step{Op: ir.OpCast, DType: sums, From: m.DType, Args: []int{1}})
	}
	pre = append(pre, ir.Step{Op: ir.OpMul, DType: sums, From: sums, Args: []int{x, y}})
	return &ir.Reduce{
		Outer: outer, Inner: []int{m.K}, Op: ir.OpSum, DType: sums,
		Operands: []ir.Operand{stretch(m.A, a[0], 0, a[1]), stretch(m.B, 0, b[1], b[0])}, Pre: pre, Reg: len(pre) - 1,
		PostOperands: m.PostOperands, Post: m.Post, Stores: m.Stores,
	}
}

// addParts sums the parts of a product, of matrix b at (b·parts + s)·M·N, in their
// order, and runs the epilogue.
func (l *lowerer) addParts(m *ir.MatMul, product Mem, sums ir.DType, parts int) {
	shape := slices.Concat(m.Batch, []int{m.M, m.N})
	total := positions(shape)
	c := l.dispatch("map", l.isWide(m))
	f := c.fn("element")
	sp := f.space(&param0, []group{{param0, shape}}, views(m.PostOperands...)...)
	var acc splice.Arg
	if parts == 1 {
		acc = f.load(product, sums, param0)
	} else {
		matrix := m.M * m.N
		multiplier, shift := magic(matrix)
		b := f.call("axis_div", param0, num(c.word(multiplier, shift)))
		// p + b·(parts - 1)·matrix is the position in the first part.
		at := f.call("axis_add", param0, b, num(c.word((parts-1)*matrix)))
		next := num(c.word(matrix))
		for s := range parts {
			if s > 0 {
				at = f.call("axis_add", at, num(1), next)
			}
			v := f.load(product, sums, at)
			if s == 0 {
				acc = v
			} else {
				acc = f.call(opName(ir.OpAdd, sums, ir.Invalid), acc, v)
			}
		}
	}
	f.stores(m.Stores, f.chain(m.Post, m.PostOperands, sp, acc), param0, param1)
	c.emitMap(total, l.hasNarrow(m.Stores))
}

// load splices the loads of an operand: one element, and four where quad.
func (c *dispatcher) load(o ir.Operand, d ir.DType, name string, quad bool, k int) {
	f := c.fn("load_" + name)
	f.body.Return = splice.Const(0)
	if k > 0 {
		f.body.Return = f.load(c.l.mem(o.Slot), d, param0)
	}
	if c.wide || c.d.Kernel.Module != "matmul" {
		return
	}
	f = c.fn("load4_" + name)
	if !quad || k == 0 {
		f.body.Return = f.call("no_quad")
		return
	}
	buffer := digits(c.read(c.l.mem(o.Slot)))
	if d.Size() == 4 {
		f.body.Return = f.call("quad_"+buffer, param0)
		return
	}
	w := f.call("word_of_16", param0)
	f.body.Return = f.call("quad_"+d.String(), f.call("word_"+buffer, w), f.call("word_"+buffer, f.call("add", w, num(1))))
}

// along is true but where only the outer axis moves by single elements.
func along(inner, outer int) bool { return inner == 1 || outer != 1 }

// runs is how many elements of a matrix, behind r batch axes, can be read at a time
// along its last axis or the one before: they are neighbours, and every run of them
// begins at a multiple of its length.
func runs(v ir.View, d ir.DType, r int, last bool) int {
	most := map[int]int{4: 4, 2: 8}[d.Size()]
	for n := most; n >= 4; n /= 2 {
		if hasRuns(v, n, r, last) {
			return n
		}
	}
	return 1
}

func hasRuns(v ir.View, n, r int, last bool) bool {
	inner, outer := r, r+1
	if last {
		inner, outer = r+1, r
	}
	if v.Strides[inner] != 1 || v.Shape[inner]%n != 0 || v.Offset%n != 0 || v.Shape[outer] > 1 && v.Strides[outer]%n != 0 {
		return false
	}
	for a := range r {
		if v.Shape[a] > 1 && v.Strides[a]%n != 0 {
			return false
		}
	}
	return true
}

// parts is how many parts a product's sums are cut into: of a few long sums, so that
// a GPU has work for all its cores. It depends on shapes and the kind of device only.
func (l *lowerer) parts(batch int, m *ir.MatMul) int {
	const (
		tile   = 64
		long   = 2048
		enough = 128
		most   = 16
	)
	if l.o.Software || m.K < long {
		return 1
	}
	tiles := batch * ceilDiv(m.M, tile) * ceilDiv(m.N, tile)
	n := min(enough/tiles, m.K/(long/4), most)
	if n < 2 {
		return 1
	}
	return ceilDiv(m.K, partDepth(m.K, n))
}

// partDepth is the elements of K that each of n parts has, a multiple of 64.
func partDepth(k, n int) int {
	if n == 1 {
		return k
	}
	return ceilDiv(ceilDiv(k, n), 64) * 64
}

// fusesEpilogue: 64-bit values need the other build, and the buffers must suffice.
func (l *lowerer) fusesEpilogue(m *ir.MatMul) bool {
	if l.isWide(m) != (m.DType == ir.F64) {
		return false
	}
	return l.buffers(m.Reads(), m.Stores) <= l.o.Buffers
}
