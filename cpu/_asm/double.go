package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// Expressions on vectors of float64, half as many lanes: float32 functions that
// need the precision go through them in two halves.

// doubles returns half i of x as float64.
func (g *isa) doubles(x Op, i int) reg.VecVirtual {
	r := g.vec()
	g.VCVTPS2PD(g.half(x, i), r)
	return r
}

// intDoubles returns half i of the int32 x as float64.
func (g *isa) intDoubles(x Op, i int) reg.VecVirtual {
	r := g.vec()
	g.VCVTDQ2PD(g.half(x, i), r)
	return r
}

func (g *isa) half(x Op, i int) Op {
	v := x.(reg.VecVirtual)
	switch {
	case g.wide && i == 0:
		return v.AsY()
	case g.wide:
		t := g.YMM()
		g.VEXTRACTF64X4(Imm(1), v, t)
		return t
	case i == 0:
		return v.AsX()
	}
	t := g.XMM()
	g.VEXTRACTF128(Imm(1), v, t)
	return t
}

// truncate turns float64 into a half of int32, the least one where there is none.
func (g *isa) truncate(x Op) Op {
	if g.wide {
		r := g.YMM()
		g.VCVTTPD2DQ(x, r)
		return r
	}
	r := g.XMM()
	g.VCVTTPD2DQY(x, r)
	return r
}

// singles rounds float64 to a half of float32.
func (g *isa) singles(x Op) Op {
	if g.wide {
		r := g.YMM()
		g.VCVTPD2PS(x, r)
		return r
	}
	r := g.XMM()
	g.VCVTPD2PSY(x, r)
	return r
}

// wholes turns float64 that are integers into a half of int32.
func (g *isa) wholes(x Op) Op {
	if g.wide {
		r := g.YMM()
		g.VCVTPD2DQ(x, r)
		return r
	}
	r := g.XMM()
	g.VCVTPD2DQY(x, r)
	return r
}

// join returns two halves as one vector.
func (g *isa) join(halves [2]Op) Op {
	r := g.vec()
	if g.wide {
		g.VINSERTF64X4(Imm(1), halves[1], halves[0].(reg.VecVirtual).AsZ(), r)
	} else {
		g.VINSERTF128(Imm(1), halves[1], halves[0].(reg.VecVirtual).AsY(), r)
	}
	return r
}

func (g *isa) roundDouble(x Op, mode uint64) Op {
	r := g.vec()
	if g.wide {
		g.VRNDSCALEPD(Imm(mode|quiet), x, r)
	} else {
		g.VROUNDPD(Imm(mode|quiet), x, r)
	}
	return r
}

// polyDouble returns Σ c[i]·x^i by Horner's rule.
func (g *isa) polyDouble(x Op, c ...float64) Op {
	r := g.copyOf(g.double(c[len(c)-1]))
	v := g.in(x)
	for i := len(c) - 2; i >= 0; i-- {
		g.VFMADD213PD(g.double(c[i]), v, r)
	}
	return r
}

// scaleDouble returns p·2^k, for an integer k where both are normal.
func (g *isa) scaleDouble(p, k Op) Op {
	if g.wide {
		return g.two(g.VSCALEFPD, p, k)
	}
	n := g.vec()
	g.VPMOVSXDQ(g.wholes(k), n)
	g.VPADDD(g.bits(1023), n, n)
	g.VPSLLQ(Imm(52), n, n)
	return g.two(g.VMULPD, p, n)
}

