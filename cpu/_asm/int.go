package main

import (
	. "github.com/mmcloughlin/avo/operand"
)

// intOps are the kernels of int32 and, where they differ, of uint32; of int64; and
// of bytes, which are those of the bits of any integers.
var intOps = []mapOp{
	two("AddInt", (*isa).addInt),
	two("SubInt", (*isa).subInt),
	two("MulInt", (*isa).mulInt),
	one("SquareInt", func(g *isa, x Op) Op { return g.mulInt(x, x) }),
	one("NegInt", func(g *isa, x Op) Op { return g.subInt(g.bits(0), x) }),
	one("AbsInt", func(g *isa, x Op) Op {
		r := g.vec()
		g.VPABSD(x, r)
		return r
	}),
	one("SignInt", func(g *isa, x Op) Op {
		return g.or(g.shiftRight(x, 31), g.shiftRightZeros(g.subInt(g.bits(0), x), 31))
	}),
	one("ReluInt", func(g *isa, x Op) Op { return g.two(g.VPMAXSD, x, g.bits(0)) }),
	two("MaximumInt", func(g *isa, x, y Op) Op { return g.two(g.VPMAXSD, x, y) }),
	two("MinimumInt", func(g *isa, x, y Op) Op { return g.two(g.VPMINSD, x, y) }),
	two("MaximumUint", func(g *isa, x, y Op) Op { return g.two(g.VPMAXUD, x, y) }),
	two("MinimumUint", func(g *isa, x, y Op) Op { return g.two(g.VPMINUD, x, y) }),
	compareInt("LessInt", func(g *isa, x, y Op) Op { return g.greaterInt(y, x) }),
	compareInt("LessEqualInt", func(g *isa, x, y Op) Op { return g.not(g.greaterInt(x, y)) }),
	compareInt("LessUint", func(g *isa, x, y Op) Op { return g.greaterInt(g.biased(y), g.biased(x)) }),
	compareInt("LessEqualUint", func(g *isa, x, y Op) Op { return g.not(g.greaterInt(g.biased(x), g.biased(y))) }),
	compareInt("EqualInt", (*isa).equalInt),
	compareInt("NotEqualInt", func(g *isa, x, y Op) Op { return g.not(g.equalInt(x, y)) }),
	two("Shl", func(g *isa, x, y Op) Op { return g.two(g.VPSLLVD, x, y) }),
	two("ShrInt", func(g *isa, x, y Op) Op { return g.two(g.VPSRAVD, x, y) }),
	two("ShrUint", func(g *isa, x, y Op) Op { return g.two(g.VPSRLVD, x, y) }),
	two("DivInt", (*isa).divInt),
	two("RemInt", (*isa).remInt),
	long2("AddLong", func(g *isa, x, y Op) Op { return g.two(g.VPADDQ, x, y) }),
	long2("SubLong", func(g *isa, x, y Op) Op { return g.two(g.VPSUBQ, x, y) }),
	convert("NegLong", 8, 8, func(g *isa, x Op) Op { return g.two(g.VPSUBQ, g.bits(0), x) }),
	long2("MaximumLong", func(g *isa, x, y Op) Op { return g.chooseDouble(g.greaterLong(x, y), x, y) }),
	long2("MinimumLong", func(g *isa, x, y Op) Op { return g.chooseDouble(g.greaterLong(x, y), y, x) }),
	compareLong("LessLong", func(g *isa, x, y Op) Op { return g.greaterLong(y, x) }),
	compareLong("LessEqualLong", func(g *isa, x, y Op) Op { return g.not(g.greaterLong(x, y)) }),
	compareLong("EqualLong", (*isa).equalLong),
	compareLong("NotEqualLong", func(g *isa, x, y Op) Op { return g.not(g.equalLong(x, y)) }),
	bytes2("EqualByte", (*isa).equalByte),
	bytes2("NotEqualByte", func(g *isa, x, y Op) Op { return g.xor(g.equalByte(x, y), g.bits(0x01010101)) }),
	bytes2("And", (*isa).and),
	bytes2("Or", (*isa).or),
	bytes2("Xor", (*isa).xor),
	convert("Not", 1, 1, func(g *isa, x Op) Op { return g.xor(x, g.bits(0xffffffff)) }),
	convert("NotBool", 1, 1, func(g *isa, x Op) Op { return g.xor(x, g.bits(0x01010101)) }),
}

func long2(name string, f func(g *isa, x, y Op) Op) mapOp {
	o := two(name, f)
	o.in, o.out = []int{8, 8}, 8
	return o
}

func compareLong(name string, f func(g *isa, x, y Op) Op) mapOp {
	o := long2(name, f)
	o.out, o.mask = 1, true
	return o
}

func compareInt(name string, f func(g *isa, x, y Op) Op) mapOp {
	o := two(name, f)
	o.out, o.mask = 1, true
	return o
}

func bytes2(name string, f func(g *isa, x, y Op) Op) mapOp {
	o := two(name, f)
	o.in, o.out = []int{1, 1}, 1
	return o
}

func emitInt(f *file) {
	for _, g := range isas(f) {
		for _, o := range intOps {
			g.mapKernel(o)
		}
	}
}

func (g *isa) mulInt(a, b Op) Op { return g.two(g.VPMULLD, a, b) }

// biased makes the order of unsigned integers that of signed ones.
func (g *isa) biased(x Op) Op { return g.xor(x, g.bits(0x80000000)) }

// not inverts a mask.
func (g *isa) not(mask Op) Op {
	if g.wide {
		k := g.K()
		g.KNOTW(mask, k)
		return k
	}
	return g.xor(mask, g.bits(0xffffffff))
}

// divInt is the quotient in float64, truncated, which is exact: it is rounded by
// less than its distance to the next integer. By 0 it is 0; that of the least
// integer and -1 is what the conversion gives where there is none.
func (g *isa) divInt(x, y Op) Op {
	var q [2]Op
	for i := range q {
		q[i] = g.truncate(g.two(g.VDIVPD, g.intDoubles(x, i), g.intDoubles(y, i)))
	}
	return g.choose(g.equalInt(y, g.bits(0)), g.in(g.bits(0)), g.join(q))
}

// remInt is x - y·(x/y), and by 0 it is 0.
func (g *isa) remInt(x, y Op) Op {
	r := g.subInt(x, g.mulInt(g.divInt(x, y), y))
	return g.choose(g.equalInt(y, g.bits(0)), g.in(g.bits(0)), r)
}

func (g *isa) greaterLong(a, b Op) Op {
	if g.wide {
		k := g.K()
		g.VPCMPGTQ(b, g.in(a), k)
		return k
	}
	return g.two(g.VPCMPGTQ, a, b)
}

func (g *isa) equalLong(a, b Op) Op {
	if g.wide {
		k := g.K()
		g.VPCMPEQQ(b, g.in(a), k)
		return k
	}
	return g.two(g.VPCMPEQQ, a, b)
}

// equalByte returns bytes 0 and 1.
func (g *isa) equalByte(a, b Op) Op {
	if g.wide {
		k, r := g.K(), g.vec()
		g.VPCMPEQB(b, g.in(a), k)
		g.VMOVDQU8_Z(g.bits(0x01010101), k, r)
		return r
	}
	return g.and(g.two(g.VPCMPEQB, a, b), g.bits(0x01010101))
}
