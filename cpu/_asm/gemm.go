package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const noSplit = attr.NOSPLIT

// Offsets of the fields of gemmArgs (gemm.go of package cpu).
const (
	gemmK   = 8 * iota
	gemmN   // columns
	gemmA   // element (0, 0)
	gemmARS // bytes between rows of A
	gemmACS // and between columns
	gemmB   // the first panel
	gemmBS  // bytes between rows of a panel of B
	gemmBP  // bytes between panels
	gemmC
	gemmLDC // bytes between rows of C
	gemmAdd // 1: add to C; 0: replace it
)

// emitGemm writes, for every instruction set, the micro-kernels of 1 to MR rows
// and what packs operands for them.
func emitGemm(f *file) {
	for _, g := range isas(f) {
		rows := 6
		if g.wide {
			rows = 12
		}
		d := g.float64()
		for r := 1; r <= rows; r++ {
			g.gemmRows(r)
			d.gemmRows(r)
		}
		d.emitVector()
		g.emitPack()
		g.emitVector()
		g.emitDot()
		g.emitPeak()
	}
	f.emitCaches()
}

// emitCaches writes the query for the size of the second-level cache: register
// ECX of leaf 0x80000006, on processors of all makers.
func (f *file) emitCaches() {
	g := isas(f)[0]
	g.begin("// cacheInfo puts what CPUID says of the second-level cache to *ecx: kilobytes in bits 16 to 31.", "cacheInfo", "ecx", "*uint64")
	g.load("ecx", reg.RDI)
	g.MOVL(U32(0x80000006), reg.EAX)
	g.CPUID()
	g.MOVL(reg.ECX, reg.ECX) // clears the upper half
	g.MOVQ(reg.RCX, at(reg.RDI, 0))
	g.RET()
}

// The registers of a micro-kernel. A's row i is at gemmP[i/3] + i%3·ars.
var (
	gemmP                  = []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX}
	gArgs, gARS, gACS      = reg.RDI, reg.RSI, reg.R11
	gN, gC, gPanel, gB, gS = reg.R8, reg.R9, reg.R10, reg.R12, reg.R13
	gCount                 = reg.R15
)

// gemmRows writes the micro-kernel of r rows:
//
//	C[r, n] = [C +] Σ_k A[r, k]·B[k, n]
//
// for n in panels of two vectors. Each element of C is one chain of fused
// multiply-adds in order of k, from 0, and is then added to C. The last panel
// may be short; it reads and writes no column past n.
func (g *isa) gemmRows(r int) {
	name := fmt.Sprintf("gemm%sx%d", g.name, r)
	g.begin(fmt.Sprintf("// %s computes %d rows of C; see gemmArgs.", name, r), name, "args", "*gemmArgs")
	g.load("args", gArgs)
	g.MOVQ(at(gArgs, gemmN), gN)
	g.MOVQ(at(gArgs, gemmC), gC)
	g.MOVQ(at(gArgs, gemmB), gPanel)
	g.MOVQ(at(gArgs, gemmARS), gARS)
	g.MOVQ(at(gArgs, gemmACS), gACS)
	g.MOVQ(at(gArgs, gemmBS), gS)
	g.Label("panel")
	g.CMPQ(gN, U32(2*g.lanes))
	g.JLT(LabelRef("tail"))
	g.gemmPanel("full", r, 2, false)
	g.ADDQ(Imm(uint64(2*g.bytes)), gC)
	g.ADDQ(at(gArgs, gemmBP), gPanel)
	g.SUBQ(U32(2*g.lanes), gN)
	g.JMP(LabelRef("panel"))
	g.Label("tail")
	g.TESTQ(gN, gN)
	g.JZ(LabelRef("done"))
	g.CMPQ(gN, U32(g.lanes))
	g.JLE(LabelRef("narrow"))
	g.SUBQ(U32(g.lanes), gN)
	g.setMask(gN)
	g.gemmPanel("two", r, 2, true)
	g.JMP(LabelRef("done"))
	g.Label("narrow")
	g.setMask(gN)
	g.gemmPanel("one", r, 1, true)
	g.Label("done")
	g.end()
}

