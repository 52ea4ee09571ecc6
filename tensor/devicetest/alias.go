package devicetest

import (
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// testAlias runs Maps that store over what they load.
func (s *suite) testAlias(t *testing.T) {
	for _, d := range s.dtypes(ir.Any) {
		s.sub(t, d.String(), func(t *testing.T) {
			r := ref.Rand(1, "alias"+d.String())
			b := &builder{}
			for _, n := range sizes {
				// y = op(x, z) over x; z through a flipped view.
				x, z := b.input(ref.AnyBits(r, d, n)), b.input(ref.AnyBits(r, d, n))
				var c chain
				i := c.load(d, x, contiguous(n))
				j := c.load(d, z, contiguous(n).Slice(0, max(n-1, 0), -1, n))
				op := ir.OpMaximum
				if d == ir.Bool {
					op = ir.OpXor
				}
				c.store(b.inPlace(d, n, x), c.op(op, i, j))
				b.add(c.asMap(n))
			}
			s.check(t, b, exact)
		})
	}
	s.sub(t, "optimizer", func(t *testing.T) {
		// Three states updated in place by one Map, as an optimizer does; where
		// the device cannot bind them, by two.
		r := ref.Rand(1, "optimizer")
		for _, n := range []int{1, 17, 4099} {
			b := &builder{}
			p, m, g := b.input(ref.Whole(r, ir.F32, n, -9, 9)), b.input(ref.Whole(r, ir.F32, n, -9, 9)), b.input(ref.Whole(r, ir.F32, n, -9, 9))
			var c chain
			pr, mr, gr := c.load(ir.F32, p, contiguous(n)), c.load(ir.F32, m, contiguous(n)), c.load(ir.F32, g, contiguous(n))
			m2 := c.op(ir.OpAdd, c.op(ir.OpMul, mr, c.constant(ir.F32, 0.5)), gr)
			c.store(b.inPlace(ir.F32, n, m), m2)
			if s.operands() >= 5 {
				c.store(b.inPlace(ir.F32, n, p), c.op(ir.OpSub, pr, m2))
			}
			b.add(c.asMap(n))
			s.check(t, b, exact)
		}
	})
	s.sub(t, "scatter", func(t *testing.T) {
		// Rows, and single elements, are added to where they are.
		for _, d := range []ir.DType{ir.F32, ir.I8} {
			if !s.d.Info().DTypes.Has(d) {
				continue
			}
			r := ref.Rand(1, "scatter"+d.String())
			b := &builder{}
			for _, c := range [][3]int{{1, 1, 1}, {17, 5, 3}, {255, 40, 1}, {40, 257, 70}} {
				rows, n, width := c[0], c[1], c[2]
				x, u := b.input(ref.Whole(r, d, rows*width, -9, 9)), b.input(ref.Whole(r, d, n*width, -9, 9))
				i := b.input(ref.Whole(r, ir.I32, n, 0, rows-1))
				b.add(&ir.ScatterAdd{
					Shape: []int{rows, width}, DType: d, Base: operand(x, contiguous(rows, width)),
					Index:   operand(i, ir.View{Shape: []int{n, width}, Strides: []int{1, 0}}),
					Updates: operand(u, contiguous(n, width)), Dst: b.inPlace(d, rows*width, x), Name: "scatter",
				})
			}
			s.check(t, b, exact)
		}
	})
	s.sub(t, "swap", func(t *testing.T) {
		// Two values change places: all of a position is read before it is
		// written.
		r := ref.Rand(1, "swap")
		for _, n := range []int{1, 255, 4099} {
			b := &builder{}
			x, y := b.input(ref.AnyBits(r, ir.F32, n)), b.input(ref.AnyBits(r, ir.F32, n))
			var c chain
			i, j := c.load(ir.F32, x, contiguous(n)), c.load(ir.F32, y, contiguous(n))
			c.store(b.inPlace(ir.F32, n, x), j)
			c.store(b.inPlace(ir.F32, n, y), c.op(ir.OpNeg, i))
			b.add(c.asMap(n))
			s.check(t, b, exact)
		}
	})
	s.sub(t, "other dtype", func(t *testing.T) {
		r := ref.Rand(1, "other")
		for _, pair := range [][2]ir.DType{{ir.F32, ir.I32}, {ir.U32, ir.F32}, {ir.U8, ir.Bool}} {
			b := &builder{}
			for _, n := range []int{5, 257} {
				x := b.input(ref.Uniform(r, pair[0], n, 0, 100))
				var c chain
				c.store(b.inPlace(pair[1], n, x), c.cast(pair[1], c.load(pair[0], x, contiguous(n))))
				b.add(c.asMap(n))
			}
			s.check(t, b, exact)
		}
	})
	s.sub(t, "temporaries", func(t *testing.T) {
		// A chain of Maps over one place of the arena, then a read of it.
		r := ref.Rand(1, "temporaries")
		for _, d := range s.dtypes(ir.Numbers) {
			const n = 259
			b := &builder{}
			at := b.input(ref.Whole(r, d, n, 0, 9))
			for range 3 {
				var c chain
				to := b.tempAt(d, n, 0)
				c.store(to, c.op(ir.OpAdd, c.load(d, at, contiguous(n)), c.constant(d, 1)))
				b.add(c.asMap(n))
				at = to
			}
			var c chain
			c.output(b, n, c.load(d, at, contiguous(n).Slice(0, n-1, -1, n)))
			b.add(c.asMap(n))
			s.check(t, b, exact)
		}
	})
	s.sub(t, "matmul", func(t *testing.T) {
		// w - 2·(A·B) over w: a parameter's update in the product that is its
		// gradient; tall K, so that a device may want partial sums.
		r := ref.Rand(1, "alias matmul")
		for _, c := range []mnk{{nil, 17, 9, 33}, {nil, 5, 6, 3000}, {nil, 65, 130, 257}} {
			for _, d := range s.dtypes(ir.Floats) {
				b := &builder{}
				x, y, w := b.input(ref.Whole(r, d, c.m*c.k, 0, 1)), b.input(ref.Whole(r, d, c.k*c.n, -1, 1)), b.input(ref.Whole(r, d, c.m*c.n, -3, 3))
				var post chain
				g := post.op(ir.OpMul, post.acc(d), post.constant(d, 2))
				post.store(b.inPlace(d, c.m*c.n, w), post.op(ir.OpSub, post.load(d, w, contiguous(c.m, c.n)), g))
				b.add(&ir.MatMul{
					M: c.m, N: c.n, K: c.k, DType: d, A: operand(x, contiguous(c.k, c.m).Permute([]int{1, 0})), B: operand(y, contiguous(c.k, c.n)),
					PostOperands: post.ops, Post: post.steps, Stores: post.stores,
				})
				s.check(t, b, exact)
			}
		}
	})
	s.sub(t, "reduce", func(t *testing.T) {
		r := ref.Rand(1, "alias reduce")
		for _, c := range [][2]int{{19, 40}, {3, 5000}, {300, 70}} {
			for _, byColumn := range []bool{false, true} {
				b := &builder{}
				m, n := c[0], c[1]
				v := contiguous(m, n)
				if byColumn {
					v = contiguous(n, m).Permute([]int{1, 0})
				}
				x, w := b.input(ref.Whole(r, ir.F32, m*n, -2, 2)), b.input(ref.Whole(r, ir.F32, m, -9, 9))
				var pre, post chain
				reg := pre.load(ir.F32, x, v)
				post.store(b.inPlace(ir.F32, m, w), post.op(ir.OpSub, post.load(ir.F32, w, contiguous(m)), post.acc(ir.F32)))
				b.add(&ir.Reduce{
					Outer: []int{m}, Inner: []int{n}, Op: ir.OpSum, DType: ir.F32,
					Operands: pre.ops, Pre: pre.steps, Reg: reg, PostOperands: post.ops, Post: post.steps, Stores: post.stores,
				})
				s.check(t, b, exact)
			}
		}
	})
	s.sub(t, "later use", func(t *testing.T) {
		// The input is read by earlier instructions, its replacement by later
		// ones.
		const n = 130
		r := ref.Rand(1, "later")
		b := &builder{}
		x := b.input(ref.Whole(r, ir.F32, n, -9, 9))
		var first, second, third chain
		first.output(b, n, first.load(ir.F32, x, contiguous(10, 13).Permute([]int{1, 0})))
		b.add(first.asMap(13, 10))
		y := b.inPlace(ir.F32, n, x)
		second.store(y, second.op(ir.OpSquare, second.load(ir.F32, x, contiguous(n))))
		b.add(second.asMap(n))
		third.output(b, n, third.load(ir.F32, y, contiguous(10, 13).Permute([]int{1, 0})))
		b.add(third.asMap(13, 10))
		s.check(t, b, exact)
	})
}
