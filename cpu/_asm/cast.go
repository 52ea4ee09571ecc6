package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// castOps convert elements, with the results of package ir to the bit.
var castOps = []mapOp{
	convert("WidenHalf", 2, 4, (*isa).widenF16),
	convert("NarrowHalf", 4, 2, func(g *isa, x Op) Op {
		if g.wide {
			return g.halves(g.quietNaN(x))
		}
		return g.packWords(g.narrowF16(x))
	}),
	convert("RoundHalf", 4, 4, func(g *isa, x Op) Op {
		if g.wide {
			r := g.vec()
			g.VCVTPH2PS(g.halves(g.quietNaN(x)), r)
			return r
		}
		return g.widenBits(g.narrowF16(x))
	}),
	convert("WidenBfloat", 2, 4, func(g *isa, x Op) Op { return g.shiftLeft(g.fromWords(x), 16) }),
	convert("NarrowBfloat", 4, 2, func(g *isa, x Op) Op { return g.packWords(g.shiftRightZeros(g.roundBF16(x), 16)) }),
	convert("RoundBfloat", 4, 4, func(g *isa, x Op) Op { return g.and(g.roundBF16(x), g.bits(0xffff0000)) }),
	convert("FloatToInt", 4, 4, (*isa).toInt),
	convert("FloatToByte", 4, 1, func(g *isa, x Op) Op {
		r := g.vec()
		g.VCVTTPS2DQ(g.min(g.max(x, g.c(0)), g.c(255)), r) // NaN to 0
		return g.packBytes(r)
	}),
	test("FloatToBool", func(g *isa, x Op) Op { return g.cmp(notEqual, x, g.c(0)) }),
	convert("IntToFloat", 4, 4, (*isa).fromInt),
	convert("UintToFloat", 4, 4, (*isa).fromUint),
	convert("ByteToFloat", 1, 4, func(g *isa, x Op) Op { return g.fromInt(g.fromBytes(x)) }),
	convert("ByteToInt", 1, 4, (*isa).fromBytes),
	convert("IntToByte", 4, 1, func(g *isa, x Op) Op { return g.packBytes(g.and(x, g.bits(0xff))) }),
	convert("LongToInt", 8, 4, (*isa).lowWords),
	convert("IntToLong", 4, 8, func(g *isa, x Op) Op {
		r := g.vec()
		g.VPMOVSXDQ(x, r)
		return r
	}),
}

func emitCast(f *file) {
	for _, g := range isas(f) {
		for _, o := range castOps {
			g.mapKernel(o)
		}
	}
}

// fromBytes widens bytes to int32.
func (g *isa) fromBytes(x Op) Op {
	r := g.vec()
	g.VPMOVZXBD(x, r)
	return r
}

func (g *isa) fromWords(x Op) Op {
	r := g.vec()
	g.VPMOVZXWD(x, r)
	return r
}

// packBytes narrows int32 in [0, 255] to bytes.
func (g *isa) packBytes(x Op) Op {
	r := g.XMM()
	if g.wide {
		g.VPMOVDB(x, r)
		return r
	}
	words := g.packWords(x)
	g.VPACKUSWB(words, words, r)
	return r
}

// packWords narrows int32 in [0, 65535] to 16 bits.
func (g *isa) packWords(x Op) Op {
	if g.wide {
		r := g.YMM()
		g.VPMOVDW(x, r)
		return r
	}
	r := g.XMM()
	g.VEXTRACTF128(Imm(1), x, r)
	g.VPACKUSDW(r, x.(reg.VecVirtual).AsX(), r)
	return r
}

// lowWords narrows 64-bit lanes to their low halves.
func (g *isa) lowWords(x Op) Op {
	if g.wide {
		r := g.YMM()
		g.VPMOVQD(x, r)
		return r
	}
	r := g.XMM()
	g.VEXTRACTF128(Imm(1), x, r)
	g.VSHUFPS(Imm(0x88), r, x.(reg.VecVirtual).AsX(), r)
	return r
}

func (g *isa) fromInt(x Op) Op {
	r := g.vec()
	g.VCVTDQ2PS(x, r)
	return r
}

