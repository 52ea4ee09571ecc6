package devicetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// Sizes around what kernels are built of: vectors, words, workgroups.
var sizes = []int{0, 1, 3, 17, 255, 257}

const large = 1000003 // a prime

// testMap runs each elementwise op on each dtype.
func (s *suite) testMap(t *testing.T) {
	for _, in := range ir.Table() {
		if in.Kind != ir.KindElementwise || in.Op == ir.OpCast {
			continue
		}
		s.sub(t, in.Name, func(t *testing.T) {
			for i, d := range s.dtypes(in.Args) {
				s.op(t, in.Op, d, func(t *testing.T) {
					s.mapValues(t, in, d, sizes)
					s.mapSpecials(t, in, d)
					if i == 0 && !s.short {
						s.mapValues(t, in, d, []int{large})
					}
				})
			}
		})
	}
}

// mapOp adds a Map of one op. Arguments of one dtype come from one slot, at
// offsets, where packed is set or the device binds too few.
func (s *suite) mapOp(b *builder, in *ir.OpInfo, d ir.DType, args []ref.Values, packed bool) {
	var c chain
	n := args[0].Len()
	regs := make([]int, len(args))
	if packed || len(args)+1 > s.operands() {
		all := map[ir.DType]ref.Values{}
		for _, a := range args {
			v := all[a.DType]
			v.DType, v.F, v.I = a.DType, append(v.F, a.F...), append(v.I, a.I...)
			all[a.DType] = v
		}
		slots, used := map[ir.DType]int{}, map[ir.DType]int{}
		for k, a := range args {
			if _, ok := slots[a.DType]; !ok {
				slots[a.DType] = b.input(fill(all[a.DType]))
			}
			v := contiguous(n)
			v.Offset = used[a.DType]
			used[a.DType] += n
			regs[k] = c.load(a.DType, slots[a.DType], v)
		}
	} else {
		for k, a := range args {
			regs[k] = c.load(a.DType, b.input(a), contiguous(n))
		}
	}
	c.output(b, n, c.op(in.Op, regs...))
	b.add(c.asMap(n))
}

// fill makes empty values non-nil.
func fill(v ref.Values) ref.Values {
	if v.F == nil && v.I == nil {
		return ref.New(v.DType, 0)
	}
	return v
}

func (s *suite) mapValues(t *testing.T, in *ir.OpInfo, d ir.DType, sizes []int) {
	r := ref.Rand(1, in.Name+d.String())
	b := &builder{}
	for i, n := range sizes {
		args := make([]ref.Values, in.Arity)
		for k := range args {
			args[k] = ref.Arguments(r, in, k, ref.ArgType(in, k, d), n)
		}
		s.mapOp(b, in, d, args, i%2 == 1 && (d == ir.F32 || !s.short))
	}
	s.check(t, b, opTolerance(in, d))
}

// mapSpecials checks special values in all combinations. Of an inexact op's
// results only the kind must agree: NaN, infinity, zero, sign, magnitude.
func (s *suite) mapSpecials(t *testing.T, in *ir.OpInfo, d ir.DType) {
	if in.Arity > 3 {
		return // Philox: every value is special
	}
	v := make([]ref.Values, in.Arity)
	for k := range v {
		v[k] = ref.Specials(ref.ArgType(in, k, d))
	}
	args := ref.Cross(v)
	b := &builder{}
	s.mapOp(b, in, d, args, false)
	tol := opTolerance(in, d)
	if tol == exact && (in.Op != ir.OpRem || !d.IsFloat()) {
		s.check(t, b, exact)
	}
	if !d.IsFloat() || in.Op.ResultType(d) != d {
		return
	}
	if tol == exact && in.Op != ir.OpRem {
		b = &builder{}
		s.mapOp(b, in, d, args, false)
	}
	p, inputs, scalars := b.build(s.d.Info().Limits.Align)
	got, err := s.run(p, inputs, scalars)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ref.Run(p, inputs, scalars)
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	for i, w := range want[0].F {
		x := make([]float64, len(args))
		for k, a := range args {
			if a.DType.IsFloat() {
				x[k] = a.F[i]
			} else {
				x[k] = float64(a.I[i])
			}
		}
		g := ir.BitsFloat(d, ir.GetBits(d, got[0], i))
		if msg := classify(in.Op, d, x, g, w); msg != "" {
			if bad++; bad <= 8 {
				t.Errorf("%v%v: got %v, want %v: %s", in.Op, x, g, w, msg)
			}
		}
	}
	if bad > 8 {
		t.Errorf("%d of %d special values are wrong", bad, len(want[0].F))
	}
}

