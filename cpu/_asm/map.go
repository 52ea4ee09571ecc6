package main

import (
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/x86"
)

// A mapOp is a block kernel: n elements at dst from those at a, b, c.
type mapOp struct {
	name string
	args []string // their names, a, b and c where nil
	in   []int    // bytes of an element of each argument
	out  int      // of the result
	body func(g *isa, x []Op) Op
	mask bool // the body returns a mask, of which bytes 0 and 1 are stored
}

func one(name string, f func(g *isa, x Op) Op) mapOp { return convert(name, 4, 4, f) }

func two(name string, f func(g *isa, x, y Op) Op) mapOp {
	return mapOp{name: name, in: []int{4, 4}, out: 4, body: func(g *isa, x []Op) Op { return f(g, x[0], x[1]) }}
}

// convert is a kernel from elements of some bytes to those of others.
func convert(name string, from, to int, f func(g *isa, x Op) Op) mapOp {
	return mapOp{name: name, in: []int{from}, out: to, body: func(g *isa, x []Op) Op { return f(g, x[0]) }}
}

func test(name string, f func(g *isa, x Op) Op) mapOp {
	o := convert(name, 4, 1, f)
	o.mask = true
	return o
}

func compare(name string, pred uint64) mapOp {
	return mapOp{name: name, in: []int{4, 4}, out: 1, mask: true, body: func(g *isa, x []Op) Op { return g.cmp(pred, x[0], x[1]) }}
}

// where is a where the byte of the condition is not 0, and b elsewhere.
func where(name string, size int) mapOp {
	return mapOp{name: name, args: []string{"c", "a", "b"}, in: []int{1, size, size}, out: size, body: func(g *isa, x []Op) Op {
		lanes, r, zero := x[0], g.vec(), g.vec()
		if size > 1 {
			lanes = g.vec()
		}
		widen := map[int]func(...Op){4: g.VPMOVZXBD, 8: g.VPMOVZXBQ}
		if size > 1 {
			widen[size](x[0], lanes)
		}
		if g.wide {
			k := g.K()
			switch size {
			case 1:
				g.VPTESTMB(lanes, lanes, k)
				g.blend(x86.VPBLENDMB, x[1], x[2], k, r)
			case 4:
				g.VPTESTMD(lanes, lanes, k)
				g.blend(x86.VPBLENDMD, x[1], x[2], k, r)
			case 8:
				g.VPTESTMQ(lanes, lanes, k)
				g.blend(x86.VPBLENDMQ, x[1], x[2], k, r)
			}
			return r
		}
		g.VXORPS(zero, zero, zero)
		map[int]func(...Op){1: g.VPCMPEQB, 4: g.VPCMPEQD, 8: g.VPCMPEQQ}[size](zero, lanes, zero)
		g.VPBLENDVB(zero, x[2], x[1], r)
		return r
	}}
}

// mapOps are the kernels: the name is that of the op.
var mapOps = []mapOp{
	two("Add", (*isa).add),
	two("Sub", (*isa).sub),
	two("Mul", (*isa).mul),
	two("Div", (*isa).div),
	two("Maximum", (*isa).maximum),
	two("Minimum", (*isa).minimum),
	one("Neg", (*isa).neg),
	one("Abs", (*isa).abs),
	one("Square", func(g *isa, x Op) Op { return g.mul(x, x) }),
	one("Sqrt", (*isa).sqrt),
	one("Rsqrt", func(g *isa, x Op) Op { return g.div(g.c(1), g.sqrt(x)) }),
	one("Reciprocal", func(g *isa, x Op) Op { return g.div(g.c(1), x) }),
	// The maximum with 0 keeps -0, which adding 0 makes 0.
	one("Relu", func(g *isa, x Op) Op { return g.add(g.max(g.c(0), x), g.c(0)) }),
	one("Floor", func(g *isa, x Op) Op { return g.round(x, downward) }),
	one("Ceil", func(g *isa, x Op) Op { return g.round(x, upward) }),
	one("Round", func(g *isa, x Op) Op { return g.round(x, nearest) }),
	one("Trunc", func(g *isa, x Op) Op { return g.round(x, toZero) }),
	compare("Less", less),
	compare("LessEqual", lessEqual),
	compare("Equal", equal),
	compare("NotEqual", notEqual),
	one("Sign", func(g *isa, x Op) Op {
		y := g.choose(g.cmp(unordered, x, x), x, g.or(g.sign(x), g.c(1)))
		return g.choose(g.cmp(equal, x, g.c(0)), g.in(g.c(0)), y)
	}),
	test("IsNaN", func(g *isa, x Op) Op { return g.cmp(unordered, x, x) }),
	test("IsInf", func(g *isa, x Op) Op { return g.cmp(equal, g.abs(x), g.c(math.Inf(1))) }),
	one("Exp", (*isa).exp),
	one("Exp2", (*isa).exp2),
	one("Expm1", (*isa).expm1),
	one("Log", (*isa).log),
	one("Log2", (*isa).log2),
	one("Log1p", (*isa).log1p),
	one("Sinh", (*isa).sinh),
	one("Cosh", (*isa).cosh),
	one("Tanh", (*isa).tanh),
	one("Sigmoid", (*isa).sigmoid),
	one("Erf", (*isa).erf),
	one("Sin", func(g *isa, x Op) Op { return g.sine(x, 0) }),
	one("Cos", func(g *isa, x Op) Op { return g.sine(x, 1) }),
	one("Tan", (*isa).tan),
	one("Asin", (*isa).asin),
	one("Acos", (*isa).acos),
	one("Atan", (*isa).atan),
	two("Atan2", (*isa).atan2),
	two("Pow", (*isa).pow),
	where("WhereByte", 1),
	where("Where", 4),
	where("WhereLong", 8),
}

func emitMap(f *file) {
	for _, g := range isas(f) {
		for _, o := range mapOps {
			g.mapKernel(o)
		}
	}
}

// maximum is IEEE 754's maximum: NaN where either is, and 0 above -0.
func (g *isa) maximum(x, y Op) Op {
	if g.wide {
		return g.extreme(5, x, y)
	}
	r := g.choose(g.cmp(equal, x, y), g.and(x, y), g.max(x, y))
	return g.choose(g.cmp(unordered, x, x), x, r)
}

// extreme is the maximum or minimum by AVX-512's instruction for them, which knows
// the signs of zeros, and where one argument is NaN returns the other: there the
// sum is put, which is NaN.
func (g *isa) extreme(which uint64, x, y Op) Op {
	a, b := g.in(x), g.in(y)
	r, k := g.vec(), g.K()
	g.VRANGEPS(Imm(which), b, a, r)
	g.VCMPPS(Imm(unordered), b, a, k)
	g.VADDPS(b, a, k, r)
	return r
}

func (g *isa) minimum(x, y Op) Op {
	if g.wide {
		return g.extreme(4, x, y)
	}
	r := g.choose(g.cmp(equal, x, y), g.or(x, y), g.min(x, y))
	return g.choose(g.cmp(unordered, x, x), x, r)
}