// fromUint is rounded once: in AVX2 it is that of the upper half times 2^16,
// plus that of the lower half.
func (g *isa) fromUint(x Op) Op {
	if g.wide {
		r := g.vec()
		g.VCVTUDQ2PS(x, r)
		return r
	}
	return g.fma(g.fromInt(g.shiftRightZeros(x, 16)), g.c(1<<16), g.fromInt(g.and(x, g.bits(0xffff))))
}

// toInt truncates and saturates, NaN to 0. The conversion gives the least
// integer where there is none.
func (g *isa) toInt(x Op) Op {
	r := g.vec()
	g.VCVTTPS2DQ(x, r)
	y := g.choose(g.cmp(greaterEqual, x, g.c(1<<31)), g.in(g.bits(0x7fffffff)), r)
	return g.choose(g.cmp(unordered, x, x), g.in(g.c(0)), y)
}

// widenF16 converts the float16 in 16-bit lanes. The instruction that AVX-512
// has sets the upper bit of a NaN, which package ir leaves.
func (g *isa) widenF16(x Op) Op {
	h := g.fromWords(x)
	if !g.wide {
		return g.widenBits(h)
	}
	r := g.vec()
	g.VCVTPH2PS(x, r)
	nan := g.and(r, g.or(g.shiftLeft(h, 13), g.bits(^uint32(1<<22))))
	return g.choose(g.cmp(unordered, r, r), nan, r)
}

// widenBits converts the float16 in 32-bit lanes, in integers: the exponent's
// bias grows by 112, for infinities and NaN twice, and what would have an
// exponent of 1 for 0 gets rid of its leading 1.
func (g *isa) widenBits(h Op) Op {
	const bias = 112 << 23
	o := g.shiftLeft(g.and(h, g.bits(0x7fff)), 13)
	y := g.addInt(o, g.bits(bias))
	tiny := g.sub(g.addInt(o, g.bits(bias+1<<23)), g.c(0x1p-14))
	y = g.choose(g.greaterInt(o, g.bits(31<<23-1)), g.addInt(y, g.bits(bias)), y)
	y = g.choose(g.greaterInt(g.in(g.bits(1<<23)), o), tiny, y)
	return g.or(y, g.shiftLeft(g.and(h, g.bits(0x8000)), 16))
}

// quietNaN makes NaN those whose float16 is that of package ir.
func (g *isa) quietNaN(x Op) Op {
	nan := g.or(g.sign(x), g.bits(0x7fc00000))
	return g.choose(g.cmp(unordered, x, x), nan, x)
}

// halves rounds to float16 with the processor's instruction, which AVX-512 has.
func (g *isa) halves(x Op) Op {
	r := g.YMM()
	g.VCVTPS2PH(Imm(nearest), x, r)
	return r
}

// narrowF16 rounds to float16 in 32-bit lanes. Below 2^-14 adding ½ shifts the
// bits so that the addition rounds; above, adding to the bits rounds to even.
func (g *isa) narrowF16(x Op) Op {
	a := g.abs(x)
	odd := g.and(g.shiftRightZeros(a, 13), g.bits(1))
	y := g.addInt(g.addInt(a, odd), g.bits(0xfff-0x38000000+1<<32))
	y = g.shiftRightZeros(y, 13)
	tiny := g.subInt(g.add(a, g.c(0.5)), g.c(0.5))
	y = g.choose(g.cmp(less, a, g.c(0x1p-14)), tiny, y)
	y = g.choose(g.cmp(greaterEqual, a, g.c(0x1p16)), g.in(g.bits(0x7c00)), y)
	y = g.choose(g.cmp(unordered, x, x), g.in(g.bits(0x7e00)), y)
	return g.or(y, g.shiftRightZeros(g.sign(x), 16))
}

// roundBF16 rounds to the upper 16 bits of each lane; the lower ones are not
// defined.
func (g *isa) roundBF16(x Op) Op {
	odd := g.and(g.shiftRightZeros(x, 16), g.bits(1))
	y := g.addInt(g.addInt(x, odd), g.bits(0x7fff))
	return g.choose(g.cmp(unordered, x, x), g.or(x, g.bits(0x400000)), y)
}
