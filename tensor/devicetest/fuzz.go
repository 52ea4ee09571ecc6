package devicetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fornax-ml/fornax/tensor/ir"
	"github.com/fornax-ml/fornax/tensor/ir/ref"
)

// testFuzz runs random programs of ops that are exact: what they round, they
// round to nearest, and sums are of small whole numbers. So the device and the
// reference must agree to the bit, decisions such as floor and less included.
// A failure names the program's number, which Options.Seed gives again.
func (s *suite) testFuzz(t *testing.T) {
	n := s.o.Programs
	if n == 0 {
		n = 400
		if s.short {
			n = 60
		}
	}
	for i := range n {
		g := &generator{s: s, r: ref.Rand(s.o.Seed, fmt.Sprint("fuzz", i)), b: &builder{}, read: map[int]bool{}}
		g.program()
		// Numbers below the smallest normal one may be flushed.
		s.sub(t, fmt.Sprint(i), func(t *testing.T) { s.check(t, g.b, tolerance{abs: 0x1p-126, round: true}) })
	}
}

// A generator makes one random program.
type generator struct {
	s    *suite
	r    *rand.Rand
	b    *builder
	live []int // slots that may be read
	read map[int]bool
}

func (g *generator) slot(i int) ir.Slot { return g.b.slots[i] }

// one returns an element of l.
func one[T any](r *rand.Rand, l ...T) T { return l[r.IntN(len(l))] }

// dtype returns a dtype of a class, float32 and int32 more often.
func (g *generator) dtype(c ir.Class) ir.DType {
	for _, d := range []ir.DType{ir.F32, ir.I32} {
		if c.Has(d) && g.r.IntN(3) == 0 {
			return d
		}
	}
	return one(g.r, g.s.dtypes(c)...)
}

func (g *generator) program() {
	for range 2 + g.r.IntN(3) {
		g.input()
	}
	for range 1 + g.r.IntN(8) {
		switch k := g.r.IntN(20); {
		case k < 10:
			g.randomMap()
		case k < 14:
			g.randomReduce()
		case k < 16:
			g.randomMatMul()
		case k < 18:
			g.randomGather()
		default:
			g.randomScatter()
		}
	}
	for i := range g.b.slots { // what nobody read goes out
		if s := g.slot(i); s.Kind == ir.Temp && !g.read[i] {
			var c chain
			c.output(g.b, s.Len, c.load(s.DType, i, contiguous(s.Len)))
			g.b.add(c.asMap(s.Len))
		}
	}
}

// input makes an input of quarters or of any integers.
func (g *generator) input() {
	d := g.dtype(ir.Any)
	n := 1 + g.r.IntN(one(g.r, 8, 100, 700))
	v := ref.AnyBits(g.r, d, n)
	switch {
	case d.IsFloat():
		v = ref.Whole(g.r, d, n, -32, 32)
		for i := range v.F {
			v.F[i] /= 4
		}
	case g.r.IntN(2) == 0:
		v = ref.Whole(g.r, d, n, -9, 9)
	}
	g.live = append(g.live, g.b.input(v))
}

// shape returns a random shape of up to limit positions.
func (g *generator) shape(limit int) []int {
	s := []int{}
	n := 1
	for range g.r.IntN(5) {
		k := one(g.r, 1, 2, 3, 5, 8, 17, 33, 64, 130)
		if g.r.IntN(200) == 0 {
			k = 0
		}
		if n*k > limit {
			continue
		}
		s = append(s, k)
		n *= k
	}
	return s
}

// view returns a random view of shape over n elements.
func (g *generator) view(n int, shape []int, mask bool) ir.View {
	r := g.r
	axis := -1
	if mask && len(shape) > 0 && r.IntN(6) == 0 {
		axis = r.IntN(len(shape))
	}
	inner, before, after := slices.Clone(shape), 0, 0
	if axis >= 0 {
		before = r.IntN(inner[axis] + 1)
		after = r.IntN(inner[axis] - before + 1)
		inner[axis] -= before + after
	}
	v := contiguous(inner...)
	if ir.Size(inner) > n || r.IntN(2) == 0 {
		// Axes in random order; those that do not fit are repeated.
		v.Strides = make([]int, len(inner))
		size := 1
		for _, a := range r.Perm(len(inner)) {
			if k := max(inner[a], 1); k*size <= n && r.IntN(5) > 0 {
				v.Strides[a] = size
				size *= k
			}
		}
	}
	for a := range v.Strides {
		if r.IntN(5) == 0 && inner[a] > 0 {
			v = v.Slice(a, inner[a]-1, -1, inner[a])
		}
	}
	if _, hi, ok := v.Bounds(); ok && r.IntN(3) == 0 {
		v.Offset += r.IntN(n - hi)
	}
	if axis >= 0 {
		v = v.Pad(axis, before, after)
	}
	return v
}

