package devicetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// A reduceCase is a view over n elements whose last axes are reduced.
type reduceCase struct {
	name  string
	n     int
	view  ir.View
	inner int // axes
}

func reduceCases() []reduceCase {
	c := contiguous
	return []reduceCase{
		{"rows", 5 * 17, c(5, 17), 1},
		{"long rows", 3 * 257, c(3, 257), 1},
		{"many rows", 300 * 9, c(300, 9), 1},
		{"columns", 17 * 5, c(17, 5).Permute([]int{1, 0}), 1},
		{"many columns", 33 * 260, c(33, 260).Permute([]int{1, 0}), 1},
		{"tall columns", 1025 * 3, c(1025, 3).Permute([]int{1, 0}), 1},
		{"all", 1023, c(1023), 1},
		{"all, rank 3", 7 * 8 * 9, c(7, 8, 9), 3},
		{"first and last", 6 * 35 * 4, c(6, 35, 4).Permute([]int{1, 0, 2}), 2},
		{"channels", 3 * 5 * 4 * 7, c(3, 5, 4, 7).Permute([]int{1, 0, 2, 3}), 3},
		{"middle", 6 * 35 * 4, c(6, 35, 4).Permute([]int{0, 2, 1}), 1},
		{"rank 8", 144, c(2, 1, 3, 2, 1, 2, 3, 2), 4},
		{"inner of 1", 37, c(37, 1), 1},
		{"no inner axes", 19, c(19), 0},
		{"one", 1, c(1), 1},
		{"repeated", 7, c(1, 7).Expand([]int{4, 7}), 1},
		{"inner repeated", 4, c(4, 1).Expand([]int{4, 7}), 1},
		{"flipped", 4 * 9, c(4, 9).Slice(1, 8, -1, 9), 1},
		{"windows", 40, ir.View{Shape: []int{36, 5}, Strides: []int{1, 1}}, 1},
		{"padded", 5 * 6, c(5, 6).Pad(1, 2, 1), 1},
		{"padded columns", 5 * 6, c(5, 6).Pad(0, 2, 1).Permute([]int{1, 0}), 1},
		{"offset", 100, c(10, 10).Slice(0, 3, 1, 5).Slice(1, 2, 2, 4), 1},
		{"empty inner", 0, c(4, 0), 1},
		{"empty outer", 0, c(0, 4), 1},
		{"both empty", 0, c(0, 0), 1},
	}
}

// testReduce runs each reduction on each dtype over all cases, with exact
// data, with reals, and with ties and NaN.
func (s *suite) testReduce(t *testing.T) {
	for _, in := range ir.Table() {
		if in.Kind != ir.KindReduction {
			continue
		}
		s.sub(t, in.Name, func(t *testing.T) {
			for i, d := range s.dtypes(in.Args) {
				s.op(t, in.Op, d, func(t *testing.T) {
					s.reduceExact(t, in, d)
					if d.IsFloat() {
						s.reduceReal(t, in, d, false)
						s.reduceNaN(t, in, d)
					}
					if i == 0 || d == ir.I32 {
						s.reduceReal(t, in, d, true)
					}
				})
			}
		})
	}
	s.sub(t, "chains", s.reduceChains)
}

// reduce adds a Reduce without chains around it.
func (b *builder) reduce(op ir.Op, d ir.DType, c reduceCase, x ref.Values, fill uint64) {
	var pre, post chain
	reg := pre.loadFill(d, b.input(x), c.view, fill)
	k := len(c.view.Shape) - c.inner
	outer, inner := c.view.Shape[:k], c.view.Shape[k:]
	post.output(b, ir.Size(outer), post.acc(op.ResultType(d)))
	b.add(&ir.Reduce{
		Outer: slices.Clone(outer), Inner: slices.Clone(inner), Op: op, DType: d,
		Operands: pre.ops, Pre: pre.steps, Reg: reg, PostOperands: post.ops, Post: post.steps, Stores: post.stores,
	})
}