// doubleOps are the kernels of float64.
var doubleOps = []mapOp{
	double2("Add", func(g *isa, x, y Op) Op { return g.two(g.VADDPD, x, y) }),
	double2("Sub", func(g *isa, x, y Op) Op { return g.two(g.VSUBPD, x, y) }),
	double2("Mul", func(g *isa, x, y Op) Op { return g.two(g.VMULPD, x, y) }),
	double2("Div", func(g *isa, x, y Op) Op { return g.two(g.VDIVPD, x, y) }),
	double2("Maximum", func(g *isa, x, y Op) Op {
		r := g.chooseDouble(g.cmpDouble(equal, x, y), g.and(x, y), g.two(g.VMAXPD, x, y))
		return g.chooseDouble(g.cmpDouble(unordered, x, x), x, r)
	}),
	double2("Minimum", func(g *isa, x, y Op) Op {
		r := g.chooseDouble(g.cmpDouble(equal, x, y), g.or(x, y), g.two(g.VMINPD, x, y))
		return g.chooseDouble(g.cmpDouble(unordered, x, x), x, r)
	}),
	double1("Neg", func(g *isa, x Op) Op { return g.xor(x, g.quad(1<<63)) }),
	double1("Abs", func(g *isa, x Op) Op { return g.and(x, g.quad(1<<63-1)) }),
	double1("Square", func(g *isa, x Op) Op { return g.two(g.VMULPD, x, x) }),
	double1("Sqrt", (*isa).sqrtDouble),
	double1("Rsqrt", func(g *isa, x Op) Op { return g.two(g.VDIVPD, g.double(1), g.sqrtDouble(x)) }),
	double1("Reciprocal", func(g *isa, x Op) Op { return g.two(g.VDIVPD, g.double(1), x) }),
	double1("Relu", func(g *isa, x Op) Op { return g.two(g.VADDPD, g.two(g.VMAXPD, g.double(0), x), g.double(0)) }),
	double1("Floor", func(g *isa, x Op) Op { return g.roundDouble(x, downward) }),
	double1("Ceil", func(g *isa, x Op) Op { return g.roundDouble(x, upward) }),
	double1("Round", func(g *isa, x Op) Op { return g.roundDouble(x, nearest) }),
	double1("Trunc", func(g *isa, x Op) Op { return g.roundDouble(x, toZero) }),
	compareDouble("Less", less),
	compareDouble("LessEqual", lessEqual),
	compareDouble("Equal", equal),
	compareDouble("NotEqual", notEqual),
	convert("FloatToDouble", 4, 8, func(g *isa, x Op) Op {
		r := g.vec()
		g.VCVTPS2PD(x, r)
		return r
	}),
	convert("DoubleToFloat", 8, 4, (*isa).singles),
	convert("IntToDouble", 4, 8, func(g *isa, x Op) Op {
		r := g.vec()
		g.VCVTDQ2PD(x, r)
		return r
	}),
}

func double1(name string, f func(g *isa, x Op) Op) mapOp { return convert(name+"Double", 8, 8, f) }

func double2(name string, f func(g *isa, x, y Op) Op) mapOp {
	return mapOp{name: name + "Double", in: []int{8, 8}, out: 8, body: func(g *isa, x []Op) Op { return f(g, x[0], x[1]) }}
}

func compareDouble(name string, pred uint64) mapOp {
	o := double2(name, func(g *isa, x, y Op) Op { return g.cmpDouble(pred, x, y) })
	o.out, o.mask = 1, true
	return o
}

func emitDouble(f *file) {
	for _, g := range isas(f) {
		for _, o := range doubleOps {
			g.mapKernel(o)
		}
	}
}

func (g *isa) sqrtDouble(x Op) Op {
	r := g.vec()
	g.VSQRTPD(x, r)
	return r
}

// cmpDouble returns the mask of the lanes where a and b compare so.
func (g *isa) cmpDouble(pred uint64, a, b Op) Op {
	if g.wide {
		k := g.K()
		g.VCMPPD(Imm(pred), b, g.in(a), k)
		return k
	}
	r := g.vec()
	g.VCMPPD(Imm(pred), b, g.in(a), r)
	return r
}

// chooseDouble returns yes where the mask is set, and no elsewhere.
func (g *isa) chooseDouble(mask, yes, no Op) Op {
	r := g.vec()
	if g.wide {
		g.blend(x86.VBLENDMPD, yes, g.in(no), mask, r)
	} else {
		g.VBLENDVPD(mask, yes, g.in(no), r)
	}
	return r
}
