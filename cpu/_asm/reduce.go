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
		g.rowSums()
		g.colFlush()
		g.colFold("Sum", g.add)
		g.colFold("Max", g.maximum)
		g.colFold("Min", g.minimum)
		g.rowFold("Max", "the lanes' maxima", math.Inf(-1), true, func(acc, x Op) Op { return g.maximum(acc, x) })
		g.rowFold("Min", "the lanes' minima", math.Inf(1), true, func(acc, x Op) Op { return g.minimum(acc, x) })
		g.rowFold("Size", "the lanes' largest magnitudes, NaN above all", 0, false, func(acc, x Op) Op {
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
// float64.
func (g *isa) rowSum() {
	dst, src, n := g.beginReduce("rowSum"+g.name, "writes the sums of runs of 256 of n elements as float64.")
	left := reg.R8
	g.Label("run")
	g.MOVQ(U32(sumRun), left)
	g.CMPQ(n, left)
	g.CMOVQLT(n, left)
	g.SUBQ(left, n)
	g.runLanes("", src, left, true)
	g.lanesSum()
	g.VMOVSD(xmm[2], at(dst, 0))
	g.ADDQ(Imm(8), dst)
	g.TESTQ(n, n)
	g.JNZ(LabelRef("run"))
	g.end()
}

// rowSums writes the sums of rows of n elements, no more than a run has, that
// lie one after the other, as the first words of states; the second are set to
// 0. The sums of several rows are finished together, in the order of rowSum.
func (g *isa) rowSums() {
	name := "rowSums" + g.name
	g.begin(fmt.Sprintf("// %s writes the sums of rows of n elements, a run at most, as states.", name), name,
		"st", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int", "rows", "int")
	dst, src, n, rows, left := reg.RDI, reg.RSI, reg.RDX, reg.R9, reg.R8
	g.load("st", dst)
	g.load("a", src)
	g.load("n", n)
	g.load("rows", rows)
	g.MOVQ(n, left)
	g.CMPQ(n, U32(g.lanes))
	g.JLE(LabelRef("mask"))
	g.ANDQ(U32(g.lanes-1), left)
	g.JZ(LabelRef("whole"))
	g.Label("mask")
	g.setMask(left)
	g.Label("whole")
	if g.wide {
		g.MOVQ(U32(0x55), reg.RAX)
		g.KMOVW(reg.EAX, reg.K2)
	}
	group := g.lanes / 2 // rows that are finished together
	p := make([]reg.VecPhysical, group)
	for i := range p {
		p[i] = g.v(9 + i)
	}
	g.Label("group")
	g.CMPQ(rows, U32(group))
	g.JLT(LabelRef("single"))
	g.CMPQ(n, U32(g.lanes/2))
	g.JLE(LabelRef("tiny"))
	g.CMPQ(n, U32(g.lanes))
	g.JLE(LabelRef("small"))
	for i := range group {
		g.MOVQ(n, left)
		g.runLanes(fmt.Sprintf("row%d_", i), src, left, false)
		g.VMOVAPD(g.v(2), p[i])
	}
	g.JMP(LabelRef("finish"))
	// What rows of a vector, or of half of one, add to lanes of 0 is left out.
	g.Label("small")
	for i := range group {
		g.loadMasked(at(src, 0), 0, 15)
		g.LEAQ(idx(src, n, 4, 0), src)
		g.widenLanes()
		g.VADDPD(g.v(3), g.v(2), p[i])
	}
	g.JMP(LabelRef("finish"))
	g.Label("tiny")
	for i := range group {
		if g.wide {
			g.VMOVUPS_Z(at(src, 0), reg.K1, ymm[0])
			g.VCVTPS2PD(ymm[0], p[i])
		} else {
			g.VMASKMOVPS(at(src, 0), xmm[15], xmm[0])
			g.VCVTPS2PD(xmm[0], p[i])
		}
		g.LEAQ(idx(src, n, 4, 0), src)
	}
	g.Label("finish")
	// Rows i and i + 2 make one vector of half as many lanes each, until a
	// last step puts odd rows between even ones.
	if g.wide {
		for _, i := range []int{0, 1, 4, 5} {
			g.addHalves(0x44, 0xee, p[i], p[i+2])
		}
		for _, i := range []int{0, 1} {
			g.addHalves(0x88, 0xdd, p[i], p[i+4])
		}
	} else {
		for _, i := range []int{0, 1} {
			g.VPERM2F128(Imm(0x20), p[i+2], p[i], ymm[0])
			g.VPERM2F128(Imm(0x31), p[i+2], p[i], ymm[1])
			g.VADDPD(ymm[1], ymm[0], p[i])
		}
	}
	g.VUNPCKLPD(p[1], p[0], g.v(0))
	g.VUNPCKHPD(p[1], p[0], g.v(1))
	g.VADDPD(g.v(1), g.v(0), g.v(0))
	g.zero(3)
	g.VADDPD(g.v(3), g.v(0), g.v(0)) // as if added to a total of 0
	if g.wide {
		g.VEXTRACTF64X4(Imm(1), zmm[0], ymm[1])
		g.VEXPANDPD_Z(zmm[0], reg.K2, zmm[0])
		g.VEXPANDPD_Z(zmm[1], reg.K2, zmm[1])
	} else {
		g.VUNPCKLPD(ymm[3], ymm[0], ymm[1]) // rows 0 and 2
		g.VUNPCKHPD(ymm[3], ymm[0], ymm[2])
		g.VPERM2F128(Imm(0x20), ymm[2], ymm[1], ymm[0])
		g.VPERM2F128(Imm(0x31), ymm[2], ymm[1], ymm[1])
	}
	g.VMOVUPD(g.v(0), at(dst, 0))
	g.VMOVUPD(g.v(1), at(dst, g.bytes))
	g.ADDQ(U32(16*group), dst)
	g.SUBQ(U32(group), rows)
	g.JMP(LabelRef("group"))
	g.Label("single")
	g.TESTQ(rows, rows)
	g.JZ(LabelRef("done"))
	g.Label("row")
	g.MOVQ(n, left)
	g.runLanes("", src, left, false)
	g.lanesSum()
	g.zero(3)
	g.VADDSD(xmm[3], xmm[2], xmm[2])
	g.VMOVSD(xmm[2], at(dst, 0))
	g.VMOVSD(xmm[3], at(dst, 8))
	g.ADDQ(Imm(16), dst)
	g.DECQ(rows)
	g.JNZ(LabelRef("row"))
	g.Label("done")
	g.end()
}

// addHalves adds to x the lanes of x and y that the first immediate chooses and
// those that the second does.
func (g *isa) addHalves(first, second uint64, x, y reg.VecPhysical) {
	g.VSHUFF64X2(Imm(first), y, x, zmm[0])
	g.VSHUFF64X2(Imm(second), y, x, zmm[1])
	g.VADDPD(zmm[1], zmm[0], x)
}

// runLanes adds the left elements at src, which it moves past them, in lanes of
// float64: register 2. They are added in two vectors of 16 lanes, or in four of
// 8; these are added, and then their halves in float64. The mask of what is left
// is made where mask is set, and else there.
func (g *isa) runLanes(label string, src, left reg.GPPhysical, mask bool) {
	const lanes = 32
	nv := lanes / g.lanes
	acc := func(j int) reg.VecPhysical { return g.v(j) }
	for j := range nv {
		g.zero(j)
	}
	g.SUBQ(Imm(lanes), left)
	g.JLT(LabelRef(label + "short"))
	g.Label(label + "loop")
	for j := range nv {
		g.VADDPS(at(src, j*g.bytes), acc(j), acc(j))
	}
	g.ADDQ(U32(4*lanes), src)
	g.SUBQ(Imm(lanes), left)
	g.JGE(LabelRef(label + "loop"))
	g.Label(label + "short")
	g.ADDQ(Imm(lanes), left)
	g.JZ(LabelRef(label + "total"))
	for j := range nv {
		g.CMPQ(left, U32(g.lanes))
		g.JLT(LabelRef(label + "part"))
		g.VADDPS(at(src, 0), acc(j), acc(j))
		g.ADDQ(U32(g.bytes), src)
		g.SUBQ(U32(g.lanes), left)
	}
	g.Label(label + "part") // the lanes that are left go to the last vector
	g.TESTQ(left, left)
	g.JZ(LabelRef(label + "total"))
	if mask {
		g.setMask(left)
	}
	g.loadMasked(at(src, 0), 8, 15)
	g.LEAQ(idx(src, left, 4, 0), src)
	g.VADDPS(g.v(8), acc(nv-1), acc(nv-1))
	g.Label(label + "total")
	for step := nv / 2; step > 0; step /= 2 {
		for j := range step {
			g.VADDPS(acc(j+step), acc(j), acc(j))
		}
	}
	g.widenLanes()
	g.VADDPD(g.v(3), g.v(2), g.v(2))
}

// widenLanes converts the lower lanes of register 0 to float64 in register 2, and
// the upper ones in register 3.
func (g *isa) widenLanes() {
	if g.wide {
		g.VEXTRACTF64X4(Imm(1), zmm[0], ymm[1])
		g.VCVTPS2PD(ymm[0], zmm[2])
		g.VCVTPS2PD(ymm[1], zmm[3])
		return
	}
	g.VEXTRACTF128(Imm(1), ymm[0], xmm[1])
	g.VCVTPS2PD(xmm[0], ymm[2])
	g.VCVTPS2PD(xmm[1], ymm[3])
}

// lanesSum adds the lanes of runLanes to X2.
func (g *isa) lanesSum() {
	if g.wide {
		g.VEXTRACTF64X4(Imm(1), zmm[2], ymm[3])
		g.VADDPD(ymm[3], ymm[2], ymm[2])
	}
	g.VEXTRACTF128(Imm(1), ymm[2], xmm[3])
	g.VADDPD(xmm[3], xmm[2], xmm[2])
	g.VHADDPD(xmm[2], xmm[2], xmm[2])
}

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

// rowFold writes a vector of 16 lanes, each folded over every sixteenth element,
// or with many one for each of rows that lie one after the other.
func (g *isa) rowFold(name, doc string, unit float64, many bool, fold func(acc, x Op) Op) {
	name = "row" + name + g.name
	params := []string{"dst", "unsafe.Pointer", "a", "unsafe.Pointer", "n", "int"}
	doc += ", 16 of them, of n elements"
	if many {
		params = append(params, "rows", "int")
		doc += " of each row"
	}
	g.begin(fmt.Sprintf("// %s writes %s.", name, doc), name, params...)
	dst, src, width, rows, n := reg.RDI, reg.RSI, reg.RDX, reg.R9, reg.R8
	g.load("dst", dst)
	g.load("a", src)
	g.load("n", width)
	if many {
		g.load("rows", rows)
	}
	g.Label("row")
	g.MOVQ(width, n)
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
	if many {
		g.LEAQ(idx(src, n, 4, 0), src)
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
	if many {
		g.ADDQ(U32(64), dst)
		g.DECQ(rows)
		g.JNZ(LabelRef("row"))
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
