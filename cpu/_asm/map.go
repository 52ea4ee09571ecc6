package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A mapOp is a block kernel over float32: n elements at dst from those at a, b.
type mapOp struct {
	name string
	args int
	body func(g *isa, x []Op) Op // returns the result, or a mask
	mask bool                    // the result is a mask: bytes 0 and 1 are stored
}

func one(name string, f func(g *isa, x Op) Op) mapOp {
	return mapOp{name: name, args: 1, body: func(g *isa, x []Op) Op { return f(g, x[0]) }}
}

func two(name string, f func(g *isa, x, y Op) Op) mapOp {
	return mapOp{name: name, args: 2, body: func(g *isa, x []Op) Op { return f(g, x[0], x[1]) }}
}

func compare(name string, pred uint64) mapOp {
	return mapOp{name: name, args: 2, mask: true, body: func(g *isa, x []Op) Op { return g.cmp(pred, x[0], x[1]) }}
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
	{name: "IsNaN", args: 1, mask: true, body: func(g *isa, x []Op) Op { return g.cmp(unordered, x[0], x[0]) }},
	{name: "IsInf", args: 1, mask: true, body: func(g *isa, x []Op) Op { return g.cmp(equal, g.abs(x[0]), g.c(math.Inf(1))) }},
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
}

func emitMap(f *file) {
	for _, g := range isas(f) {
		for _, o := range mapOps {
			g.mapKernel(o)
		}
		g.whereKernel()
	}
}

// maximum is IEEE 754's maximum: NaN where either is, and 0 above -0.
func (g *isa) maximum(x, y Op) Op {
	r := g.choose(g.cmp(equal, x, y), g.and(x, y), g.max(x, y))
	return g.choose(g.cmp(unordered, x, x), x, r)
}

func (g *isa) minimum(x, y Op) Op {
	r := g.choose(g.cmp(equal, x, y), g.or(x, y), g.min(x, y))
	return g.choose(g.cmp(unordered, x, x), x, r)
}

func (g *isa) beginMap(name, doc string) (dst, n reg.GPPhysical, src []reg.GPPhysical) {
	g.begin(fmt.Sprintf("// %s %s", name, doc), name, "dst", "unsafe.Pointer", "a", "unsafe.Pointer", "b", "unsafe.Pointer", "c", "unsafe.Pointer", "n", "int")
	dst, n, src = reg.RDI, reg.RDX, []reg.GPPhysical{reg.RSI, reg.R8, reg.R9}
	g.load("dst", dst)
	g.load("a", src[0])
	g.load("b", src[1])
	g.load("c", src[2])
	g.load("n", n)
	return dst, n, src
}

// mapKernel writes a loop over whole vectors, and the same once more on the
// lanes that are left.
func (g *isa) mapKernel(o mapOp) {
	dst, n, src := g.beginMap(fmt.Sprintf("map%s%s", o.name, g.name), "is a block kernel of "+o.name+".")
	width := g.bytes
	if o.mask {
		width = g.lanes
	}
	g.SUBQ(U32(g.lanes), n)
	g.JLT(LabelRef("tail"))
	g.Label("loop")
	var x []Op
	for i := range o.args {
		x = append(x, g.copyOf(at(src[i], 0)))
	}
	if y := o.body(g, x); o.mask {
		g.storeBytes(g.boolBytes(y), at(dst, 0))
	} else {
		g.VMOVUPS(y, at(dst, 0))
	}
	for i := range o.args {
		g.ADDQ(U32(g.bytes), src[i])
	}
	g.ADDQ(U32(width), dst)
	g.SUBQ(U32(g.lanes), n)
	g.JGE(LabelRef("loop"))
	g.Label("tail")
	g.ADDQ(U32(g.lanes), n)
	g.JZ(LabelRef("done"))
	g.setMask(n)
	x = nil
	for i := range o.args {
		r := g.vec()
		g.loadLanes(at(src[i], 0), r)
		x = append(x, r)
	}
	if y := o.body(g, x); o.mask {
		g.storeSomeBytes(g.boolBytes(y), dst, n)
	} else if g.wide {
		g.VMOVUPS(y, reg.K1, at(dst, 0))
	} else {
		g.VMASKMOVPS(y, ymm[15], at(dst, 0))
	}
	g.Label("done")
	g.end()
}

