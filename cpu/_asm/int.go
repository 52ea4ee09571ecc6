package main

import (
	. "github.com/mmcloughlin/avo/operand"
)

// intOps are the kernels of int32 and, where they differ, of uint32; and those of
// the bits of any integers, which count bytes.
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
	bytes2("And", (*isa).and),
	bytes2("Or", (*isa).or),
	bytes2("Xor", (*isa).xor),
	convert("Not", 1, 1, func(g *isa, x Op) Op { return g.xor(x, g.bits(0xffffffff)) }),
	convert("NotBool", 1, 1, func(g *isa, x Op) Op { return g.xor(x, g.bits(0x01010101)) }),
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
