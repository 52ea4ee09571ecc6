package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Expressions on vectors of float64, half as many lanes: float32 functions that
// need the precision go through them in two halves.

// doubles returns half i of x as float64.
func (g *isa) doubles(x Op, i int) reg.VecVirtual {
	v, r := x.(reg.VecVirtual), g.vec()
	switch {
	case g.wide && i == 0:
		g.VCVTPS2PD(v.AsY(), r)
	case g.wide:
		t := g.YMM()
		g.VEXTRACTF64X4(Imm(1), v, t)
		g.VCVTPS2PD(t, r)
	case i == 0:
		g.VCVTPS2PD(v.AsX(), r)
	default:
		t := g.XMM()
		g.VEXTRACTF128(Imm(1), v, t)
		g.VCVTPS2PD(t, r)
	}
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

func (g *isa) roundDouble(x Op) Op {
	r := g.vec()
	if g.wide {
		g.VRNDSCALEPD(Imm(nearest|quiet), x, r)
	} else {
		g.VROUNDPD(Imm(nearest|quiet), x, r)
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