// exactData returns values whose reduction is exact in any order: small whole
// numbers for sums, powers of two for products; many ties for the others.
func exactData(r *rand.Rand, op ir.Op, d ir.DType, n int) ref.Values {
	switch {
	case !d.IsFloat() && op != ir.OpArgMax && op != ir.OpArgMin:
		return ref.AnyBits(r, d, n)
	case op == ir.OpProd:
		v := ref.New(d, n)
		for i := range n { // as many halves as doubles, so that no order overflows
			v.F[i] = []float64{1, -1, 1, 1, 1, 1, -1, 1}[r.IntN(8)]
			if i%16 == 5 {
				v.F[i] = 2
			} else if i%16 == 6 {
				v.F[i] = 0.5
			}
		}
		return v
	case d == ir.BF16:
		return ref.Whole(r, d, n, -1, 1)
	case op == ir.OpSum:
		return ref.Whole(r, d, n, -2, 2)
	}
	return ref.Whole(r, d, n, -5, 5)
}

func (s *suite) reduceExact(t *testing.T, in *ir.OpInfo, d ir.DType) {
	r := ref.Rand(1, "reduce"+in.Name+d.String())
	b := &builder{}
	for _, c := range some(s, d, reduceCases()) {
		b.reduce(in.Op, d, c, exactData(r, in.Op, d, c.n), ir.FloatBits(d, 1))
	}
	s.check(t, b, exact)
}

// reduceReal reduces reals from the op's domain; big takes a million of them,
// by rows and by columns. A device may split a sum as it likes, but the error
// must grow slower than that of adding one after the other.
func (s *suite) reduceReal(t *testing.T, in *ir.OpInfo, d ir.DType, big bool) {
	cases := some(s, d, reduceCases())
	if big {
		n := large
		if s.short {
			n = 100003
		}
		cases = []reduceCase{{"big", n, contiguous(n), 1}, {"big columns", n / 3 * 3, contiguous(n/3, 3).Permute([]int{1, 0}), 1}}
	}
	if big && in.Op == ir.OpProd && d.IsFloat() {
		return // leaves the range
	}
	r := ref.Rand(1, "real"+in.Name+d.String())
	b := &builder{}
	var tol []tolerance
	for _, c := range cases {
		lo, hi := ref.Domain(in, 0)
		if in.Op == ir.OpSum && big {
			lo = 0 // one sign: the sum's error cannot hide in its cancellation
		}
		x := ref.Uniform(r, d, c.n, lo, hi)
		b.reduce(in.Op, d, c, x, ir.FloatBits(d, 1))
		k := float64(ir.Size(c.view.Shape[len(c.view.Shape)-c.inner:]))
		switch {
		case !d.IsFloat():
			tol = append(tol, exact)
		case in.Op == ir.OpSum:
			sum := 0.0 // of magnitudes, of all elements: an upper bound for each result
			for _, v := range x.F {
				sum += math.Abs(v)
			}
			// |fill| <= 1 adds at most the number of positions.
			sum = min(sum, k*max(math.Abs(lo), math.Abs(hi))) + k
			tol = append(tol, tolerance{ulp: rounding(d), abs: epsilon(d) * sum * (4 + math.Sqrt(k)/4)})
		case in.Op == ir.OpProd:
			tol = append(tol, tolerance{ulp: rounding(d) + (k+2)*epsilon(d)/epsilonOf(d), abs: 0x1p-120})
		default:
			tol = append(tol, exact)
		}
	}
	s.checkEach(t, b, tol)
}

// epsilonOf is half the distance from 1 to the next number of d.
func epsilonOf(d ir.DType) float64 { return ref.ULP(d, 1) / 2 }

// reduceNaN puts NaN and infinities at different places of each row.
func (s *suite) reduceNaN(t *testing.T, in *ir.OpInfo, d ir.DType) {
	r := ref.Rand(1, "nan"+in.Name)
	inf, nan := math.Inf(1), math.NaN()
	negative := math.Copysign(nan, -1)
	const rows = 40
	b := &builder{}
	for _, inner := range []int{3, 17, 300} {
		x := ref.New(d, rows*inner)
		for i := range x.F {
			x.F[i] = 1
		}
		for row := range rows {
			for _, v := range [][]float64{{nan}, {inf}, {-inf}, {nan, negative}, {inf, negative}, {-inf, nan}, {inf, inf}, {-inf, -inf}, {inf, -inf}, {}}[row%10] {
				x.F[row*inner+r.IntN(inner)] = v
			}
			if row%20 == 19 { // nothing but the identity of Max
				for i := range inner {
					x.F[row*inner+i] = -inf
				}
			}
		}
		b.reduce(in.Op, d, reduceCase{view: contiguous(rows, inner), inner: 1}, x, 0)
		y := ref.New(d, rows*inner) // the same by columns
		for i := range y.F {
			y.F[i] = x.F[i%rows*inner+i/rows]
		}
		b.reduce(in.Op, d, reduceCase{view: contiguous(inner, rows).Permute([]int{1, 0}), inner: 1}, y, 0)
	}
	s.check(t, b, tolerance{ulp: 0, abs: 0})
}

