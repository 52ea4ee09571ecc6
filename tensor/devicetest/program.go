package devicetest

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// testPrograms runs programs of several instructions whose temporaries share
// the arena.
func (s *suite) testPrograms(t *testing.T) {
	s.sub(t, "softmax", func(t *testing.T) {
		b := &builder{}
		s.softmaxLayer(b)
		s.check(t, b, tolerance{ulp: 0, abs: 2e-6})
	})
	s.sub(t, "families", s.families)
	s.sub(t, "neighbours", s.neighbours)
	s.sub(t, "ping-pong", func(t *testing.T) {
		// Sixty Maps, each reading the one before through a rotation.
		r := ref.Rand(1, "ping-pong")
		b := &builder{}
		const n = 257
		at := b.input(ref.Whole(r, ir.I32, n, -9, 9))
		for i := range 60 {
			var c chain
			x := c.load(ir.I32, at, contiguous(n))
			y := c.load(ir.I32, at, contiguous(n).Slice(0, n-1, -1, n))
			z := c.op(ir.OpAdd, c.op(ir.OpMul, x, c.constant(ir.I32, 3)), y)
			if i == 59 {
				c.output(b, n, z)
			} else {
				at = b.temp(ir.I32, n)
				c.store(at, z)
			}
			b.add(c.asMap(n))
		}
		s.check(t, b, exact)
	})
	s.sub(t, "nothing", func(t *testing.T) {
		s.check(t, &builder{}, exact)
		b := &builder{}
		b.input(ref.Uniform(ref.Rand(1, "nothing"), ir.F32, 5, 0, 1))
		s.check(t, b, exact)
	})
}

// softmaxLayer adds softmax(relu(x·w + bias)) with its steps in temporaries.
func (s *suite) softmaxLayer(b *builder) {
	r := ref.Rand(1, "softmax")
	const m, n, k = 37, 29, 45
	x, w, bias := b.input(ref.Uniform(r, ir.F32, m*k, -1, 1)), b.input(ref.Uniform(r, ir.F32, k*n, -1, 1)), b.input(ref.Uniform(r, ir.F32, n, -1, 1))
	h, top, e, sum := b.temp(ir.F32, m*n), b.temp(ir.F32, m), b.temp(ir.F32, m*n), b.temp(ir.F32, m)
	full, column := contiguous(m, n), contiguous(m, 1).Expand([]int{m, n})

	var post chain
	post.store(h, post.op(ir.OpRelu, post.op(ir.OpAdd, post.acc(ir.F32), post.load(ir.F32, bias, contiguous(1, n).Expand([]int{m, n})))))
	b.add(&ir.MatMul{M: m, N: n, K: k, DType: ir.F32, A: operand(x, contiguous(m, k)), B: operand(w, contiguous(k, n)), PostOperands: post.ops, Post: post.steps, Stores: post.stores})

	rows := func(op ir.Op, from, to int) {
		var pre, post chain
		reg := pre.load(ir.F32, from, full)
		post.store(to, post.acc(ir.F32))
		b.add(&ir.Reduce{Outer: []int{m}, Inner: []int{n}, Op: op, DType: ir.F32, Operands: pre.ops, Pre: pre.steps, Reg: reg, Post: post.steps, Stores: post.stores})
	}
	rows(ir.OpMax, h, top)
	var c chain
	c.store(e, c.op(ir.OpExp, c.op(ir.OpSub, c.load(ir.F32, h, full), c.load(ir.F32, top, column))))
	b.add(c.asMap(m, n))
	rows(ir.OpSum, e, sum)
	var q chain
	q.output(b, m*n, q.op(ir.OpDiv, q.load(ir.F32, e, full), q.load(ir.F32, sum, column)))
	b.add(q.asMap(m, n))
}

// families sends whole numbers through every family: rows of a table are
// gathered, scaled, multiplied, summed, and scattered back.
func (s *suite) families(t *testing.T) {
	r := ref.Rand(1, "families")
	b := &builder{}
	const vocab, words, width, out = 50, 130, 17, 23
	table, ids, w := b.input(ref.Whole(r, ir.F32, vocab*width, -3, 3)), b.input(ref.Whole(r, ir.I32, words, 0, vocab-1)), b.input(ref.Whole(r, ir.F32, width*out, -2, 2))
	rows, h, y, top := b.temp(ir.F32, words*width), b.temp(ir.F32, words*width), b.temp(ir.F32, words*out), b.temp(ir.I32, words)
	index := contiguous(words, 1).Expand([]int{words, width})
	b.add(&ir.Gather{Shape: []int{words, width}, DType: ir.F32, X: operand(table, contiguous(vocab, width)), Index: operand(ids, index), Dst: rows, Name: "gather"})
	var c chain
	c.store(h, c.op(ir.OpSub, c.op(ir.OpMul, c.load(ir.F32, rows, contiguous(words, width)), c.constant(ir.F32, 2)), c.constant(ir.F32, 1)))
	b.add(c.asMap(words, width))
	var post chain
	post.store(y, post.acc(ir.F32))
	b.add(&ir.MatMul{M: words, N: out, K: width, DType: ir.F32, A: operand(h, contiguous(words, width)), B: operand(w, contiguous(width, out)), Post: post.steps, Stores: post.stores})
	var pre, best chain
	reg := pre.load(ir.F32, y, contiguous(words, out))
	acc := best.acc(ir.I32)
	best.store(top, acc)
	best.output(b, words, acc)
	b.add(&ir.Reduce{Outer: []int{words}, Inner: []int{out}, Op: ir.OpArgMax, DType: ir.F32, Operands: pre.ops, Pre: pre.steps, Reg: reg, Post: best.steps, Stores: best.stores})
	b.add(&ir.ScatterAdd{
		Shape: []int{out, width}, DType: ir.F32, Base: ir.Operand{Slot: ir.NoSlot}, Index: operand(top, index),
		Updates: operand(h, contiguous(words, width)), Dst: b.output(ir.F32, out*width), Name: "scatter",
	})
	s.check(t, b, exact)
}

// neighbours fills temporaries of all dtypes and awkward sizes, which lie next
// to each other, and reads them back only after all are written.
func (s *suite) neighbours(t *testing.T) {
	b := &builder{}
	var temps []int
	n := func(i int) int { return 1 + i*7%31 }
	dtypes := s.dtypes(ir.Any)
	for i := range 3 * len(dtypes) {
		d := dtypes[i%len(dtypes)]
		temps = append(temps, b.temp(d, n(i)))
		var c chain
		c.store(temps[i], c.cast(d, c.op(ir.OpAdd, c.index(ir.I32, contiguous(n(i))), c.constant(ir.I32, float64(i)))))
		b.add(c.asMap(n(i)))
	}
	for i, x := range temps {
		d := dtypes[i%len(dtypes)]
		var c chain
		c.output(b, n(i), c.load(d, x, contiguous(n(i))))
		b.add(c.asMap(n(i)))
	}
	s.check(t, b, exact)
}