// gemmPanel multiplies r rows with a panel of nv vectors, the last of which is
// masked where mask is set.
func (g *isa) gemmPanel(label string, r, nv int, mask bool) {
	last := 32 // one past the vector registers
	if !g.wide {
		last = 16
	}
	maskReg := last - 1
	if mask && !g.wide {
		last--
	}
	bv := func(j int) int { return last - nv + j }
	acc := func(i, j int) int { return i*nv + j }
	spare := last - nv - r*nv // for broadcasts
	ptr := func(i int) Mem {
		switch i % 3 {
		case 1:
			return idx(gemmP[i/3], gARS, 1, 0)
		case 2:
			return idx(gemmP[i/3], gARS, 2, 0)
		}
		return at(gemmP[i/3], 0)
	}
	masked := func(j int) bool { return mask && j == nv-1 }

	g.MOVQ(at(gArgs, gemmLDC), gCount)
	g.MOVQ(gC, gB)
	for i := range r {
		for j := range nv {
			g.PREFETCHT0(at(gB, 64*j))
		}
		if i+1 < r {
			g.ADDQ(gCount, gB)
		}
	}
	g.MOVQ(at(gArgs, gemmA), gemmP[0])
	if r > 3 {
		g.LEAQ(idx(gARS, gARS, 2, 0), gCount)
		for q := 1; q <= (r-1)/3; q++ {
			g.LEAQ(idx(gemmP[q-1], gCount, 1, 0), gemmP[q])
		}
	}
	g.MOVQ(gPanel, gB)
	for i := range r * nv {
		g.zero(i)
	}
	g.MOVQ(at(gArgs, gemmK), gCount)
	g.Label(label + "_loop")
	for j := range nv {
		if masked(j) {
			g.loadMasked(at(gB, j*g.bytes), bv(j), maskReg)
		} else {
			g.VMOVUPS(at(gB, j*g.bytes), g.v(bv(j)))
		}
	}
	g.PREFETCHT0(idx(gB, gS, 8, 0))
	if nv*g.bytes > 64 {
		g.PREFETCHT0(idx(gB, gS, 8, 64))
	}
	for i := range r {
		t := r*nv + i%spare
		g.broadcast(ptr(i), g.v(t))
		for j := range nv {
			g.multiplyAdd(g.v(bv(j)), g.v(t), g.v(acc(i, j)))
		}
	}
	for q := range (r + 2) / 3 {
		g.ADDQ(gACS, gemmP[q])
	}
	g.ADDQ(gS, gB)
	g.DECQ(gCount)
	g.JNZ(LabelRef(label + "_loop"))

	g.MOVQ(gC, gB)
	g.MOVQ(at(gArgs, gemmLDC), gCount)
	g.CMPQ(at(gArgs, gemmAdd), Imm(0))
	g.JE(LabelRef(label + "_store"))
	for i := range r {
		for j := range nv {
			m := at(gB, j*g.bytes)
			switch {
			case !masked(j):
				g.addFloats(m, g.v(acc(i, j)), g.v(acc(i, j)))
			case g.wide:
				either(g, g.VADDPS_Z, g.VADDPD_Z)(m, g.v(acc(i, j)), reg.K1, g.v(acc(i, j)))
			default:
				g.loadMasked(m, bv(0), maskReg)
				g.addFloats(g.v(bv(0)), g.v(acc(i, j)), g.v(acc(i, j)))
			}
		}
		if i+1 < r {
			g.ADDQ(gCount, gB)
		}
	}
	g.MOVQ(gC, gB)
	g.Label(label + "_store")
	for i := range r {
		for j := range nv {
			m := at(gB, j*g.bytes)
			if masked(j) {
				g.storeMasked(acc(i, j), m, maskReg)
			} else {
				g.VMOVUPS(g.v(acc(i, j)), m)
			}
		}
		if i+1 < r {
			g.ADDQ(gCount, gB)
		}
	}
}

// either returns the instruction for the set's floats.
func either[F any](g *isa, single, double F) F {
	if g.elem == 8 {
		return double
	}
	return single
}

func (g *isa) broadcast(ops ...Op) { either(g, g.VBROADCASTSS, g.VBROADCASTSD)(ops...) }
func (g *isa) addFloats(ops ...Op) { either(g, g.VADDPS, g.VADDPD)(ops...) }

// multiplyAdd adds a·b to acc.
func (g *isa) multiplyAdd(a Op, b, acc reg.VecPhysical) {
	if g.dot {
		g.dotPairs(a.(reg.VecPhysical), b, acc)
		return
	}
	either(g, g.VFMADD231PS, g.VFMADD231PD)(a, b, acc)
}

// setMask makes the mask of the first n lanes, 1 <= n <= lanes: in K1, or in
// the highest vector register. It clobbers RAX and RCX.
func (g *isa) setMask(n reg.GPPhysical) {
	if g.wide {
		g.MOVQ(n, reg.RCX)
		g.MOVQ(U32(1), reg.RAX)
		g.SHLQ(reg.CL, reg.RAX)
		g.DECQ(reg.RAX)
		g.KMOVW(reg.EAX, reg.K1)
		return
	}
	m := g.maskTable()
	g.LEAQ(m, reg.RAX)
	g.MOVQ(n, reg.RCX)
	g.SHLQ(Imm(uint64(g.elem/4+1)), reg.RCX) // by 4 or 8
	g.SUBQ(reg.RCX, reg.RAX)
	g.VMOVUPS(at(reg.RAX, 32), ymm[15])
}

// loadMasked loads the lanes of the mask that setMask made; the others are 0.
func (g *isa) loadMasked(m Mem, to, mask int) {
	if g.wide {
		either(g, g.VMOVUPS_Z, g.VMOVUPD_Z)(m, reg.K1, g.v(to))
		return
	}
	either(g, g.VMASKMOVPS, g.VMASKMOVPD)(m, g.v(mask), g.v(to))
}

func (g *isa) storeMasked(from int, m Mem, mask int) {
	if g.wide {
		either(g, g.VMOVUPS, g.VMOVUPD)(g.v(from), reg.K1, m)
		return
	}
	either(g, g.VMASKMOVPS, g.VMASKMOVPD)(g.v(from), g.v(mask), m)
}

// maskTable is 8 lanes of ones, then 8 of zeros: n lanes before the middle
// starts the mask of n lanes.
func (g *isa) maskTable() Mem {
	if m, ok := g.globals["masks"]; ok {
		return m
	}
	m := g.StaticGlobal("masks")
	g.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		v := uint32(0)
		if i < 8 {
			v = 0xffffffff
		}
		g.AddDatum(4*i, U32(v))
	}
	g.globals["masks"] = m
	return m
}