// reduceChains reduces what a chain computes and runs a chain on the result:
// Σ (x - m)², scaled, and a store of the result before it; ArgMax of a cast.
func (s *suite) reduceChains(t *testing.T) {
	for _, d := range s.dtypes(ir.Floats) {
		s.sub(t, fmt.Sprint("variance/", d), func(t *testing.T) {
			b := &builder{}
			r := ref.Rand(1, "chains"+d.String())
			for _, shape := range [][2]int{{4, 9}, {1, 300}, {130, 5}, {3, 0}} {
				m, n := shape[0], shape[1]
				x, mean := b.input(ref.Whole(r, d, m*n, -2, 2)), b.input(ref.Whole(r, d, m, -1, 1))
				var pre, post chain
				diff := pre.op(ir.OpSub, pre.load(d, x, contiguous(m, n)), pre.load(d, mean, contiguous(m, 1).Expand([]int{m, n})))
				// Halves hold whole numbers to 256 only: keep the sum small.
				reg := pre.op(ir.OpMinimum, pre.op(ir.OpSquare, diff), pre.constant(d, 1))
				acc := post.acc(d)
				scale := post.scalar(d, b.scalar(d, ir.FloatBits(d, 0.25)))
				y := post.op(ir.OpMul, acc, scale)
				z := post.op(ir.OpSub, y, post.load(d, mean, contiguous(m)))
				post.output(b, m, z)
				if s.operands() >= 4 {
					post.output(b, m, acc)
				}
				b.add(&ir.Reduce{
					Outer: []int{m}, Inner: []int{n}, Op: ir.OpSum, DType: d,
					Operands: pre.ops, Pre: pre.steps, Reg: reg, PostOperands: post.ops, Post: post.steps, Stores: post.stores,
				})
			}
			s.check(t, b, exact)
		})
	}
	s.sub(t, "argmax", func(t *testing.T) {
		b := &builder{}
		r := ref.Rand(1, "argmax chain")
		for _, n := range []int{1, 10, 1000} {
			const m = 33
			x, y := b.input(ref.Uniform(r, ir.F32, m*n, -3, 3)), b.input(ref.Whole(r, ir.I32, m, 0, n-1))
			var pre, post chain
			reg := pre.cast(ir.I32, pre.load(ir.F32, x, contiguous(n, m).Permute([]int{1, 0})))
			hit := post.op(ir.OpEqual, post.acc(ir.I32), post.load(ir.I32, y, contiguous(m)))
			post.output(b, m, post.cast(ir.F32, hit))
			b.add(&ir.Reduce{
				Outer: []int{m}, Inner: []int{n}, Op: ir.OpArgMax, DType: ir.I32,
				Operands: pre.ops, Pre: pre.steps, Reg: reg, PostOperands: post.ops, Post: post.steps, Stores: post.stores,
			})
		}
		s.check(t, b, exact)
	})
	s.sub(t, "index", func(t *testing.T) {
		// Reduces positions: no memory is read.
		b := &builder{}
		for _, v := range []ir.View{contiguous(5, 40), contiguous(40, 5).Permute([]int{1, 0})} {
			var pre, post chain
			reg := pre.index(ir.I32, v)
			post.output(b, 5, post.acc(ir.I32))
			b.add(&ir.Reduce{Outer: []int{5}, Inner: []int{40}, Op: ir.OpSum, DType: ir.I32, Operands: pre.ops, Pre: pre.steps, Reg: reg, Post: post.steps, Stores: post.stores})
		}
		s.check(t, b, exact)
	})
}
