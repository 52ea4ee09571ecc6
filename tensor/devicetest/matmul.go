package devicetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A layout makes the view of a matrix [batch… r c] over n elements.
type layout struct {
	name string
	view func(batch []int, r, c int) (v ir.View, n int)
}

func withBatch(batch []int, dims ...int) []int { return slices.Concat(batch, dims) }

// swapped is the permutation that swaps the last two of rank axes.
func swapped(rank int) []int {
	p := make([]int, rank)
	for a := range p {
		p[a] = a
	}
	p[rank-1], p[rank-2] = rank-2, rank-1
	return p
}

var layouts = []layout{
	{"plain", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(b, r, c)
		return contiguous(s...), ir.Size(s)
	}},
	{"transposed", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(b, c, r)
		return contiguous(s...).Permute(swapped(len(s))), ir.Size(s)
	}},
	{"window", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(b, r+2, c+3)
		a := len(b)
		return contiguous(s...).Slice(a, 1, 1, r).Slice(a+1, 2, 1, c), ir.Size(s)
	}},
	{"strided", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(b, 2*r, 3*c)
		a := len(b)
		return contiguous(s...).Slice(a, 0, 2, r).Slice(a+1, 0, 3, c), ir.Size(s)
	}},
	{"flipped", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(b, r, c)
		a := len(b)
		return contiguous(s...).Slice(a, r-1, -1, r).Slice(a+1, c-1, -1, c), ir.Size(s)
	}},
	{"batch repeated", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(make([]int, len(b)), r, c)
		for a := range b {
			s[a] = 1
		}
		return contiguous(s...).Expand(withBatch(b, r, c)), r * c
	}},
	{"row repeated", func(b []int, r, c int) (ir.View, int) {
		s := withBatch(b, 1, c)
		return contiguous(s...).Expand(withBatch(b, r, c)), ir.Size(s)
	}},
	{"batch last", func(b []int, r, c int) (ir.View, int) {
		n := ir.Size(b)
		v, ok := contiguous(r, c, n).Permute([]int{2, 0, 1}).Reshape(withBatch(b, r, c))
		if !ok {
			v, _ = contiguous(n, r, c).Reshape(withBatch(b, r, c))
		}
		return v, n * r * c
	}},
}

type mnk struct {
	batch   []int
	m, n, k int
}

// testMatMul multiplies whole numbers, which are exact in any order, in all
// shapes and layouts, and reals within a tolerance.
func (s *suite) testMatMul(t *testing.T) {
	for i, d := range s.dtypes(ir.Floats) {
		s.op(t, ir.OpMatMul, d, func(t *testing.T) {
			s.sub(t, "small", func(t *testing.T) {
				b := &builder{}
				for _, m := range []int{0, 1, 3, 17} {
					for _, n := range []int{0, 1, 3, 17} {
						for _, k := range []int{0, 1, 3, 17} {
							s.multiply(b, d, mnk{nil, m, n, k}, layouts[0], layouts[0], true)
						}
					}
				}
				s.check(t, b, exact)
			})
			s.sub(t, "shapes", func(t *testing.T) {
				b := &builder{}
				for _, c := range matmulShapes(i == 0 && !s.short) {
					s.multiply(b, d, c, layouts[0], layouts[0], true)
					s.multiply(b, d, c, layouts[1], layouts[0], true)
					s.multiply(b, d, c, layouts[0], layouts[1], true)
				}
				s.check(t, b, exact)
			})
			s.sub(t, "layouts", func(t *testing.T) {
				for _, la := range layouts {
					b := &builder{}
					for _, lb := range some(s, d, layouts) {
						s.multiply(b, d, mnk{nil, 19, 34, 21}, la, lb, true)
						s.multiply(b, d, mnk{[]int{2, 3}, 5, 9, 33}, la, lb, true)
					}
					s.check(t, b, exact)
				}
			})
			s.sub(t, "reals", func(t *testing.T) {
				for _, c := range []mnk{{nil, 33, 65, 257}, {nil, 1, 70, 1000}, {[]int{3}, 17, 16, 64}, {nil, 9, 1, 129}, {nil, 4, 4, 5000}} {
					b := &builder{}
					s.multiply(b, d, c, layouts[0], layouts[1], false)
					s.check(t, b, tolerance{ulp: rounding(d), abs: 2 * epsilon(d) * float64(c.k+8)})
				}
			})
			s.sub(t, "epilogue", func(t *testing.T) { s.matmulEpilogue(t, d) })
		})
	}
}

