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

// rowSum writes the sum of n elements as a float64. Runs of 256 are added in 64
// lanes of float32, these in 16, and those of all runs in 16 lanes of float64; what
// is left below a run goes to the 16 lanes in turn. Nothing waits for the end of a
// run: all that runs share are the last lanes.
func (g *isa) rowSum() {
	dst, src, n := g.beginReduce("rowSum"+g.name, "writes the sum of n elements as a float64.")
	const lanes = 64
	nv := lanes / g.lanes
	ends := 16 / g.lanes // vectors of 16 lanes
	totals, temp := nv, nv+2*ends
	widen := func() {
		for j := range ends {
			low, high := reg.Register(ymm[j]), reg.Register(ymm[temp])
			if g.wide {
				g.VEXTRACTF64X4(Imm(1), zmm[j], high)
			} else {
				low, high = xmm[j], xmm[temp]
				g.VEXTRACTF128(Imm(1), ymm[j], high)
			}
			for i, half := range []reg.Register{low, high} {
				g.VCVTPS2PD(half, g.v(temp+1))
				g.VADDPD(g.v(temp+1), g.v(totals+2*j+i), g.v(totals+2*j+i))
			}
		}
	}
	for j := range 2 * ends {
		g.zero(totals + j)
	}
	g.SUBQ(U32(sumRun), n)
	g.JLT(LabelRef("short"))
	g.Label("run")
	for i := range sumRun / lanes {
		for j := range nv {
			m := at(src, (i*nv+j)*g.bytes)
			if i == 0 {
				g.VMOVUPS(m, g.v(j))
			} else {
				g.VADDPS(m, g.v(j), g.v(j))
			}
		}
	}
	for step := nv / 2; step >= ends; step /= 2 {
		for j := range step {
			g.VADDPS(g.v(j+step), g.v(j), g.v(j))
		}
	}
	widen()
	g.ADDQ(U32(4*sumRun), src)
	g.SUBQ(U32(sumRun), n)
	g.JGE(LabelRef("run"))
	g.Label("short")
	g.ADDQ(U32(sumRun), n)
	g.JZ(LabelRef("total"))
	for j := range ends {
		g.zero(j)
	}
	g.Label("lanes")
	g.CMPQ(n, U32(16))
	g.JLT(LabelRef("part"))
	for j := range ends {
		g.VADDPS(at(src, j*g.bytes), g.v(j), g.v(j))
	}
	g.ADDQ(U32(64), src)
	g.SUBQ(U32(16), n)
	g.JMP(LabelRef("lanes"))
	part := func(j int) {
		g.setMask(n)
		g.loadMasked(at(src, j*g.bytes), nv-1, 15)
		g.VADDPS(g.v(nv-1), g.v(j), g.v(j))
	}
	g.Label("part")
	if !g.wide {
		g.CMPQ(n, U32(g.lanes))
		g.JLT(LabelRef("few"))
		g.VADDPS(at(src, 0), g.v(0), g.v(0))
		g.SUBQ(U32(g.lanes), n)
		part(1)
		g.JMP(LabelRef("rest"))
		g.Label("few")
	}
	part(0)
	g.Label("rest")
	widen()
	g.Label("total")
	for j := range ends {
		g.VADDPD(g.v(totals+ends+j), g.v(totals+j), g.v(totals+j))
	}
	if g.wide {
		g.VEXTRACTF64X4(Imm(1), zmm[totals], ymm[temp])
		g.VADDPD(ymm[temp], ymm[totals], ymm[totals])
	} else {
		g.VADDPD(ymm[totals+1], ymm[totals], ymm[totals])
	}
	g.addQuarter(totals, temp)
	g.VMOVSD(xmm[totals], at(dst, 0))
	g.end()
}

// rowSums writes the sums of rows of n elements, no more than a run has, that
// lie one after the other, as the first words of states; the second are set to
// 0. The sums of several rows are finished together, in the order of single ones.
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
		g.runLanes(fmt.Sprintf("row%d_", i), src, left)
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
	g.runLanes("", src, left)
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
// is there.
func (g *isa) runLanes(label string, src, left reg.GPPhysical) {
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
	g.addQuarter(2, 3)
}

// addQuarter adds the four float64 lanes of register i to its lowest.
func (g *isa) addQuarter(i, temp int) {
	g.VEXTRACTF128(Imm(1), ymm[i], xmm[temp])
	g.VADDPD(xmm[temp], xmm[i], xmm[i])
	g.VHADDPD(xmm[i], xmm[i], xmm[i])
}

// rowFold writes a vector of 16 lanes that together are folded over all elements,
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
	const nv = 4 // chains, folded into 16 lanes at the end
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
	for j := range nv - 1 {
		g.CMPQ(n, U32(g.lanes))
		g.JLT(LabelRef("part"))
		g.VMOVAPS(fold(acc[j], g.copyOf(at(src, 0))), acc[j])
		g.ADDQ(U32(g.bytes), src)
		g.SUBQ(U32(g.lanes), n)
	}
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
	g.VMOVAPS(fold(acc[nv-1], x), acc[nv-1])
	g.Label("done")
	for left := nv / 2; left*g.lanes >= 16; left /= 2 {
		for j := range left {
			g.VMOVAPS(fold(acc[j], acc[j+left]), acc[j])
		}
	}
	for j := range 16 / g.lanes {
		g.VMOVUPS(acc[j], at(dst, j*g.bytes))
	}
	if many {
		g.ADDQ(U32(64), dst)
		g.DECQ(rows)
		g.JNZ(LabelRef("row"))
	}
	g.end()
}
