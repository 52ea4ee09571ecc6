package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumRun is the length of the runs that sums add in float32 (subRun of package
// cpu).
const sumRun = 256

func emitReduce(f *file) {
	for _, g := range isas(f) {
		g.rowSum()
		g.colFlush()
		g.rowFold("Max", "the lanes' maxima", math.Inf(-1), func(acc, x Op) Op { return g.maximum(acc, x) })
		g.rowFold("Min", "the lanes' minima", math.Inf(1), func(acc, x Op) Op { return g.minimum(acc, x) })
		g.rowFold("Size", "the lanes' largest magnitudes, NaN above all", 0, func(acc, x Op) Op {
			return g.two(g.VPMAXUD, acc, g.abs(x))
		})
	}
}

func (g *isa) beginReduce(name, doc string) (dst, src, n reg.GPPhysical) {
	g.begin(fmt.Sprintf("// %s %s", name, doc), name, "dst", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int")
	dst, src, n = reg.RDI, reg.RSI, reg.RDX
	g.load("dst", dst)
	g.load("a", src)
	g.load("n", n)
	return dst, src, n
}

// rowSum writes the sums of runs of 256 elements, the last one shorter, as
// float64. A run is added in two vectors of 16 lanes, or in four of 8; these are
// added, and their lanes in float64.
func (g *isa) rowSum() {
	const lanes = 32
	dst, src, n := g.beginReduce("rowSum"+g.name, "writes the sums of runs of 256 of n elements as float64.")
	nv := lanes / g.lanes
	acc := func(j int) reg.VecPhysical { return g.v(j) }
	left := reg.R8
	g.Label("run")
	for j := range nv {
		g.zero(j)
	}
	g.MOVQ(U32(sumRun), left)
	g.CMPQ(n, left)
	g.CMOVQLT(n, left)
	g.SUBQ(left, n)
	g.SUBQ(Imm(lanes), left)
	g.JLT(LabelRef("short"))
	g.Label("loop")
	for j := range nv {
		g.VADDPS(at(src, j*g.bytes), acc(j), acc(j))
	}
	g.ADDQ(U32(4*lanes), src)
	g.SUBQ(Imm(lanes), left)
	g.JGE(LabelRef("loop"))
	g.Label("short")
	g.ADDQ(Imm(lanes), left)
	g.JZ(LabelRef("total"))
	for j := range nv {
		g.CMPQ(left, U32(g.lanes))
		g.JLT(LabelRef("part"))
		g.VADDPS(at(src, 0), acc(j), acc(j))
		g.ADDQ(U32(g.bytes), src)
		g.SUBQ(U32(g.lanes), left)
	}
	g.Label("part") // the lanes that are left go to the last vector
	g.TESTQ(left, left)
	g.JZ(LabelRef("total"))
	g.setMask(left)
	g.loadMasked(at(src, 0), 8, 15)
	g.VADDPS(g.v(8), acc(nv-1), acc(nv-1))
	g.Label("total")
	for step := nv / 2; step > 0; step /= 2 {
		for j := range step {
			g.VADDPS(acc(j+step), acc(j), acc(j))
		}
	}
	if g.wide {
		g.VEXTRACTF64X4(Imm(1), zmm[0], ymm[1])
		g.VCVTPS2PD(ymm[0], zmm[2])
		g.VCVTPS2PD(ymm[1], zmm[3])
		g.VADDPD(zmm[3], zmm[2], zmm[2])
		g.VEXTRACTF64X4(Imm(1), zmm[2], ymm[3])
	} else {
		g.VEXTRACTF128(Imm(1), ymm[0], xmm[1])
		g.VCVTPS2PD(xmm[0], ymm[2])
		g.VCVTPS2PD(xmm[1], ymm[3])
	}
	g.VADDPD(ymm[3], ymm[2], ymm[2])
	g.VEXTRACTF128(Imm(1), ymm[2], xmm[3])
	g.VADDPD(xmm[3], xmm[2], xmm[2])
	g.VHADDPD(xmm[2], xmm[2], xmm[2])
	g.VMOVSD(xmm[2], at(dst, 0))
	g.ADDQ(Imm(8), dst)
	g.TESTQ(n, n)
	g.JNZ(LabelRef("run"))
	g.end()
}

// rowFold writes a vector of 16 lanes, each folded over every sixteenth element.
func (g *isa) rowFold(name, doc string, unit float64, fold func(acc, x Op) Op) {
	dst, src, n := g.beginReduce("row"+name+g.name, "writes "+doc+", 16 of them, of n elements.")
	nv := 16 / g.lanes
	if g.wide {
		nv = 2 // folded into one at the end, for two chains
	}
	acc := make([]reg.VecVirtual, nv)
	for j := range acc {
		acc[j] = g.copyOf(g.c(unit))
	}
	g.SUBQ(U32(nv*g.lanes), n)
	g.JLT(LabelRef("tail"))
	g.Label("loop")
	for j := range acc {
		g.VMOVAPS(fold(acc[j], g.copyOf(at(src, j*g.bytes))), acc[j])
	}
	g.ADDQ(U32(nv*g.bytes), src)
	g.SUBQ(U32(nv*g.lanes), n)
	g.JGE(LabelRef("loop"))
	g.Label("tail")
	g.ADDQ(U32(nv*g.lanes), n)
	g.CMPQ(n, U32(g.lanes))
	g.JLT(LabelRef("part"))
	g.VMOVAPS(fold(acc[0], g.copyOf(at(src, 0))), acc[0])
	g.ADDQ(U32(g.bytes), src)
	g.SUBQ(U32(g.lanes), n)
	g.Label("part")
	g.TESTQ(n, n)
	g.JZ(LabelRef("done"))
	g.setMask(n)
	x := g.copyOf(g.c(unit))
	if g.wide {
		g.VMOVUPS(at(src, 0), reg.K1, x)
	} else {
		y := g.vec()
		g.VMASKMOVPS(at(src, 0), ymm[15], y)
		g.VBLENDVPS(ymm[15], y, x, x)
	}
	g.VMOVAPS(fold(acc[1], x), acc[1])
	g.Label("done")
	if g.wide {
		g.VMOVUPS(fold(acc[0], acc[1]), at(dst, 0))
	} else {
		for j := range acc {
			g.VMOVUPS(acc[j], at(dst, j*g.bytes))
		}
	}
	g.end()
}

// colFlush adds n float32 totals at a to the float64 sums at dst, the rounding
// errors to the float64 rests after them, and clears the totals; n is a multiple
// of the lanes of float64. The error of a sum, by Knuth's TwoSum, is exact; where
// it is not a number, for the sum is infinite, it is left out.
func (g *isa) colFlush() {
	name := "colFlush" + g.name
	g.begin(fmt.Sprintf("// %s adds n float32 at a to float64 sums and rests, and clears them.", name), name, "sums", "unsafe.Pointer", "rests", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int")
	sums, rests, src, n := reg.RDI, reg.R8, reg.RSI, reg.RDX
	g.load("sums", sums)
	g.load("rests", rests)
	g.load("a", src)
	g.load("n", n)
	lanes := g.lanes / 2
	half := func(i int) reg.VecPhysical {
		if g.wide {
			return ymm[i]
		}
		return xmm[i]
	}
	g.zero(7)
	g.Label("loop")
	g.VCVTPS2PD(at(src, 0), g.v(0)) // v
	g.VMOVUPD(at(sums, 0), g.v(1))  // s
	g.VADDPD(g.v(0), g.v(1), g.v(2))
	g.VSUBPD(g.v(1), g.v(2), g.v(3)) // t - s
	g.VSUBPD(g.v(3), g.v(2), g.v(4))
	g.VSUBPD(g.v(4), g.v(1), g.v(4)) // s - (t - (t - s))
	g.VSUBPD(g.v(3), g.v(0), g.v(3))
	g.VADDPD(g.v(3), g.v(4), g.v(4))
	if g.wide {
		g.VCMPPD(Imm(7), g.v(4), g.v(4), reg.K1) // ordered
		g.VMOVAPD_Z(g.v(4), reg.K1, g.v(4))
	} else {
		g.VCMPPD(Imm(7), g.v(4), g.v(4), g.v(5))
		g.VANDPD(g.v(5), g.v(4), g.v(4))
	}
	g.VADDPD(at(rests, 0), g.v(4), g.v(4))
	g.VMOVUPD(g.v(4), at(rests, 0))
	g.VMOVUPD(g.v(2), at(sums, 0))
	g.VMOVUPS(half(7), at(src, 0))
	g.ADDQ(Imm(uint64(4*lanes)), src)
	g.ADDQ(Imm(uint64(8*lanes)), sums)
	g.ADDQ(Imm(uint64(8*lanes)), rests)
	g.SUBQ(Imm(uint64(lanes)), n)
	g.JNZ(LabelRef("loop"))
	g.end()
}