// loadLanes loads the lanes of setMask's mask.
func (g *isa) loadLanes(m Mem, r reg.Register) {
	if g.wide {
		g.VMOVUPS_Z(m, reg.K1, r)
	} else {
		g.VMASKMOVPS(m, ymm[15], r)
	}
}

// boolBytes turns a mask into bytes 0 and 1 in the lowest lanes.
func (g *isa) boolBytes(mask Op) reg.Register {
	r := g.XMM()
	if g.wide {
		ones := g.bits(0x01010101)
		g.VMOVDQU8_Z(ones, mask, r)
		return r
	}
	// 8 lanes of 32 bits to 16 and 8.
	y := mask.(reg.VecVirtual)
	hi := g.XMM()
	g.VEXTRACTF128(Imm(1), y, hi)
	g.VPACKSSDW(hi, y.AsX(), r)
	g.VPACKSSWB(r, r, r)
	g.VPAND(g.bits(0x01010101), r, r)
	return r
}

func (g *isa) storeBytes(r reg.Register, m Mem) {
	if g.wide {
		g.VMOVDQU(r, m)
	} else {
		g.VMOVQ(r, m)
	}
}

// storeSomeBytes stores n bytes, fewer than there are lanes.
func (g *isa) storeSomeBytes(r reg.Register, dst, n reg.GPPhysical) {
	if g.wide {
		g.VMOVDQU8(r, reg.K1, at(dst, 0))
		return
	}
	g.VMOVQ(r, reg.RAX)
	g.Label("byte")
	g.MOVB(reg.AL, at(dst, 0))
	g.SHRQ(Imm(8), reg.RAX)
	g.INCQ(dst)
	g.DECQ(n)
	g.JNZ(LabelRef("byte"))
}

// whereKernel writes dst = b where the byte at a is not 0, and c elsewhere.
func (g *isa) whereKernel() {
	dst, n, src := g.beginMap("mapWhere"+g.name, "is a block kernel of Where, by bytes at a.")
	body := func(cond reg.Register, yes, no Op) Op {
		lanes := g.vec()
		g.VPMOVZXBD(cond, lanes)
		if g.wide {
			k := g.K()
			g.VPTESTMD(lanes, lanes, k)
			return g.choose(k, yes, no)
		}
		zero := g.vec()
		g.VXORPS(zero, zero, zero)
		g.VPCMPEQD(zero, lanes, lanes)
		return g.choose(lanes, no, yes)
	}
	g.SUBQ(U32(g.lanes), n)
	g.JLT(LabelRef("tail"))
	g.Label("loop")
	cond := g.XMM()
	if g.wide {
		g.VMOVDQU(at(src[0], 0), cond)
	} else {
		g.VMOVQ(at(src[0], 0), cond)
	}
	g.VMOVUPS(body(cond, g.copyOf(at(src[1], 0)), g.copyOf(at(src[2], 0))), at(dst, 0))
	g.ADDQ(U32(g.lanes), src[0])
	for _, p := range []reg.GPPhysical{src[1], src[2], dst} {
		g.ADDQ(U32(g.bytes), p)
	}
	g.SUBQ(U32(g.lanes), n)
	g.JGE(LabelRef("loop"))
	g.Label("tail")
	g.ADDQ(U32(g.lanes), n)
	g.JZ(LabelRef("done"))
	g.setMask(n)
	yes, no := g.vec(), g.vec()
	g.loadLanes(at(src[1], 0), yes)
	g.loadLanes(at(src[2], 0), no)
	cond = g.XMM()
	if g.wide {
		g.VMOVDQU8_Z(at(src[0], 0), reg.K1, cond)
		g.VMOVUPS(body(cond, yes, no), reg.K1, at(dst, 0))
	} else {
		g.XORQ(reg.RAX, reg.RAX)
		g.Label("byte") // from the last one
		g.SHLQ(Imm(8), reg.RAX)
		g.MOVB(idx(src[0], n, 1, -1), reg.AL)
		g.DECQ(n)
		g.JNZ(LabelRef("byte"))
		g.VMOVQ(reg.RAX, cond)
		g.VMASKMOVPS(body(cond, yes, no), ymm[15], at(dst, 0))
	}
	g.Label("done")
	g.end()
}
