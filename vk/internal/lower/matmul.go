package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

func (l *lowerer) lowerMatMul(m *ir.MatMul) {
	sums := computedAs(m.DType)
	size := sums.Size()
	wide := size == 8
	if sums != ir.F32 && sums != ir.F64 {
		unsupported("matmul of %v", m.DType)
	}
	batch := positions(m.Batch)
	total := positions(m.Batch, []int{m.M, m.N})
	if total == 0 {
		return
	}
	r := len(m.Batch)
	k := l.chooseMatMul(Product{
		Batch: batch, M: m.M, N: m.N, K: m.K, DType: sums,
		AlongK: along(m.A.View.Strides[r+1], m.A.View.Strides[r]), AlongN: along(m.B.View.Strides[r+1], m.B.View.Strides[r]),
	})
	c := l.dispatchOf(k.Module, wide)
	for _, x := range []struct {
		o          ir.Operand
		load, base string
	}{{m.A, "load_a", "a_base"}, {m.B, "load_b", "b_base"}} {
		f := c.fn(x.load)
		f.body.Return = splice.Const(0)
		if m.K > 0 {
			f.body.Return = f.load(l.mem(x.o.Slot), m.DType, param0)
		}
	}
	// The strides have fixed places: they are the block's first words.
	c.word(m.A.View.Strides[r], m.A.View.Strides[r+1], m.B.View.Strides[r], m.B.View.Strides[r+1])
	for _, x := range []struct {
		o    ir.Operand
		base string
	}{{m.A, "a_base"}, {m.B, "b_base"}} {
		f := c.fn(x.base)
		v := ir.View{Offset: x.o.View.Offset, Shape: m.Batch, Strides: x.o.View.Strides[:r]}
		sp := f.space(nil, []group{{param0, m.Batch}}, v)
		f.body.Return, _ = sp.index(v)
	}
	tilesN, perMatrix := ceilDiv(m.N, k.BN), ceilDiv(m.N, k.BN)*ceilDiv(m.M, k.BM)
	c.numbers(m.M, m.N, m.K, tilesN, perMatrix, perMatrix*batch)

	shape := slices.Concat(m.Batch, []int{m.M, m.N})
	f := c.fn("post")
	acc := splice.Param(4)
	if l.fusesEpilogue(m) {
		groups := []group{{param1, m.Batch}, {splice.Param(2), []int{m.M}}, {splice.Param(3), []int{m.N}}}
		sp := f.space(&param0, groups, views(m.PostOperands...)...)
		f.stores(m.Stores, f.chain(m.Post, m.PostOperands, sp, acc), param0, num(0))
		c.emit("", fold(perMatrix*batch), k.spec...)
		return
	}
	// The epilogue as a Map over the product.
	product := l.takeScratch(total * size)
	f.store(product, sums, param0, num(0), acc)
	c.emit("", fold(perMatrix*batch), k.spec...)
	c = l.dispatch("map", l.isWide(m))
	f = c.fn("element")
	sp := f.space(&param0, []group{{param0, shape}}, views(m.PostOperands...)...)
	acc = f.load(product, sums, param0)
	f.stores(m.Stores, f.chain(m.Post, m.PostOperands, sp, acc), param0, param1)
	c.emitMap(total, l.hasNarrow(m.Stores))
}

// fusesEpilogue: packed results need four neighbours in one invocation, which
// tiles do not give; 64-bit values need the other build; and the buffers must
// suffice.
func (l *lowerer) fusesEpilogue(m *ir.MatMul) bool {
	if l.hasNarrow(m.Stores) || l.isWide(m) != (m.DType == ir.F64) {
		return false
	}
	return l.buffers(m.Reads(), m.Stores) <= l.o.Buffers
}
