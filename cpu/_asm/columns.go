package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// colFold writes acc[i] = fold(acc[i], x[i]) for the rows of x, one after the
// other; strips of four vectors stay in registers.
func (g *isa) colFold(name string, fold func(acc, x Op) Op) {
	name = "col" + name + g.name
	g.begin(fmt.Sprintf("// %s folds rows of n float32, stride bytes apart, into those at acc, in order.", name), name,
		"acc", "unsafe.Pointer", "x", "unsafe.Pointer", "n", "int", "rows", "int", "stride", "int")
	dst, src, n, rows, stride := reg.RDI, reg.RSI, reg.RDX, reg.R9, reg.R8
	g.load("acc", dst)
	g.load("x", src)
	g.load("n", n)
	g.load("rows", rows)
	g.load("stride", stride)
	p, left := reg.R10, reg.R11
	loop := func(label string, nv int, load func(j int, base reg.GPPhysical) reg.VecVirtual) []reg.VecVirtual {
		acc := make([]reg.VecVirtual, nv)
		for j := range acc {
			acc[j] = load(j, dst)
		}
		g.MOVQ(src, p)
		g.MOVQ(rows, left)
		g.Label(label)
		for j := range acc {
			g.VMOVAPS(fold(acc[j], load(j, p)), acc[j])
		}
		g.ADDQ(stride, p)
		g.DECQ(left)
		g.JNZ(LabelRef(label))
		return acc
	}
	for _, nv := range []int{4, 1} {
		label := fmt.Sprint("strip", nv)
		g.Label(label)
		g.CMPQ(n, U32(nv*g.lanes))
		g.JLT(LabelRef(label + "_end"))
		for j, a := range loop(label+"_row", nv, func(j int, base reg.GPPhysical) reg.VecVirtual { return g.copyOf(at(base, j*g.bytes)) }) {
			g.VMOVUPS(a, at(dst, j*g.bytes))
		}
		g.ADDQ(U32(nv*g.bytes), dst)
		g.ADDQ(U32(nv*g.bytes), src)
		g.SUBQ(U32(nv*g.lanes), n)
		g.JMP(LabelRef(label))
		g.Label(label + "_end")
	}
	g.TESTQ(n, n)
	g.JZ(LabelRef("done"))
	g.setMask(n)
	acc := loop("part", 1, func(_ int, base reg.GPPhysical) reg.VecVirtual {
		r := g.vec()
		if g.wide {
			g.VMOVUPS_Z(at(base, 0), reg.K1, r)
		} else {
			g.VMASKMOVPS(at(base, 0), ymm[15], r)
		}
		return r
	})
	if g.wide {
		g.VMOVUPS(acc[0], reg.K1, at(dst, 0))
	} else {
		g.VMASKMOVPS(acc[0], ymm[15], at(dst, 0))
	}
	g.Label("done")
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
