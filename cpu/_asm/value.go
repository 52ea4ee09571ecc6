package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// The methods of this file are expressions on vectors: each emits instructions
// and returns the register with the result. Operands are registers, or memory
// where it is last. A mask is a mask register, or a vector of all-ones lanes.

func (g *isa) vec() reg.VecVirtual {
	if g.wide {
		return g.ZMM()
	}
	return g.YMM()
}

// lanesPrefix begins the names of constants in all lanes; their bits follow.
const lanesPrefix = "lanes_"

// c is a constant in all lanes: memory.
func (g *isa) c(x float64) Mem { return g.bits(math.Float32bits(float32(x))) }

// bits is a constant by its bits.
func (g *isa) bits(b uint32) Mem {
	name := lanesPrefix + fmt.Sprintf("%08x", b)
	if m, ok := g.globals[name]; ok {
		return m
	}
	fn := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		g.AddDatum(4*i, U32(b))
	}
	g.globals[name] = fn
	return fn
}

// double is a float64 constant in all lanes.
func (g *isa) double(x float64) Mem { return g.quad(math.Float64bits(x)) }

// quad is a constant in all lanes of 64 bits.
func (g *isa) quad(b uint64) Mem {
	name := lanesPrefix + fmt.Sprintf("%016x", b)
	if m, ok := g.globals[name]; ok {
		return m
	}
	m := g.StaticGlobal(name)
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 8 {
		g.AddDatum(8*i, U64(b))
	}
	g.globals[name] = m
	return m
}

// in returns x in a register.
func (g *isa) in(x Op) reg.Register {
	if r, ok := x.(reg.Register); ok {
		return r
	}
	r := g.vec()
	g.VMOVUPS(x, r)
	return r
}

// copyOf returns x in a register of its own.
func (g *isa) copyOf(x Op) reg.VecVirtual {
	r := g.vec()
	g.VMOVUPS(x, r)
	return r
}

func (g *isa) two(f func(...Op), a, b Op) Op {
	r := g.vec()
	f(b, g.in(a), r)
	return r
}

func (g *isa) add(a, b Op) Op { return g.two(g.VADDPS, a, b) }
func (g *isa) sub(a, b Op) Op { return g.two(g.VSUBPS, a, b) }
func (g *isa) mul(a, b Op) Op { return g.two(g.VMULPS, a, b) }
func (g *isa) div(a, b Op) Op { return g.two(g.VDIVPS, a, b) }
func (g *isa) and(a, b Op) Op { return g.two(g.VANDPS, a, b) }
func (g *isa) or(a, b Op) Op  { return g.two(g.VORPS, a, b) }
func (g *isa) xor(a, b Op) Op { return g.two(g.VXORPS, a, b) }

// max and min return b where a or b is NaN, or both are zeros.
func (g *isa) max(a, b Op) Op { return g.two(g.VMAXPS, a, b) }
func (g *isa) min(a, b Op) Op { return g.two(g.VMINPS, a, b) }

func (g *isa) addInt(a, b Op) Op { return g.two(g.VPADDD, a, b) }
func (g *isa) subInt(a, b Op) Op { return g.two(g.VPSUBD, a, b) }

func (g *isa) shiftLeft(a Op, n uint64) Op {
	r := g.vec()
	g.VPSLLD(Imm(n), g.in(a), r)
	return r
}

// shiftRight keeps the sign.
func (g *isa) shiftRight(a Op, n uint64) Op {
	r := g.vec()
	g.VPSRAD(Imm(n), g.in(a), r)
	return r
}

func (g *isa) shiftRightZeros(a Op, n uint64) Op {
	r := g.vec()
	g.VPSRLD(Imm(n), g.in(a), r)
	return r
}

func (g *isa) sqrt(a Op) Op {
	r := g.vec()
	g.VSQRTPS(a, r)
	return r
}

// fma returns a·b + c rounded once.
func (g *isa) fma(a, b, c Op) Op {
	r := g.copyOf(c)
	g.VFMADD231PS(b, g.in(a), r)
	return r
}

// fnma returns c - a·b rounded once.
func (g *isa) fnma(a, b, c Op) Op {
	r := g.copyOf(c)
	g.VFNMADD231PS(b, g.in(a), r)
	return r
}

// poly returns Σ c[i]·x^i by Horner's rule.
func (g *isa) poly(x Op, c ...float64) Op {
	r := g.copyOf(g.c(c[len(c)-1]))
	v := g.in(x)
	for i := len(c) - 2; i >= 0; i-- {
		g.VFMADD213PS(g.c(c[i]), v, r)
	}
	return r
}

// Rounding to integers.
const (
	nearest  = 0
	downward = 1
	upward   = 2
	toZero   = 3
	quiet    = 8 // no exception for inexact results
)

func (g *isa) round(a Op, mode uint64) Op {
	r := g.vec()
	if g.wide {
		g.VRNDSCALEPS(Imm(mode|quiet), a, r)
	} else {
		g.VROUNDPS(Imm(mode|quiet), a, r)
	}
	return r
}

// Predicates of comparisons; not is true for NaN, too.
const (
	equal        = 0x00
	less         = 0x11
	lessEqual    = 0x12
	unordered    = 0x03
	notEqual     = 0x04
	notLess      = 0x15
	greaterEqual = 0x1d
	notGreaterEq = 0x19
)

// cmp returns the mask of the lanes where a and b compare so.
func (g *isa) cmp(pred uint64, a, b Op) Op {
	if g.wide {
		k := g.K()
		g.VCMPPS(Imm(pred), b, g.in(a), k)
		return k
	}
	r := g.vec()
	g.VCMPPS(Imm(pred), b, g.in(a), r)
	return r
}

// equalInt returns the mask of the lanes where the integers a and b are equal.
func (g *isa) equalInt(a, b Op) Op {
	if g.wide {
		k := g.K()
		g.VPCMPEQD(b, g.in(a), k)
		return k
	}
	return g.two(g.VPCMPEQD, a, b)
}

// greaterInt returns the mask of the lanes where the int32 a is above b.
func (g *isa) greaterInt(a, b Op) Op {
	if g.wide {
		k := g.K()
		g.VPCMPGTD(b, g.in(a), k)
		return k
	}
	return g.two(g.VPCMPGTD, a, b)
}

// choose returns yes where the mask is set, and no elsewhere.
func (g *isa) choose(mask, yes, no Op) Op {
	r := g.vec()
	if g.wide {
		g.blend(x86.VBLENDMPS, yes, g.in(no), mask, r)
	} else {
		g.VBLENDVPS(mask, yes, g.in(no), r)
	}
	return r
}

// blend adds an instruction that writes all of its result. avo takes the result
// of one with a mask to be read, too, which would keep its register from the
// start of the function on.
func (g *isa) blend(f func(...Op) (*ir.Instruction, error), yes, no, mask, r Op) {
	in, err := f(yes, no, mask, r)
	if err != nil {
		panic(err)
	}
	in.Inputs = []Op{yes, no, mask}
	g.Instruction(in)
}

func (g *isa) abs(x Op) Op  { return g.and(x, g.bits(0x7fffffff)) }
func (g *isa) sign(x Op) Op { return g.and(x, g.bits(0x80000000)) }
func (g *isa) neg(x Op) Op  { return g.xor(x, g.bits(0x80000000)) }