// classify says how g differs from w in kind; empty where it does not.
func classify(op ir.Op, d ir.DType, x []float64, g, w float64) string {
	w = ir.BitsFloat(d, ir.FloatBits(d, w))
	finite := func(x float64) bool { return x == x && !math.IsInf(x, 0) }
	switch op {
	case ir.OpSin, ir.OpCos, ir.OpTan:
		lo, hi := ref.Domain(op.Info(), 0)
		if finite(x[0]) && (x[0] < lo || x[0] > hi) {
			return ""
		}
	case ir.OpRem:
		if finite(x[0]) && x[1] != 0 && math.Abs(x[0]/x[1]) > 1<<20 {
			return "" // where trunc(a/b) is no longer near
		}
	case ir.OpNeg, ir.OpAbs, ir.OpWhere:
		if w == w && math.Signbit(g) != math.Signbit(w) {
			return "sign"
		}
	}
	switch {
	case (g != g) != (w != w):
		return "NaN"
	case w != w:
		return ""
	case math.IsInf(w, 0) || math.IsInf(g, 0):
		if g != w {
			return "infinity"
		}
	case math.Abs(w) < ref.MinNormal(d):
		if math.Abs(g) > ref.MinNormal(d) {
			return "not 0"
		}
	case g == 0 || math.Signbit(g) != math.Signbit(w):
		return "sign"
	}
	// A step on the way to a result near the smallest normal number may have
	// been flushed.
	ulps := 1024.0
	if d == ir.F16 || d == ir.BF16 {
		ulps = 4
	}
	if off := math.Abs(g - w); finite(w) && off > ulps*ref.ULP(d, w)+ref.MinNormal(d) {
		return fmt.Sprintf("off by %.3g ulp", off/ref.ULP(d, w))
	}
	return ""
}

// testSources runs chains whose values do not come from memory, and chains
// with several stores.
func (s *suite) testSources(t *testing.T) {
	for _, d := range s.dtypes(ir.Any) {
		s.sub(t, d.String(), func(t *testing.T) {
			b := &builder{}
			v := ref.Specials(d)
			for i := range v.Len() {
				var c chain
				k := c.step(ir.Step{Op: ir.OpConst, DType: d, Imm: v.Bits(i)})
				c.output(b, 5, k)
				b.add(c.asMap(5))
				if s.operands() >= 2 {
					var c chain
					k := c.scalar(d, b.scalar(d, v.Bits(i)))
					c.output(b, 3, k)
					c.output(b, 3, k)
					b.add(c.asMap(3))
				}
			}
			s.check(t, b, exact)
		})
	}
	for _, d := range []ir.DType{ir.I32, ir.U32} {
		s.op(t, ir.OpIndex, d, func(t *testing.T) {
			b := &builder{}
			for _, v := range []ir.View{
				contiguous(1000), contiguous(7, 13).Permute([]int{1, 0}), contiguous(40).Slice(0, 39, -3, 14),
				contiguous(1, 5).Expand([]int{6, 5}), contiguous(3, 3, 3, 3).Slice(2, 1, 1, 2), contiguous(), contiguous(0, 4),
				{Offset: -5, Shape: []int{9}, Strides: []int{1}}, {Offset: 1 << 30, Shape: []int{3, 3}, Strides: []int{1 << 20, -7}},
			} {
				var c chain
				c.output(b, ir.Size(v.Shape), c.index(d, v))
				b.add(c.asMap(v.Shape...))
			}
			s.check(t, b, exact)
		})
	}
	s.sub(t, "stores", func(t *testing.T) {
		// Intermediate registers are stored too, and one register twice.
		b := &builder{}
		r := ref.Rand(1, "stores")
		for _, n := range sizes {
			var c chain
			x := c.load(ir.F32, b.input(ref.Uniform(r, ir.F32, n, -9, 9)), contiguous(n))
			y := c.op(ir.OpFloor, x)
			z := c.op(ir.OpLess, y, x)
			for i, reg := range []int{z, y, c.cast(ir.I32, y), z, c.cast(ir.U8, x)} {
				if i+2 <= s.operands() {
					c.output(b, n, reg)
				}
			}
			b.add(c.asMap(n))
		}
		s.check(t, b, exact)
	})
	s.sub(t, "long", s.longChain)
}

// longChain runs a chain of many steps with constants, scalars and an index,
// of float and integer registers.
func (s *suite) longChain(t *testing.T) {
	r := ref.Rand(1, "long")
	b := &builder{}
	for _, n := range []int{1, 255, 4099} {
		var c chain
		x := c.load(ir.F32, b.input(ref.Whole(r, ir.F32, n, -20, 20)), contiguous(n))
		k := c.scalar(ir.F32, b.scalar(ir.F32, ir.FloatBits(ir.F32, 0.25)))
		i := c.index(ir.I32, contiguous(n))
		for range 6 {
			i = c.op(ir.OpXor, c.op(ir.OpShl, i, c.constant(ir.I32, 5)), c.op(ir.OpAdd, i, c.constant(ir.I32, 12345)))
			small := c.cast(ir.F32, c.op(ir.OpAnd, i, c.constant(ir.I32, 15)))
			x = c.op(ir.OpWhere, c.op(ir.OpLess, x, small), c.op(ir.OpAdd, x, small), c.op(ir.OpMul, x, k))
			x = c.op(ir.OpMaximum, c.op(ir.OpFloor, x), c.constant(ir.F32, -100))
		}
		c.output(b, n, x)
		c.output(b, n, i)
		b.add(c.asMap(n))
	}
	s.check(t, b, exact)
}
