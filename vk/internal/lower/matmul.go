package lower

import (
	"slices"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/vk/internal/splice"
)

// A tile is the shape of the matmul kernel; see shaders/matmul.comp.
type tile struct{ bm, bn, bk, tm, tn int }

func (t tile) threads() int { return t.bm / t.tm * (t.bn / t.tn) }

func (t tile) shared(size int) int { return t.bk * (t.bm + t.bn + 2) * size }

// chooseTile takes the largest tile that the device holds and that leaves
// enough workgroups; sums do not depend on it.
func (l *lowerer) chooseTile(m, n, batch, size int) tile {
	tiles := []tile{{64, 64, 16, 8, 4}, {32, 32, 16, 4, 4}, {16, 16, 16, 2, 2}, {8, 8, 8, 1, 1}}
	few := 256
	if l.o.Software {
		few = 8
	}
	for i, t := range tiles {
		last := i == len(tiles)-1
		if t.threads() > l.o.Workgroup || t.shared(size) > l.o.Shared {
			continue
		}
		if last || (m > t.bm/2 && n > t.bn/2 && (i > 0 || batch*ceilDiv(m, t.bm)*ceilDiv(n, t.bn) >= few)) {
			return t
		}
	}
	return tiles[len(tiles)-1]
}

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
	module := "matmul"
	if l.o.Subgroup8 && !wide {
		module = "matmul_sub8"
	}
	c := l.dispatch(module, wide)
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
	r := len(m.Batch)
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
	var spec []uint32
	var bm, bn int // what a workgroup computes
	if module == "matmul" {
		t := l.chooseTile(m.M, m.N, batch, size)
		bm, bn = t.bm, t.bn
		spec = []uint32{uint32(t.threads()), uint32(t.bm), uint32(t.bn), uint32(t.bk), uint32(t.tm), uint32(t.tn),
			along(m.A.View.Strides[r+1], m.A.View.Strides[r]), along(m.B.View.Strides[r+1], m.B.View.Strides[r])}
	} else {
		// Small products take a small kernel, which compiles faster.
		tm, tn := 4, 2
		if total*max(m.K, 1) > 1<<20 && m.M > 4 && m.N > 16 {
			tm, tn = 8, 4
		}
		bm, bn = tm, 8*tn
		spec = []uint32{8, uint32(tm), uint32(tn)}
	}
	tilesN, perMatrix := ceilDiv(m.N, bn), ceilDiv(m.N, bn)*ceilDiv(m.M, bm)
	c.numbers(m.M, m.N, m.K, tilesN, perMatrix, perMatrix*batch)

	shape := slices.Concat(m.Batch, []int{m.M, m.N})
	f := c.fn("post")
	acc := splice.Param(4)
	if l.fusesEpilogue(m) {
		groups := []group{{param1, m.Batch}, {splice.Param(2), []int{m.M}}, {splice.Param(3), []int{m.N}}}
		sp := f.space(&param0, groups, views(m.PostOperands...)...)
		f.stores(m.Stores, f.chain(m.Post, m.PostOperands, sp, acc), param0, num(0))
		c.emit("", fold(perMatrix*batch), spec...)
		return
	}
	// The epilogue as a Map over the product.
	product := l.takeScratch(total * size)
	f.store(product, sums, param0, num(0), acc)
	c.emit("", fold(perMatrix*batch), spec...)
	c = l.dispatch("map", l.isWide(m))
	f = c.fn("element")
	sp := f.space(&param0, []group{{param0, shape}}, views(m.PostOperands...)...)
	acc = f.load(product, sums, param0)
	f.stores(m.Stores, f.chain(m.Post, m.PostOperands, sp, acc), param0, param1)
	c.emitMap(total, l.hasNarrow(m.Stores))
}

// along tells how neighbours load a matrix: 1 along the inner axis, 0 along the
// outer, where only that is contiguous.
func along(inner, outer int) uint32 {
	if inner == 1 || outer != 1 {
		return 1
	}
	return 0
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