// pick returns a live slot of a class, or a fresh input of one.
func (g *generator) pick(c ir.Class) int {
	for range 8 {
		if i := one(g.r, g.live...); c.Has(g.slot(i).DType) {
			g.read[i] = true
			return i
		}
	}
	v := ref.Whole(g.r, g.dtype(c), 1+g.r.IntN(300), -3, 3)
	i := g.b.input(v)
	g.live = append(g.live, i)
	return i
}

// target makes the slot that an instruction writes.
func (g *generator) target(d ir.DType, n int) int {
	if n == 0 || g.r.IntN(4) == 0 {
		return g.b.output(d, n)
	}
	i := g.b.temp(d, n)
	g.live = append(g.live, i)
	return i
}

// loads begins a chain with loads of up to k slots.
func (g *generator) loads(c *chain, k int, shape []int) {
	for range 1 + g.r.IntN(k) {
		i := g.pick(ir.Any)
		s := g.slot(i)
		c.loadFill(s.DType, i, g.view(s.Len, shape, true), ir.FloatBits(s.DType, float64(g.r.IntN(5)-2)))
	}
	if g.r.IntN(5) == 0 {
		c.index(one(g.r, ir.I32, ir.U32), g.view(1<<20, shape, false))
	}
}

var exactOps = []ir.Op{
	ir.OpNeg, ir.OpAbs, ir.OpSign, ir.OpSquare, ir.OpRelu, ir.OpFloor, ir.OpCeil, ir.OpRound, ir.OpTrunc, ir.OpIsNaN, ir.OpIsInf, ir.OpNot,
	ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpMaximum, ir.OpMinimum, ir.OpAnd, ir.OpOr, ir.OpXor, ir.OpShl, ir.OpShr, ir.OpDiv, ir.OpRem,
	ir.OpLess, ir.OpLessEqual, ir.OpEqual, ir.OpNotEqual, ir.OpWhere, ir.OpCast, ir.OpCast, ir.OpAdd, ir.OpMul,
}

// steps appends k random steps to a chain that has at least one.
func (g *generator) steps(c *chain, k int) {
	for range k {
		a := g.r.IntN(len(c.steps))
		d := c.steps[a].DType
		op := one(g.r, exactOps...)
		in := op.Info()
		switch {
		case !in.Args.Has(d), d.IsFloat() && (op == ir.OpDiv || op == ir.OpRem):
		case op == ir.OpCast:
			c.cast(g.dtype(ir.Any), a)
		case op == ir.OpWhere:
			cond := g.register(c, ir.Bool)
			c.op(op, cond, a, g.register(c, d))
		case in.Arity == 2:
			c.op(op, a, g.register(c, d))
		default:
			c.op(op, a)
		}
	}
}

// register returns a register of d, or makes one.
func (g *generator) register(c *chain, d ir.DType) int {
	var l []int
	for i, s := range c.steps {
		if s.DType == d {
			l = append(l, i)
		}
	}
	switch k := g.r.IntN(4); {
	case len(l) > 0 && k > 0:
		return one(g.r, l...)
	case k == 0 || len(c.steps) == 0:
		return c.constant(d, float64(g.r.IntN(13)-4))
	case k == 1:
		return c.scalar(d, g.b.scalar(d, ir.FloatBits(d, float64(g.r.IntN(9)-3))))
	}
	return c.cast(d, g.r.IntN(len(c.steps)))
}

// small appends steps that make register a a whole number of 0 to 3 of d.
func (g *generator) small(c *chain, a int, d ir.DType) int {
	i := c.cast(ir.I32, a)
	return c.cast(d, c.op(ir.OpAnd, i, c.constant(ir.I32, 3)))
}