func matmulShapes(big bool) []mnk {
	l := []mnk{
		{nil, 65, 65, 65}, {nil, 1, 257, 65}, {nil, 257, 1, 65}, {nil, 65, 17, 257}, {nil, 1, 1, 1000}, {nil, 130, 129, 3},
		{nil, 64, 64, 64}, {nil, 128, 96, 32}, {[]int{1}, 16, 16, 16}, {[]int{5}, 17, 3, 9}, {[]int{2, 3}, 8, 12, 16},
		{[]int{70}, 1, 5, 8}, {[]int{0}, 3, 4, 5}, {[]int{2, 0, 2}, 3, 4, 5}, {[]int{1, 1, 1, 2, 1, 2}, 7, 6, 5},
	}
	if big {
		l = append(l, mnk{nil, 257, 257, 257}, mnk{nil, 256, 128, 512}, mnk{[]int{2}, 131, 67, 300})
	}
	return l
}

// multiply adds A·B over layouts.
func (s *suite) multiply(b *builder, d ir.DType, c mnk, la, lb layout, integers bool) {
	r := ref.Rand(1, fmt.Sprint("matmul", d, c, la.name, lb.name))
	va, na := la.view(c.batch, c.m, c.k)
	vb, nb := lb.view(c.batch, c.k, c.n)
	xa, xb := ref.Uniform(r, d, na, -1, 1), ref.Uniform(r, d, nb, -1, 1)
	if integers { // sums stay within what a half holds exactly
		xa, xb = ref.Whole(r, d, na, -1, 1), ref.Whole(r, d, nb, -1, 1)
	}
	var post chain
	n := ir.Size(withBatch(c.batch, c.m, c.n))
	post.output(b, n, post.acc(d))
	b.add(&ir.MatMul{
		Batch: c.batch, M: c.m, N: c.n, K: c.k, DType: d, A: operand(b.input(xa), va), B: operand(b.input(xb), vb),
		PostOperands: post.ops, Post: post.steps, Stores: post.stores,
	})
}

// matmulEpilogue runs relu(acc + bias), a residual through a transposed view,
// a scalar, a cast and, where the device binds enough, a second store.
func (s *suite) matmulEpilogue(t *testing.T, d ir.DType) {
	r := ref.Rand(1, "epilogue"+d.String())
	for _, c := range []mnk{{nil, 17, 34, 9}, {[]int{3}, 5, 66, 33}, {nil, 1, 257, 12}, {nil, 65, 130, 20}, {nil, 6, 5, 0}} {
		b := &builder{}
		shape := withBatch(c.batch, c.m, c.n)
		n := ir.Size(shape)
		va, na := layouts[0].view(c.batch, c.m, c.k)
		vb, nb := layouts[1].view(c.batch, c.k, c.n)
		a, w := b.input(ref.Whole(r, d, na, -1, 1)), b.input(ref.Whole(r, d, nb, -1, 1))

		var bias chain
		one := make([]int, len(shape))
		for i := range one {
			one[i] = 1
		}
		one[len(one)-1] = c.n
		row := contiguous(one...).Expand(shape)
		x := bias.load(d, b.input(ref.Whole(r, d, c.n, -3, 3)), row)
		y := bias.op(ir.OpRelu, bias.op(ir.OpAdd, bias.acc(d), x))
		bias.output(b, n, y)
		if s.operands() >= 5 {
			bias.output(b, n, bias.op(ir.OpLess, bias.constant(d, 0), y))
		}
		b.add(&ir.MatMul{Batch: c.batch, M: c.m, N: c.n, K: c.k, DType: d, A: operand(a, va), B: operand(w, vb), PostOperands: bias.ops, Post: bias.steps, Stores: bias.stores})

		var res chain
		v, m := layouts[1].view(c.batch, c.m, c.n)
		k := res.scalar(d, b.scalar(d, ir.FloatBits(d, 2)))
		z := res.op(ir.OpSub, res.op(ir.OpMul, res.acc(d), k), res.load(d, b.input(ref.Whole(r, d, m, -9, 9)), v))
		res.output(b, n, res.cast(ir.I32, z))
		b.add(&ir.MatMul{Batch: c.batch, M: c.m, N: c.n, K: c.k, DType: d, A: operand(a, va), B: operand(w, vb), PostOperands: res.ops, Post: res.steps, Stores: res.stores})
		s.check(t, b, exact)
	}
}
